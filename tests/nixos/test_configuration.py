"""The generated file and `pgmcp check`, which the build runs on it: what passes, what does not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.nixos.snapshot import FOLDER
from tests.process import run_command

FILES = sorted(FOLDER.glob("*/store/pgmcp.json"))
TWO_LINES = json.loads((FOLDER / "two-lines" / "store" / "pgmcp.json").read_text())
WRONG = [
    pytest.param({"limits": {"max_rows": 0}}, "limits.max_rows: 0 is below 1.", id="limit"),
    pytest.param({"limts": {"max_rows": 9}}, "limts: no such setting. Known here:", id="section"),
    pytest.param(
        {"access": [{"who": ["ana"], "permissions": "read"}]},
        "access rule 1: who: 'ana' is nobody. Write a login such as ana@example.com, ",
        id="nobody",
    ),
    pytest.param(
        {"access": [{"who": ["*"], "permissions": "read", "timeout": "soon"}]},
        "access rule 1: timeout: 'soon' is no duration. Write seconds, such as 30, ",
        id="duration",
    ),
    pytest.param(
        {"identity": {"capability": "pgmcp"}},
        "identity.capability: 'pgmcp' is no capability. Write a domain of yours, ",
        id="capability",
    ),
    pytest.param({"log_level": "loud"}, "log_level: 'loud' is not known. Write ", id="log level"),
]


def case_of(path: Path) -> str:
    return path.parents[1].name


@pytest.mark.parametrize("path", FILES, ids=case_of)
def test_generated_file_passes_the_check_of_the_build(path: Path) -> None:
    """No credential is there yet, no server, and nothing of the environment helps."""
    done = run_command(["check", "--config", str(path)], {})

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("ok: PostgreSQL at ")
    assert done.stdout.endswith("listening on the sockets that systemd hands over\n")


@pytest.mark.parametrize("path", FILES, ids=case_of)
def test_build_checks_the_file_that_the_service_reads(path: Path) -> None:
    folder = path.parents[1]
    service = (folder / "units" / "pgmcp.service").read_text()
    checks = json.loads((folder / "host.json").read_text())["checks"]
    (served,) = [line for line in service.splitlines() if line.startswith("ExecStart=")]

    (check,) = [each for each in checks if " --config " in each]

    assert check.removesuffix(' | tee "$out"\n') == served.removeprefix("ExecStart=").replace(
        " serve ", " check "
    )


@pytest.mark.parametrize(("change", "sentence"), WRONG)
def test_wrong_value_stops_the_build(
    tmp_path: Path, change: Mapping[str, object], sentence: str
) -> None:
    """What Nix' types can't know, the program itself says."""
    path = tmp_path / "pgmcp.json"
    path.write_text(json.dumps({**TWO_LINES, **change}))

    done = run_command(["check", "--config", str(path)], {})

    assert done.returncode == 1
    assert done.stderr.startswith(f"pgmcp: {sentence}")
