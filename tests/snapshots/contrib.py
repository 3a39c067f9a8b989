"""
The units of contrib/systemd, made of those that the NixOS module evaluates to.

Owns what differs between NixOS and Debian: paths, and the name of PostgreSQL's unit. Reasons come
from the comments in nixos/, so that they stay with what they are about.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.snapshots import FOLDER, ROOT

PLACE = ROOT / "contrib" / "systemd"
CASE = "default"  # the evaluation whose units are shipped
STORE = r"/nix/store/[^/\s]+?"
# Where things are on Debian, in this order; what is left of the store afterwards is an error.
PLACES = (
    (re.compile(rf"{STORE}-pgmcp\.json"), "/etc/pgmcp/pgmcp.toml"),
    (
        re.compile(rf"{STORE}-(tailscale-serve|backup|backup-directory|credentials)\.sh"),
        r"/usr/local/lib/pgmcp/\1.sh",
    ),
    (re.compile(rf"{STORE}-pgmcp-[^/\s]+/bin/"), "/opt/pgmcp/bin/"),
    (re.compile(rf"{STORE}-bash-[^/\s]+/bin/(?:ba)?sh"), "/bin/sh"),
    (re.compile(rf"{STORE}-coreutils-[^/\s]+/bin/"), "/usr/bin/"),
    (re.compile(r"\bpostgresql\.target\b"), "postgresql.service"),
    # Units of NixOS alone.
    (re.compile(r" tailscaled-(?:autoconnect|set)\.service\b"), ""),
)
# The first finds packages in the store; on Debian people make their databases themselves; the
# others are NixOS' own.
FOREIGN = re.compile(
    r'^Environment="?(?:PATH|LOCALE_ARCHIVE|TZDIR)=.*\n|^ExecStartPre=.*create-database.*\n'
    r"|^\[Unit\]\n(?=\[Unit\])",
    re.MULTILINE,
)
SECTION = re.compile(r"^\[(\w+)\]\n((?:(?!\[).*\n?)*)", re.MULTILINE)
# Comment lines, what they are about, and its value where it is a plain one.
REASON = re.compile(r"((?:^ *# .*\n)+)^ *([\w.-]+) =(?: \{\n *(\w+) =)? ?(.*)$", re.MULTILINE)
PLAIN = re.compile(r'"?([\w ./-]*)"?;')
UNIT = re.compile(r"systemd\.(service|socket|timer)s\.(\S+)")
WORDS = {"wants": "Wants", "after": "After"}
SOURCES = {"tailscale": "tailscale.nix", "backup": "backup.nix"}
# What is true of Debian alone.
OLD_SYSTEMD = """\
# Debian 12's systemd (252) warns that it knows neither this one nor RestartSteps, and then waits
# RestartSec each time.
"""
HEAD = """\
# Made from the NixOS module in nixos/ by `make snapshots`. Change it by a drop-in, which stays:
# systemctl edit {name}
"""
SANDBOX = "# The sandbox: no network, no capability, nothing to write but what is named above.\n"

Reasons = Mapping[tuple[str, str | None], str]


def files(snapshots: Path = FOLDER / "nixos") -> dict[str, str]:
    """Return every generated file of contrib/systemd by its name."""
    units = {
        path.name: path.read_text() for path in sorted((snapshots / CASE / "units").glob("pgmcp*"))
    }
    written = {name: unit(name, text) for name, text in units.items()}
    postgresql = json.loads((snapshots / CASE / "postgresql.json").read_text())
    group = re.search(r"^SocketGroup=(.+)$", units["pgmcp-local.socket"], re.MULTILINE)
    assert group is not None
    return {
        **written,
        "pg_hba.conf": postgresql["authentication"],
        "pg_ident.conf": postgresql["identMap"],
        "pgmcp.sysusers": f"# Who may call through /run/pgmcp-local.sock.\ng {group[1]} -\n",
    }


def write_all() -> int:
    """Write them, and return how many there are."""
    for name, text in files().items():
        (PLACE / name).write_text(text)
    return len(files())


def unit(name: str, text: str) -> str:
    """
    Return the text of one unit for Debian.

    Raises:
        ValueError: it names something of the store that Debian has nowhere.
    """
    text = FOREIGN.sub("", text)
    for pattern, place in PLACES:
        text = pattern.sub(place, text)
    if "/nix/store" in text:
        raise ValueError(f"{name} names a path of the store that tests/snapshots/contrib.py lacks")
    reasons: dict[tuple[str, str | None], str] = {
        ("RestartMaxDelaySec", None): OLD_SYSTEMD,
        **dict(_reasons(name)),
    }
    head = HEAD.format(name=name) + reasons.pop((name, None), "")
    return head + "".join(
        f"\n[{section}]\n{_section(body, reasons)}" for section, body in SECTION.findall(text)
    )


def _section(body: str, reasons: dict[tuple[str, str | None], str]) -> str:
    """Put reasons above their lines, and the sandbox below all that makes the unit what it is."""
    hardening = _hardening()
    own: list[str] = []
    sandbox: list[str] = []
    for line in filter(None, body.splitlines()):
        key, _, value = line.partition("=")
        reason = reasons.pop((key, value), "") or reasons.pop((key, None), "")
        is_sandbox = f"{key}={value}" in hardening
        (sandbox if is_sandbox else own).append(f"{reason}{line}\n")
    return "".join(own) + (SANDBOX + "".join(sandbox) if sandbox else "")


def _hardening() -> set[str]:
    """Return the lines of nixos/hardening.nix as a unit has them."""
    text = (ROOT / "nixos" / "hardening.nix").read_text()
    single = {
        f"{key}={value}"
        for key, value in re.findall(r'^  (\w+) = "?([^"\[]*?)"?;', text, re.MULTILINE)
    }
    listed = re.findall(r'^    "(.*)"$', text, re.MULTILINE)
    return single | {f"SystemCallFilter={value}" for value in listed}


def _reasons(name: str) -> Iterator[tuple[tuple[str, str | None], str]]:
    """Yield the comments of the module about this unit, by key and by value where it is plain."""
    source = next((file for word, file in SOURCES.items() if word in name), "service.nix")
    for file in ("hardening.nix", source):
        text = (ROOT / "nixos" / file).read_text()
        for comment, about, first, value in REASON.findall(text):
            lines = re.sub(r"^ +", "", comment, flags=re.MULTILINE)
            if found := UNIT.fullmatch(about):
                yield (f"{found[2]}.{found[1]}", None), lines
                continue
            key = first or WORDS.get(about, about)
            plain = PLAIN.fullmatch(value)
            yield (key, plain[1] if plain else None), lines
