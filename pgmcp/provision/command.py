"""
The command `pgmcp provision`: what its flags mean together.

Owns refusing flags that contradict each other; `server` and `script` do the work.
"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from pgmcp.errors import CallerError
from pgmcp.provision.script import write_script
from pgmcp.provision.server import provision
from pgmcp.provision.step import Options
from pgmcp.settings import Settings


async def run(settings: Settings, passfile: Path, flags: Namespace) -> tuple[list[str], int]:
    """
    Run the command; return the lines to print and the exit status.

    The status is 1 where something could not be done, so that a timer's unit fails visibly.

    Raises:
        PgmcpError: nothing was done at all.
    """
    options = Options(
        databases=tuple(flags.database or ()),
        excepted=tuple(flags.excepted or ()),
        read_all=flags.read_all,
        superuser_admin=flags.superuser_admin,
        rotate=flags.rotate,
        peer=flags.peer,
    )
    if options.read_all and options.excepted:
        raise CallerError(
            "--read-all opens every table, so --except could keep none closed. Give one of them."
        )
    if options.peer is not None and options.rotate:
        raise CallerError("--peer means no passwords, so --rotate has none. Give one of them.")
    if flags.dry_run:
        return await write_script(settings, options), 0
    outcome = await provision(settings, passfile, options)
    return outcome.lines(), outcome.status
