"""
Node and the packages of one folder, installed from its lock file.

Owns the folder's node_modules; never installs anything outside it.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

INSTALL_SECONDS = 180  # the Node binary alone is some 40 MB to fetch
ANSWER_SECONDS = 10  # for `node --version`

NPM_MISSING = (
    "npm is not on PATH: the conformance suite and the TypeScript client are npm packages. "
    "Install it (Debian, Ubuntu: apt-get install npm) and run this again."
)


class NodeMissing(Exception):
    """Node or its packages can't be had here; the message says how to get them."""


def install(folder: Path, *, at_least: int) -> Path:
    """
    Install what *folder*'s lock file names, unless it is there, and return a Node to run it with.

    A Node from the lock file is preferred to the machine's own, which must be of major version
    *at_least*. Only Linux has one in the lock.

    Raises:
        NodeMissing: no npm, a failed installation, or no Node that is new enough.
    """
    lock = folder / "package-lock.json"
    installed = folder / "node_modules"
    stamp = installed / ".installed-from"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != digest:
        run_npm(folder)
        stamp.write_text(digest)
    return choose(installed, at_least=at_least)


def run_npm(folder: Path) -> None:
    """Run `npm ci` in *folder*; packages' own install scripts do not run."""
    npm = shutil.which("npm")
    if npm is None:
        raise NodeMissing(NPM_MISSING)
    # loglevel error: npm warns of a Node older than the packages want, and ours comes with them.
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        message = f"npm ci in {folder} took longer than {INSTALL_SECONDS} s. Try again."
        raise NodeMissing(message) from error
    if done.returncode:
        raise NodeMissing(
            f"npm ci in {folder} failed: {done.stderr.strip() or done.stdout.strip()}"
        )


def choose(installed: Path, *, at_least: int) -> Path:
    """Return the Node below *installed*, else PATH's when it is new enough."""
    found = [installed / ".bin" / "node", *map(Path, filter(None, [shutil.which("node")]))]
    for candidate in found:
        if candidate.exists() and major_version(candidate) >= at_least:
            return candidate
    raise NodeMissing(f"no Node of version {at_least} or newer is on PATH. Install one.")


def major_version(node: Path) -> int:
    """Return *node*'s major version, 0 when it does not run."""
    try:
        done = subprocess.run(
            [node, "--version"], capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False
        )
    except OSError:
        return 0
    return int(done.stdout.removeprefix("v").partition(".")[0] or 0)
