"""
Play the scenario against a gateway that runs somewhere.

`python -m tests.scenario URL [--era 2025-11-25|2026-07-28]`; without an era, in both.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator
from typing import get_args

from tests.scenario import play
from tests.scenario.python_client import connected, type_of_era


def main() -> int:
    """Play, and say how it went."""
    parser = argparse.ArgumentParser(prog="python -m tests.scenario", description=__doc__)
    parser.add_argument("url", help="the MCP endpoint, such as http://127.0.0.1:3000/mcp")
    parser.add_argument("--era", choices=get_args(type_of_era), help="one revision only")
    options = parser.parse_args()
    eras: tuple[type_of_era, ...] = (options.era,) if options.era else get_args(type_of_era)
    for era in eras:
        failure = asyncio.run(perform(options.url, era))
        if failure is not None:
            sys.stderr.write(f"scenario in {era} failed: {failure}\n")
            return 1
    return 0


async def perform(url: str, era: type_of_era) -> str | None:
    """Play once in *era*; return what went wrong."""
    try:
        async with connected(url, era) as caller:
            count = await play(caller, told=lambda step: print_step(era, step))
    except Exception as error:  # noqa: BLE001 — told to a person, whatever it is
        return "; ".join(str(each) or repr(each) for each in leaves(error))
    sys.stdout.write(f"scenario in {era}: {count} steps passed\n")
    return None


def leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield what is inside the groups that the client's own tasks wrap a failure in."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from leaves(each)
    else:
        yield error


def print_step(era: str, step: str) -> None:
    """Print a step that was done."""
    sys.stdout.write(f"{era}  {step.replace('_', ' ')}\n")


if __name__ == "__main__":
    sys.exit(main())
