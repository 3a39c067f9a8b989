"""What is said of a wrong [[access]] rule or capability: its place, and what to write."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgmcp.errors import CallerError
from pgmcp.settings import load

FIRST = "[[access]]\nwho = 'ana@example.com'\npermissions = 'read'\n"
WRONG = [
    pytest.param(
        "[access]\nwho = 'ana@example.com'\npermissions = 'read'\n",
        "access is no list of rules. Write [[access]] with two brackets, once for each rule.",
        id="one bracket",
    ),
    pytest.param(
        "[[access]]\nwho = []\npermissions = 'read'\n",
        "access rule 1: who is empty. Name at least one.",
        id="nobody",
    ),
    pytest.param(
        f"{FIRST}[[access]]\nwho = '*'\ndatabases = []\npermissions = 'read'\n",
        "access rule 2: databases is empty. Name at least one.",
        id="no database",
    ),
    pytest.param(
        f"{FIRST}[[access]]\npermissions = 'read'\n",
        "access rule 2: who is missing.",
        id="no who",
    ),
    pytest.param(
        "[[access]]\nwho = '*'\n", "access rule 1: permissions is missing.", id="no permissions"
    ),
    pytest.param(
        "[[access]]\nwho = ['*', 'bob']\npermissions = 'read'\n",
        "access rule 1: who: 'bob' is nobody. Write a login such as ana@example.com, key:NAME, "
        "tag:NAME, * for everyone but local, or local for who calls on this machine.",
        id="no login",
    ),
    pytest.param(
        f"{FIRST}max_rows = 0\n", "access rule 1: max_rows: 0 is below 1.", id="no rows at all"
    ),
    pytest.param(
        f"{FIRST}max_row = 1\n",
        "access rule 1: max_row: no such setting. Known here: max_rows, timeout, transactions, "
        "calls_per_minute, running, who, databases, permissions.",
        id="a misspelt key",
    ),
    pytest.param(
        "[identity]\ncapability = 'pgmcp'\n",
        "identity.capability: 'pgmcp' is no capability. Write a domain of yours, a slash and a "
        "path: example.com/cap/pgmcp.",
        id="a capability without a domain",
    ),
]


@pytest.mark.parametrize(("text", "sentence"), WRONG)
def test_a_wrong_rule_is_told_by_its_number_and_what_to_write(
    tmp_path: Path, text: str, sentence: str
) -> None:
    file = tmp_path / "pgmcp.toml"
    file.write_text(text)

    with pytest.raises(CallerError) as caught:
        load(environ={}, file=file)

    assert caught.value.message == sentence
