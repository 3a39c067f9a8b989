"""
The program pg_dump: found, asked its version, run, and ended when nobody wants its work.

Owns the process; credentials reach it by its environment only, never by its arguments.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

from pgmcp.errors import Unavailable

VERSION = re.compile(rb"\(PostgreSQL\) (\d+)")
VERSION_LIMIT = 10.0  # seconds
END_LIMIT = 5.0  # seconds from the polite signal to the other one
WORDS_KEPT = 4000  # bytes of what pg_dump complained about


async def find_pg_dump(program: str, server_major: int) -> str:
    """
    Return the path of *program* (the setting backup.pg_dump) that can dump the server.

    Raises:
        Unavailable: it is not there, does not run, or is older than the server.
    """
    path = shutil.which(program)
    remedy = (
        f"The operator installs PostgreSQL {server_major}'s client programs "
        f"(Debian: postgresql-client-{server_major}), or sets backup.pg_dump to their pg_dump."
    )
    if path is None:
        raise Unavailable(f'the program "{program}" was not found, so nothing was dumped. {remedy}')
    major = await _major(path)
    if major is None:
        raise Unavailable(f'"{path} --version" does not answer like pg_dump. {remedy}')
    if major < server_major:
        raise Unavailable(
            f"pg_dump {major} ({path}) is older than the server, PostgreSQL {server_major}, and "
            f"refuses to dump it. {remedy}"
        )
    return path


async def _major(path: str) -> int | None:
    try:
        async with started([path, "--version"], {}, stdout=PIPE) as process:
            async with asyncio.timeout(VERSION_LIMIT):
                shown, _ = await process.communicate()
    except (OSError, TimeoutError):
        return None
    found = VERSION.search(shown)
    return int(found[1]) if found else None


async def run_pg_dump(
    arguments: Sequence[str], environment: Mapping[str, str], *, descriptor: int
) -> None:
    """
    Run pg_dump with its output going to *descriptor*.

    Raises:
        Unavailable: it failed; has its own words.
    """
    async with started(arguments, environment, stdout=descriptor) as process:
        words = await _last_words(process)
        code = await process.wait()
    if code != 0:
        raise Unavailable(
            f"pg_dump failed (exit {code}), nothing was kept. It says: {words or 'nothing'}."
        )


async def _last_words(process: Process) -> str:
    """Read standard error to its end and keep the last of it on one line."""
    kept = b""
    if process.stderr is not None:
        while chunk := await process.stderr.read(WORDS_KEPT):
            kept = (kept + chunk)[-WORDS_KEPT:]
    return " ".join(kept.decode(errors="replace").split()).rstrip(".")


@asynccontextmanager
async def started(
    arguments: Sequence[str], environment: Mapping[str, str], *, stdout: int
) -> AsyncIterator[Process]:
    """Run a program for the length of the block; whatever ends the block ends the program."""
    process = await asyncio.create_subprocess_exec(
        *arguments,
        stdin=DEVNULL,
        stdout=stdout,
        stderr=PIPE,
        cwd="/",
        env={"PATH": os.defpath, "LC_ALL": "C", **environment},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            await asyncio.shield(asyncio.ensure_future(_end(process)))


async def _end(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
        try:
            async with asyncio.timeout(END_LIMIT):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
