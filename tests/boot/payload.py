"""
The folder that boot.sh copies over the tree: the module's units, and all they need to run.

Owns build/boot/payload-*; made anew for every boot.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.boot import application, debian, postgresql, store, units
from tests.boot.boots import Boot
from tests.boot.tree import BUILD, ROOT
from tests.tailnet import FQDN

TESTS = "opt/boot/tests"
# What the tests inside use of the repository's other tests.
SHARED = ("scenario", "tailnet.py", "wire.py")
FIRST_GROUP, FIRST_PERSON = 900, 2000  # numbers that Debian's accounts leave free
PEOPLE = ("member", "stranger")  # the first may call as `local`
RUNNER = """#!/bin/sh
# Waits for the boot to end and runs the parts that are named, as root.
export PYTHONPATH=/opt/boot:/opt/boot/lib:/opt/pgmcp/lib PYTHONDONTWRITEBYTECODE=1
timeout 60 systemctl is-system-running --wait >/dev/null
cd /opt/boot && exec python3 -m pytest -c pytest.ini --rootdir /opt/boot "$@"
"""
PYTEST = """[pytest]
python_files = booted_*.py
pythonpath = .
addopts = -p no:cacheprovider --import-mode=importlib --strict-config -v --tb=short
asyncio_mode = auto
asyncio_default_fixture_loop_scope = session
asyncio_default_test_loop_scope = session
filterwarnings = error
"""


def build(tree: Path, boot: Boot, snapshots: Path) -> Path:
    """Return the folder for *boot*; *snapshots* has a folder for every evaluation."""
    payload = BUILD / f"payload-{boot.name}"
    snapshot = snapshots / boot.snapshot
    shutil.rmtree(payload, ignore_errors=True)
    shutil.copytree(store.FILES / "etc", payload / "etc")
    application.install(tree, payload)
    _write_tests(payload)
    if boot.is_debian:
        debian.write(tree, payload)
        _write_host(tree, payload, {"groups": [], "etc": {}})
    else:
        store.write_store(tree, payload, snapshot)
        postgresql.configure(payload, snapshot)
        _write_host(tree, payload, json.loads((snapshot / "host.json").read_text()))
        units.write_units(payload, snapshot)
    _write_files(payload, boot)
    _open(payload)
    return payload


def _write_tests(payload: Path) -> None:
    place = payload / TESTS
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "tests/boot/inside", place / "boot/inside", ignore=ignored)
    for name in SHARED:
        source = ROOT / "tests" / name
        if source.is_dir():
            shutil.copytree(source, place / name, ignore=ignored)
        else:
            shutil.copyfile(source, place / name)
    (payload / "opt/boot/pytest.ini").write_text(PYTEST)
    shutil.copyfile(store.FILES / "tailscaled.py", payload / "opt/boot/tailscaled.py")
    runner = payload / "opt/boot/run"
    runner.write_text(RUNNER)
    runner.chmod(0o755)


def _write_host(tree: Path, payload: Path, host: Mapping[str, Any]) -> None:  # Any: JSON
    """Add the module's groups and the tests' people to Debian's, and what it puts into /etc."""
    accounts = (tree / "etc/passwd").read_text()
    groups = (tree / "etc/group").read_text()
    for number, group in enumerate(host["groups"], start=FIRST_GROUP):
        groups += f"{group}:x:{number}:{PEOPLE[0]}\n"
    for number, person in enumerate(PEOPLE, start=FIRST_PERSON):
        accounts += f"{person}:x:{number}:{number}::/home/{person}:/bin/sh\n"
        groups += f"{person}:x:{number}:\n"
        (payload / "home" / person).mkdir(parents=True)
    (payload / "etc/passwd").write_text(accounts)
    (payload / "etc/group").write_text(groups)
    (payload / "etc/hosts").write_text(f"127.0.0.1 localhost {FQDN}\n")
    for name, target in host["etc"].items():
        (payload / "etc" / name).symlink_to(target)


def _write_files(payload: Path, boot: Boot) -> None:
    for path, text in boot.files.items():
        written = payload / path
        written.parent.mkdir(parents=True, exist_ok=True)
        written.write_text(text)


def _open(payload: Path) -> None:
    """Let everybody read what is in the tree, whatever the umask was here."""
    for folder, names, files in os.walk(payload):
        for name in (*names, *files):
            path = Path(folder) / name
            mode = path.lstat().st_mode
            if not stat.S_ISLNK(mode) and mode & 0o044 != 0o044:
                path.chmod(mode | 0o644 | (0o111 if stat.S_ISDIR(mode) else 0))
