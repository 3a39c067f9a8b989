"""Every sentence that the code can say to a caller is in a snapshot, or it is said why not."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.snapshots import ERRORS, ROOT

PACKAGE = ROOT / "pgmcp"
CLASSES = frozenset(
    {
        "CallerError",
        "AccessDenied",
        "Retryable",
        "Unavailable",
        "ConfirmationNeeded",
        "Declined",
        "HandleUnknown",
        "StatementTimeout",
        "ConnectionLost",
        "StalePlan",
        "Busy",
    }
)
FROZEN = "needs a server that stops in the middle: tests/integration/test_faults_*.py"
RACE = "needs something to vanish between two statements"
DEFENCE = "a check in front of it answers first"
OLDER = "needs another version of PostgreSQL or of pg_dump"
HANDED = "needs descriptors of systemd: tests/integration/test_listeners_systemd.py"
PEER = "needs other lines of pg_hba.conf: tests/integration/test_provision_hba.py"
ADMIN = "tests/integration/test_admin_*.py and test_backup*.py look at it"
# The beginning of a sentence, and why no snapshot has it.
WITHOUT = {
    "the socket … that systemd handed over is not of its sort": HANDED,
    "PostgreSQL's answer could not be read": DEFENCE,
    "PostgreSQL at … is not ready": FROZEN,
    "PostgreSQL gave no answer": FROZEN,
    'PostgreSQL refused the login role … in database "…": …. In pg_hba.conf': PEER,
    "the connection to PostgreSQL was lost": FROZEN,
    "PostgreSQL did not answer the rollback": FROZEN,
    "a table changed since the statement was prepared": RACE,
    "a value is not valid UTF-8": DEFENCE,
    "a name or text holds a NUL": DEFENCE,
    "… holds a NUL at character": DEFENCE,
    "…: … holds a NUL": DEFENCE,
    "the session with pid": RACE,
    "… … was dropped while it was described": RACE,
    "the MCP session has ended": RACE,
    'attributes: "CREATEROLE"': OLDER,
    "privileges: … exists from": OLDER,
    "pg_dump … (…) is older": OLDER,
    "… in database": OLDER,
    "… lives in schema": ADMIN,
    "… is not loaded": ADMIN,
    "nothing was changed on": ADMIN,
    "nothing was reloaded": ADMIN,
    '"…" is still in': ADMIN,
    "… would skip": ADMIN,
    "pg_dump was ended": ADMIN,
    "pg_dump failed": ADMIN,
    "the backup directory": ADMIN,
    'name: "…" is no name of a setting': DEFENCE,
}


def parts_of(node: ast.expr) -> list[str | None]:
    """Return a text's constant parts, None for what is filled in."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.JoinedStr):
        return [part for value in node.values for part in parts_of(value)]
    if isinstance(node, ast.BinOp):
        return [*parts_of(node.left), *parts_of(node.right)]
    return [None]


def sentences() -> Iterator[tuple[Path, list[str | None]]]:
    """Yield every sentence with which the code raises or returns an error of ours."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in CLASSES and node.args:
                yield path, parts_of(node.args[0])


def shown(parts: list[str | None]) -> str:
    """Return a sentence with … for what is filled in."""
    return "".join("…" if part is None else part for part in parts)


# The operator's own: test_embedded_*.py and test_demo.py look at `make demo`'s sentences,
# test_provision*.py at `pgmcp provision`'s.
OPERATORS = ("embedded", "provision")
FOUND = list(sentences())
SENTENCES = [
    pytest.param(parts, id=f"{path.relative_to(PACKAGE)}: {shown(parts)[:60]}")
    for path, parts in FOUND
    if path.parent.name not in OPERATORS and shown(parts) != "…"
]


def is_in(sentence: str, texts: str) -> bool:
    """Tell whether *texts* has the sentence, with anything on one line for each …."""
    parts = [re.escape(part) for part in sentence.strip("… ").split("…")]
    return re.search("[^\n]*?".join(parts), texts) is not None


@pytest.fixture(scope="module")
def texts() -> str:
    """Return all snapshots as one text, with its continued lines as they were."""
    files = sorted(ERRORS.glob("*.txt"))
    return "\n\n".join(path.read_text().replace("\n  ", "\n") for path in files)


@pytest.mark.parametrize("parts", SENTENCES)
def test_a_sentence_has_a_snapshot(texts: str, parts: list[str | None]) -> None:
    excepted = shown(parts).startswith(tuple(WITHOUT))

    assert excepted or is_in(shown(parts), texts), "add a case to tests/snapshots, or say why not"


@pytest.mark.parametrize("beginning", WITHOUT)
def test_an_exception_is_still_needed(beginning: str) -> None:
    assert [parts for _, parts in FOUND if shown(parts).startswith(beginning)]


HEADINGS = re.findall(
    r"^### (.*)$", (ROOT / "docs" / "troubleshooting.md").read_text(), re.MULTILINE
)
# The words of others: the SDK's, systemd's.
FOREIGN = {"Session not found", "pgmcp.service: Failed to set up credentials: …"}
SCRIPTS = (
    ROOT / "tools" / "venv.sh",
    *ROOT.glob("nixos/*.sh"),
    *ROOT.glob("nixos/example/*.sh"),
    *ROOT.glob("contrib/systemd/steps/*.sh"),
)


@pytest.fixture(scope="module")
def said(texts: str) -> str:
    """Return everything that can be said: snapshots, texts in the code, scripts."""
    strings = [
        shown(parts_of(node))
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.JoinedStr | ast.Constant)
    ]
    return "\n".join([texts, *strings, *(script.read_text() for script in SCRIPTS)])


@pytest.mark.parametrize("heading", HEADINGS)
def test_a_heading_of_troubleshooting_is_what_is_shown(said: str, heading: str) -> None:
    assert heading in FOREIGN or is_in(re.sub(r"^(make|install): ", "", heading), said)
