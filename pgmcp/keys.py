"""
API keys: made here once, kept as SHA-256, found in constant time.

Owns the file's form and what was read of it; never keeps or logs a key.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pgmcp.errors import CallerError
from pgmcp.settings import Identity

log = logging.getLogger("pgmcp.keys")
KEY_BYTES = 32
PREFIX = "pgmcp_"  # what secret scanners look for
KEY = re.compile(PREFIX + r"[A-Za-z0-9_-]{43}")
NAME = re.compile(r"[A-Za-z0-9._-]{1,63}")
LINE = re.compile(rf"({NAME.pattern}) ([0-9a-fA-F]{{64}})")

Equal = Callable[[bytes, bytes], bool]
Stamp = tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """Know a key by its name and the SHA-256 of its text."""

    name: str
    digest: bytes


def new_key(name: str) -> tuple[str, str]:
    """
    Make a key; return it and the line to store.

    Raises:
        CallerError: *name* would not fit into the line.
    """
    if not NAME.fullmatch(name):
        raise CallerError(
            f"{name!r} is no name of a key. Write 1 to 63 letters, digits, dots, hyphens and "
            "underscores."
        )
    key = PREFIX + secrets.token_urlsafe(KEY_BYTES)
    return key, f"{name} {_digest(key).hex()}"


def parse(text: str, source: object) -> tuple[Key, ...]:
    """
    Return the keys in *text*: a name and a digest on each line; # begins a comment.

    Raises:
        CallerError: a line is malformed or repeats one; names it.
    """
    keys: list[Key] = []
    for number, line in enumerate(text.splitlines(), start=1):
        parts = line.partition("#")[0].split()
        if not parts:
            continue
        found = LINE.fullmatch(" ".join(parts))
        if found is None:
            raise CallerError(
                f"the API keys in {source} have a malformed line {number}. Write NAME and the "
                "SHA-256 in 64 hexadecimal digits, as pgmcp key new prints them."
            )
        key = Key(name=found[1], digest=bytes.fromhex(found[2]))
        if any(key.name == other.name or key.digest == other.digest for other in keys):
            raise CallerError(
                f"the API keys in {source} repeat a name or a digest in line {number}. Give each "
                "key a name of its own."
            )
        keys.append(key)
    return tuple(keys)


def find(keys: Sequence[Key], key: str, equal: Equal = hmac.compare_digest) -> str | None:
    """
    Return the name of *key*.

    Every stored digest is compared, whichever fits: neither how much of a digest is right nor the
    place of a key in the file shows in the time. Digests are of equal length, as *equal* needs.
    """
    digest = _digest(key)
    name = None
    for each in keys:
        if equal(each.digest, digest):
            name = each.name
    return name


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


class KeyStore:
    """Hold the keys of one file, and read it again when it has changed."""

    def __init__(self, identity: Identity) -> None:
        """
        Read the keys for the first time.

        Raises:
            CallerError: the file cannot be read, or a line is malformed.
        """
        if identity.keys_credential is not None:
            name = identity.keys_credential
            raise CallerError(
                f"identity.keys_credential names {name!r}, which systemd did not hand over. Add "
                f"LoadCredential={name}:FILE to the unit."
            )
        self._path = identity.keys_file
        self._stamp: Stamp | None = None
        self._keys: tuple[Key, ...] = ()
        if self._path is not None:
            self._keys = self._read(self._path)

    def name_of(self, key: str) -> str | None:
        """Return the name under which *key* is stored, or None."""
        self._refresh()
        return find(self._keys, key) if KEY.fullmatch(key) else None

    def _refresh(self) -> None:
        if self._path is None or _stamp(self._path) == self._stamp:
            return
        try:
            self._keys = self._read(self._path)
        except CallerError as error:
            # A slip of the editor must not lock everybody out; an empty file would.
            log.warning("the keys read before still count: %s", error.message)
        else:
            log.info("read %d API keys from %s", len(self._keys), self._path)

    def _read(self, path: Path) -> tuple[Key, ...]:
        # Taken before reading: a change meanwhile is then seen as one.
        self._stamp = _stamp(path)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8"
            raise CallerError(
                f"cannot read the API keys {path}: {reason}. Let the gateway's user read it, or "
                "name another in identity.keys_file."
            ) from error
        return parse(text, path)


def _stamp(path: Path) -> Stamp | None:
    """Return what changes with a file's content or place; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_size
