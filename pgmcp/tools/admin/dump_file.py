"""
The file that a dump goes into: named here, partial until it is whole, then safe on the disk.

Owns names and durability; never takes a path from a caller.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pgmcp.errors import Unavailable

UNSAFE = re.compile(r"[^A-Za-z0-9_]+")
PART_LENGTH = 48
PARTIAL = ".partial"
OWNER_ONLY = 0o600


@dataclass(frozen=True, kw_only=True, slots=True)
class DumpFile:
    """Hold an open, empty file *partial* that will be called *path* when it is whole."""

    path: Path
    partial: Path
    descriptor: int

    def size(self) -> int:
        """Return how many bytes are written."""
        return os.fstat(self.descriptor).st_size

    def keep(self) -> int:
        """Bring the file and its name to the disk; return its size."""
        os.fsync(self.descriptor)
        size = self.size()
        self.partial.rename(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return size

    def close(self) -> None:
        """Close the file, and remove it where it was not kept."""
        os.close(self.descriptor)
        self.partial.unlink(missing_ok=True)


def open_dump(directory: Path, parts: Sequence[str], now: datetime) -> DumpFile:
    """
    Create the file for a dump of *parts* (database, schema, table) made at *now* (UTC).

    Raises:
        Unavailable: the directory is not there, or the gateway may not write into it.
    """
    path = directory / dump_name(parts, now)
    partial = path.with_name(path.name + PARTIAL)
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    except OSError as error:
        raise Unavailable(
            f'the backup directory "{directory}" cannot be written: {error.strerror}. The operator '
            "creates it for the gateway's user, or corrects backup.directory "
            "(PGMCP_BACKUP_DIRECTORY)."
        ) from error
    return DumpFile(path=path, partial=partial, descriptor=descriptor)


def dump_name(parts: Sequence[str], now: datetime) -> str:
    """Return a name that sorts by time, cannot leave the directory and meets no other."""
    safe = ".".join(UNSAFE.sub("_", part)[:PART_LENGTH] for part in parts)
    return f"{safe}-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}.dump"
