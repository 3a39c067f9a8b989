"""
Boot, run the tests inside, and print each by its name.

`python -m tests.boot [BOOT…] [-- pytest's arguments]`; without names every boot.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.boot.boots import BOOTS, Boot
from tests.boot.failure import BootRefused
from tests.boot.payload import build
from tests.boot.tree import BOOT, ROOT, find_tree, prepare_build, require_root

INSIDE = "tests/boot/inside/booted_{}.py"
LIMIT = "240"  # seconds for the tests of one boot
NOT_HERE = """\
boot-test: not tried here: NixOS' own kernel, boot and activation, agenix (its file is written by
boot-test: the test), a real tailscaled (a stand-in speaks its words), aarch64 on x86_64.
"""


def main() -> int:
    """Run, and return 0 only if every test of every boot passed."""
    names = [boot.name for boot in BOOTS]
    parser = argparse.ArgumentParser(prog="python -m tests.boot", description=__doc__)
    parser.add_argument("boots", nargs="*", metavar="BOOT", help=", ".join(names))
    parser.add_argument("--snapshots", type=Path, default=ROOT / "tests/snapshots/nixos")
    given, _, rest = " ".join(sys.argv[1:]).partition(" -- ")
    parser.add_argument("--part", action="append", help="only this file of inside/ (repeatable)")
    options = parser.parse_args(given.split())
    if unknown := set(options.boots) - set(names):
        parser.error(f"no such boot: {', '.join(unknown)}. There are: {', '.join(names)}")
    try:
        require_root()
        prepare_build()
        tree = find_tree()
        chosen = [boot for boot in BOOTS if not options.boots or boot.name in options.boots]
        payloads = [_build(tree, boot, options.snapshots) for boot in chosen]
    except BootRefused as error:
        sys.stderr.write(f"boot-test: {error}\n")
        return 1
    # Two at once: each waits for systemd most of its time. One alone shows its tests as they go.
    with ThreadPoolExecutor(max_workers=2) as boots:
        run = partial(_run, tree, options.part or [], rest, is_alone=len(chosen) == 1)
        done = list(boots.map(run, chosen, payloads))
    failed = [boot.name for boot, passed in zip(chosen, done, strict=True) if not passed]
    told = f"failed in {', '.join(failed)}" if failed else "every test passed"
    sys.stdout.write(NOT_HERE + _limits() + f"boot-test: {len(chosen)} boots, {told}\n")
    return 1 if failed else 0


def _limits() -> str:
    """Say whether memory is limited here: not where the controller is one of control groups v1."""
    places = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified"))
    found = [place / "cgroup.controllers" for place in places]
    texts = [file.read_text() for file in found if file.is_file()]
    if any("memory" in text.split() for text in texts):
        return ""
    return "boot-test: MemoryMax= limits nothing on this machine: its controller is of cgroup v1\n"


def _build(tree: Path, boot: Boot, snapshots: Path) -> Path:
    if not (snapshots / boot.snapshot).is_dir():
        raise BootRefused(
            f"no evaluated units in {snapshots / boot.snapshot}. Run: make nix-snapshots"
        )
    return build(tree, boot, snapshots)


def _run(  # noqa: PLR0913 — how all boots run, and which one
    tree: Path, only: Sequence[str], more: str, boot: Boot, payload: Path, *, is_alone: bool
) -> bool:
    began = time.monotonic()
    parts = " ".join(INSIDE.format(part) for part in only or boot.parts)
    title = f"==> boot {boot.name}: {boot.title}\n"
    if is_alone:
        sys.stdout.write(title)
        sys.stdout.flush()
    done = subprocess.run(
        [str(BOOT), "ns", str(tree), str(payload), f"/opt/boot/run {parts} {more}"],
        env={"BOOT_LIMIT": LIMIT, **os.environ},
        stdout=None if is_alone else subprocess.PIPE,
        stderr=None if is_alone else subprocess.STDOUT,
        check=False,
    )
    said = "" if is_alone else title + done.stdout.decode(errors="replace")
    sys.stdout.write(f"{said}<== boot {boot.name}: {time.monotonic() - began:.0f} s\n")
    sys.stdout.flush()
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
