"""pg_admin's parameters: closed for each action, and text that could be no name refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pgmcp.errors import CallerError
from pgmcp.tools.admin.params import ACTIONS, AdminParams, check
from pgmcp.tools.admin.tool import HANDLERS


def params(**arguments: object) -> AdminParams:
    return AdminParams.model_validate(arguments)


def test_every_action_has_its_parameters_and_its_handler() -> None:
    assert list(HANDLERS) == list(ACTIONS)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(
            {"action": "create_database"},
            "action=create_database needs name. It takes: name, owner, template",
            id="missing",
        ),
        pytest.param(
            {"action": "vacuum", "pid": 1},
            "does not take pid. It takes: database, schema, table, full",
            id="too many",
        ),
        pytest.param({"action": "reload", "name": "x"}, "It takes: format", id="none"),
        pytest.param(
            {"action": "roles", "name": "a\0b"}, "name holds a NUL at character 2", id="nul"
        ),
        pytest.param(
            {"action": "grant", "on": "x", "to": "y", "privileges": ["a", "\ud800"]},
            "privileges holds a lone surrogate at character 1",
            id="surrogate in a list",
        ),
        pytest.param(
            {"action": "drop_role", "name": "x" * 64}, "name has 64 bytes", id="long name"
        ),
        pytest.param(
            {"action": "vacuum", "schema": "x" * 64}, "schema has 64 bytes", id="long schema"
        ),
    ],
)
def test_what_an_action_cannot_take_is_refused(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(CallerError) as caught:
        check(params(**arguments))

    assert words in caught.value.message
    assert "schema_" not in caught.value.message


@pytest.mark.parametrize(
    "arguments",
    [
        {"action": "drop_everything"},
        {"action": "roles", "nmae": "x"},
        {"action": "cancel", "pid": "1"},
        {"action": "cancel", "pid": 0},
        {"action": "cancel", "pid": 2**31},
        {"action": "create_role", "name": "x", "attributes": "LOGIN"},
        {"action": "vacuum", "full": "true"},
        {"action": "roles", "max_rows": 0},
    ],
)
def test_types_are_strict_and_names_are_closed(arguments: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        params(**arguments)


def test_a_pattern_and_a_setting_may_be_longer_than_a_name() -> None:
    check(params(action="setting", name="x" * 64))
    check(params(action="roles", name="x" * 64))
