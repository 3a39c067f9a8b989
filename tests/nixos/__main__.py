"""
Evaluate the NixOS module and hold what comes of it: `make nix-check`.

`python -m tests.nixos [pytest's arguments]` checks; `python -m tests.nixos write` writes the
snapshots and docs/options.md anew. From the environment, each a folder:

    NIXPKGS_LIB     nix-community/nixpkgs.lib: evaluates with typed stand-ins for NixOS' options
    NIXPKGS         a whole nixpkgs, which serves as NIXPKGS_LIB and as NIXOS_TREE
    AGENIX          ryantm/agenix: its real module, else a stand-in for its options
    NIXOS_TREE      a tree with NixOS' own modules, and NIXOS_TREE_LIB a lib about as old as it
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.nixos import snapshot
from tests.nixos.evaluation import (
    HERE,
    OWN_NIX,
    TOOLS,
    Nix,
    find_nix,
    find_programs,
    run,
)
from tests.snapshots import contrib

GET_LIMIT = 600.0  # seconds; the download decides


def main() -> int:
    """Get Nix, say what is used, and check or write."""
    arguments = sys.argv[1:]
    if find_programs() is None:
        get_nix()
    found = find_nix()
    introduce(found)
    if arguments[:1] == ["write"]:
        return write(found)
    return int(pytest.main(["--verbose", str(HERE), *arguments]))


def get_nix() -> None:
    """Make build/nix out of Debian's packages, or say why it can't be."""
    getting = [TOOLS / "get-nix.sh", OWN_NIX]
    try:
        done = subprocess.run(
            getting, capture_output=True, text=True, timeout=GET_LIMIT, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        say(f"tools/nix/get-nix.sh could not run: {error}")
        return
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2]
        say(f"no Nix: it is not on PATH, and Debian's packages could not be had ({last})")


def introduce(found: Nix | str) -> None:
    """Print what this run uses, and what it can't do."""
    programs = find_programs()
    if programs:
        say(f"{run(programs, 'nix', '--version').strip()} of {programs}")
    if isinstance(found, str):
        say(found)
        return
    say(f"lib: {found.lib}")
    say(f"agenix: {found.agenix or 'a stand-in for its options, because AGENIX is not set'}")
    say(f"NixOS' own modules: {found.tree or 'not used, because NIXOS_TREE is not set'}")


def write(found: Nix | str) -> int:
    """Write every snapshot and the options page."""
    if isinstance(found, str):
        say("nothing was written")
        return 1
    for case in snapshot.CASES:
        snapshot.write(snapshot.FOLDER / case.stem, snapshot.files_of(found.evaluate(case)))
    refusals = {
        f"{case.stem}.txt": snapshot.refusal_of(found.evaluate(case)) for case in snapshot.REFUSED
    }
    snapshot.write(snapshot.REFUSALS, refusals)
    snapshot.OPTIONS_PAGE.write_text(found.options_page())
    snapshot.SOURCES.write_text(snapshot.sources())
    contrib.write_all()
    say(f"wrote {len(snapshot.CASES)} cases, {len(refusals)} refusals and docs/options.md")
    return 0


def say(text: str) -> None:
    """Print one line at once, before pytest's."""
    sys.stdout.write(f"nix-check: {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
