"""
What a case comes to, as files: units, generated files, PostgreSQL's settings, and the host's rest.

Owns the form of tests/snapshots/nixos/ and the list of the sources that it was made from.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.nixos.evaluation import HERE, Evaluation
from tests.snapshots import FOLDER as SNAPSHOTS
from tests.snapshots import ROOT

FOLDER = SNAPSHOTS / "nixos"
REFUSALS = FOLDER / "refused"
CASES = sorted((HERE / "cases").glob("*.nix"))
REFUSED = sorted((HERE / "refused").glob("*.nix"))
SOURCES = FOLDER / "SOURCES.sha256"  # as `sha256sum --check` reads it from the repository's root
OPTIONS_PAGE = ROOT / "docs" / "options.md"
PACKAGING = {"docs.nix", "package.nix", "overlay.nix", "wheels.nix"}  # no part of the module

STORE = re.compile(r"/nix/store/[0-9a-z]{32}-")
PLACEHOLDER = "/nix/store/00000000000000000000000000000000-"
# The host's rest; the others of eval.sh's report are units, files and PostgreSQL.
HOST = (
    "checks",
    "etc",
    "firewall",
    "groups",
    "packages",
    "secrets",
    "tailscale",
    "tmpfiles",
    "users",
    "warnings",
)


def files_of(evaluation: Evaluation) -> dict[str, str]:
    """Return the texts of one case by their paths below its folder."""
    report = evaluation.report
    assert report["assertions"]["failed"] == []
    host = {name: report[name] for name in HOST} | {
        "restart_triggers": {
            unit: service["restartTriggers"] for unit, service in report["services"].items()
        },
    }
    texts = {
        **{f"units/{name}": text for name, text in report["units"].items()},
        **{f"store/{name}": readable(name, text) for name, text in report["files"].items()},
        "postgresql.json": written(report["postgresql"]),
        "host.json": written(host),
    }
    return {name: STORE.sub(PLACEHOLDER, text) for name, text in texts.items()}


def readable(name: str, text: str) -> str:
    """Return a generated file's text, JSON as nixpkgs would write it."""
    return written(json.loads(text)) if name.endswith(".json") else text


def refusal_of(evaluation: Evaluation) -> str:
    """Return what a person whose configuration is refused reads: assertions, else Nix' error."""
    assert evaluation.status, "nothing was refused"
    if evaluation.output:
        return "\n".join(evaluation.report["assertions"]["failed"])
    told = evaluation.errors.rpartition("error: ")[2].rstrip() + "\n"
    return STORE.sub(PLACEHOLDER, told.replace(f"{ROOT}/", ""))


def written(value: Mapping[str, Any]) -> str:  # JSON
    """Return *value* as the snapshots hold it."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def held(folder: Path) -> dict[str, str]:
    """Return the texts that *folder* holds, by their paths below it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in files}


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Make *folder* hold *files* and nothing else."""
    for old in held(folder):
        (folder / old).unlink()
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def sources() -> str:
    """Return a line for each file that the snapshots and the options page depend on."""
    module = [path for path in (ROOT / "nixos").glob("*") if path.name not in PACKAGING]
    evaluator = (ROOT / "tools" / "nix" / "eval").glob("*")
    cases = [*(HERE / "cases").rglob("*"), *REFUSED]
    files = sorted(path for path in [*module, *evaluator, *cases, OPTIONS_PAGE] if path.is_file())
    return "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(ROOT)}\n"
        for path in files
    )
