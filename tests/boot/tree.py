"""
The Debian tree that is booted: where it is, and how it is made.

Owns build/boot/tree; a tree named by PGMCP_BOOT_TREE is somebody else's and only read.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.boot.failure import BootRefused

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "boot"
BOOT = ROOT / "tools" / "nix" / "boot.sh"
PACKAGES = "jq,python3-venv"  # what the units and contrib/systemd/install run besides


def require_root() -> None:
    """
    Refuse to go on where namespaces, mounts and control groups cannot be had.

    Raises:
        BootRefused: not root.
    """
    if os.geteuid() != 0:
        raise BootRefused("needs root, because it boots a systemd. Run: sudo make boot-test")


def find_tree() -> Path:
    """
    Return a tree, made now if there is none; that takes about a minute.

    Raises:
        BootRefused: mmdebstrap is not there, or it failed.
    """
    if named := os.environ.get("PGMCP_BOOT_TREE"):
        if not (Path(named) / ".ready").is_file():
            raise BootRefused(
                f"PGMCP_BOOT_TREE names {named}, which is no finished tree. "
                f"Make it: BOOT_PACKAGES={PACKAGES} tools/nix/boot.sh root {named}"
            )
        return Path(named)
    tree = BUILD / "tree"
    if shutil.which("mmdebstrap") is None and not (tree / ".ready").is_file():
        raise BootRefused("mmdebstrap is not installed. Run: apt-get install mmdebstrap")
    environment = {**os.environ, "BOOT_PACKAGES": PACKAGES}
    made = subprocess.run([BOOT, "root", tree], env=environment, check=False)
    if made.returncode != 0:
        raise BootRefused(f"tools/nix/boot.sh could not make {tree}; its message is above.")
    return tree


def prepare_build() -> None:
    """Make the folder for everything here; build/ itself stays the checkout's owner's."""
    BUILD.mkdir(parents=True, exist_ok=True)
    owner = ROOT.stat()
    os.chown(BUILD.parent, owner.st_uid, owner.st_gid)


def python_of(tree: Path) -> str:
    """Return the version of the tree's Python, such as 3.13."""
    return (tree / "usr/bin/python3").readlink().name.removeprefix("python")


def programs_of(tree: Path, package: str) -> list[str]:
    """
    Return the paths in *tree* of the programs that one of Debian's packages brings.

    Raises:
        BootRefused: the package is not in the tree.
    """
    listing = tree / "var/lib/dpkg/info" / f"{package}.list"
    if not listing.is_file():
        raise BootRefused(
            f"the tree {tree} lacks Debian's package {package}. Remove the tree, or name another."
        )
    places = ("/usr/bin", "/bin", "/usr/sbin", "/sbin")
    lines = listing.read_text().splitlines()
    return [line for line in lines if str(Path(line).parent) in places]
