"""
The store paths that the units name: generated files as they are, packages as Debian's programs.

Owns payload/nix/store. A package has only its own programs, so that a PATH that lacks one shows.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.boot.failure import BootRefused
from tests.boot.tree import programs_of

FILES = Path(__file__).with_name("files")
# What stands for every hash in the snapshots.
NAMED = re.compile(r"/nix/store/(0{32}-[0-9A-Za-z+._?=-]+)")
VERSION = re.compile(r"-\d[\w.]*$")
POSTGRESQL = "/usr/lib/postgresql/17/bin"
# nixpkgs' name → Debian's.
PACKAGES = {
    "bash": "bash",
    "coreutils": "coreutils",
    "findutils": "findutils",
    "gnugrep": "grep",
    "gnused": "sed",
    "jq": "jq",
    "systemd": "systemd",
    "util-linux": "util-linux",
}


def write_store(tree: Path, payload: Path, snapshot: Path) -> None:
    """
    Write what the units of *snapshot* and its generated files name.

    Raises:
        BootRefused: a package that nothing stands for.
    """
    generated = sorted((snapshot / "store").glob("*"))
    texts = [path.read_text() for path in [*(snapshot / "units").iterdir(), *generated]]
    store = payload / "nix/store"
    store.mkdir(parents=True)
    for path in generated:
        copied = store / f"{'0' * 32}-{path.name}"
        shutil.copyfile(path, copied)
        copied.chmod(0o555)
    for name in sorted({found for text in texts for found in NAMED.findall(text)}):
        if not (store / name).exists():
            _write_package(tree, store / name)


def write_tailscale(program: Path) -> None:
    """Write the stand-in for the `tailscale` program."""
    program.write_text("#!/usr/bin/python3 -I\n" + (FILES / "tailscale.py").read_text())
    program.chmod(0o755)


def _write_package(tree: Path, path: Path) -> None:
    package = VERSION.sub("", path.name.partition("-")[2])
    programs = path / "bin"
    if package == "postgresql":
        path.mkdir()
        programs.symlink_to(POSTGRESQL)
        return
    programs.mkdir(parents=True)
    if package == "tailscale":
        write_tailscale(programs / "tailscale")
    elif package in PACKAGES:
        for program in programs_of(tree, PACKAGES[package]):
            (programs / Path(program).name).symlink_to(program)
    else:
        raise BootRefused(
            f"nothing stands for {path.name}, which the units name. Add it to tests/boot/store.py."
        )
