"""
A Debian machine before contrib/systemd/install has run: the checkout, wheels, and tailscale.

Owns payload/opt/src and build/boot/wheels-*, kept as long as the locks stay the same.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.boot.application import EMBEDDED, PIN, PLATFORMS
from tests.boot.failure import BootRefused
from tests.boot.store import write_tailscale
from tests.boot.tree import BUILD, ROOT, programs_of, python_of
from tests.boot.units import SYSTEM

SOURCE, WHEELS = "opt/src", "opt/wheels"  # where booted_contrib.py looks for them
CHECKOUT = ("pgmcp", "contrib", "nixos", "requirements", "pyproject.toml", "README.md", "LICENSE")
LOCKS = (ROOT / "requirements/serve.txt", ROOT / "requirements/build.txt")


def write(tree: Path, payload: Path) -> None:
    """
    Take what the module's boots need out of *payload*, and put in what the installer needs.

    Raises:
        BootRefused: *tree* has no python3-venv, or pip cannot fetch the wheels.
    """
    programs_of(tree, f"python{python_of(tree)}-venv")
    shutil.rmtree(payload / "opt/pgmcp")
    for stand_in in (payload / SYSTEM).glob("postgresql*"):
        stand_in.unlink()
    wanted = payload / SYSTEM / "multi-user.target.wants"
    wanted.mkdir()
    (wanted / "tailscaled.service").symlink_to("../tailscaled.service")
    program = payload / "usr/bin/tailscale"
    program.parent.mkdir(parents=True)
    write_tailscale(program)
    ignored = shutil.ignore_patterns("__pycache__")
    for name in CHECKOUT:
        source, copied = ROOT / name, payload / SOURCE / name
        if source.is_dir():
            shutil.copytree(source, copied, ignore=ignored)
        else:
            shutil.copyfile(source, copied)
    shutil.copytree(_wheels(python_of(tree)), payload / WHEELS, copy_function=os.link)


def _wheels(version: str) -> Path:
    """Return the folder with the wheels of the locks for Python *version*."""
    pins = [match[0] for lock in LOCKS for match in PIN.finditer(lock.read_text())
            if match[1] not in EMBEDDED]  # fmt: skip
    key = f"{version} {platform.machine()} {''.join(pins)}"
    folder = BUILD / f"wheels-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    if folder.is_dir():
        return folder
    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as scratch:
        lock, fresh = Path(scratch) / "lock.txt", Path(scratch) / "fresh"
        lock.write_text("".join(pins))
        wanted = ["--implementation", "cp", "--python-version", version, "--only-binary", ":all:"]
        for name in PLATFORMS:
            wanted += ["--platform", f"{name}_{platform.machine()}"]
        locked = ["--no-deps", "--require-hashes", "--requirement", str(lock)]
        command = [sys.executable, "-m", "pip", "download", "--quiet", *wanted, *locked]
        done = subprocess.run(
            [*command, "--dest", fresh], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise BootRefused(f"pip could not fetch the wheels: {done.stderr.strip()}")
        fresh.rename(folder)
    return folder
