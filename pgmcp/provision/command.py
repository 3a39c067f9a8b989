"""
The command `pgmcp provision`: what its flags mean together.

Owns refusing flags that contradict each other; `server` and `script` do the work.
"""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path

from pgmcp.errors import CallerError
from pgmcp.provision.script import write_script
from pgmcp.provision.server import provision
from pgmcp.provision.step import options_of
from pgmcp.settings import Settings


async def run(settings: Settings, passfile: Path, flags: Namespace) -> tuple[list[str], int]:
    """
    Run the command; return the lines to print and the exit status.

    What the flags --except, --read-all, --superuser-admin and --peer say is in *settings* already.

    The status is 1 where something could not be done, so that a timer's unit fails visibly.

    Raises:
        PgmcpError: nothing was done at all.
    """
    options = replace(
        options_of(settings), databases=tuple(flags.database or ()), rotate=flags.rotate
    )
    if options.peer is not None and options.rotate:
        raise CallerError(
            f"{options.peer} logs in without passwords (provision.peer or --peer), so --rotate has "
            "none to change. Give --no-peer as well, or leave --rotate out."
        )
    if flags.dry_run:
        return await write_script(settings, options), 0
    outcome = await provision(settings, passfile, options)
    return outcome.lines(), outcome.status
