"""A value of another kind in a file: refused, never guessed at; text of other sources is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import Strict
from pydantic.fields import FieldInfo

from pgmcp.errors import CallerError
from pgmcp.settings import (
    AccessRule,
    Grant,
    Http,
    Limits,
    Pools,
    Provision,
    Server,
    TransactionLimits,
    load,
    read_grants,
)

RULE = {"who": "*", "permissions": "read"}
NO_NUMBER = "is no whole number. Write it in digits alone, without quotes"
NO_TRUTH = "is neither true nor false. Write one of these words, without quotes"
WRONG = [
    pytest.param({"provision": {"superuser_admin": "on"}}, f"'on' {NO_TRUTH}", id="on"),
    pytest.param({"provision": {"superuser_admin": 1}}, f"1 {NO_TRUTH}", id="1"),
    pytest.param({"provision": {"read_all": "yes"}}, f"'yes' {NO_TRUTH}", id="yes"),
    pytest.param({"http": {"trust_proxy_headers_on_tcp": "t"}}, f"'t' {NO_TRUTH}", id="t"),
    pytest.param({"http": {"tcp": "true"}}, f"'true' {NO_TRUTH}", id="optional"),
    pytest.param({"http": {"port": True}}, f"True {NO_NUMBER}", id="true port"),
    pytest.param({"limits": {"max_rows": True}}, f"True {NO_NUMBER}", id="true rows"),
    pytest.param({"limits": {"max_rows": "5"}}, f"'5' {NO_NUMBER}", id="text"),
    pytest.param({"limits": {"max_rows": 7.0}}, f"7.0 {NO_NUMBER}", id="point"),
    pytest.param({"limits": {"calls_per_minute": "5"}}, f"'5' {NO_NUMBER}", id="optional text"),
    pytest.param({"limits": {"max_rows": None}}, f"None {NO_NUMBER}", id="null"),
    pytest.param({"limits": {"timeout": None}}, "None is no duration", id="null duration"),
    pytest.param({"server": {"host": None}}, "None is no text", id="null text"),
    pytest.param({"access": [{**RULE, "max_rows": "5"}]}, f"'5' {NO_NUMBER}", id="rule"),
    pytest.param({"access": [{**RULE, "running": True}]}, f"True {NO_NUMBER}", id="true in a rule"),
    pytest.param(
        {"limits": []}, "has [] as limits, which is no section. Write [limits]", id="list"
    ),
    pytest.param({"provision": {"peer": ""}}, "peer: '' is no system user", id="nobody"),
    pytest.param(
        {"provision": {"except": ["app.x."]}}, "'app.x.' names no table. Write", id="no table"
    ),
    pytest.param(
        {"provision": {"except": ["app..t"]}}, "'app..t' names no schema. Write", id="no schema"
    ),
    pytest.param({"http": {"tcp": [[[[[[[[1]]]]]]]]}}, "it is nested too deeply", id="deep"),
]


def kinds(field: FieldInfo) -> set[object]:
    """Return the types of a setting, also those beside None."""
    beside = get_args(field.annotation)
    return {field.annotation, *beside, *(inner for one in beside for inner in get_args(one))}


FIELDS = [
    pytest.param(field, id=f"{section.__name__}.{name}")
    for section in (AccessRule, Grant, Server, Http, Limits, Pools, TransactionLimits, Provision)
    for name, field in section.model_fields.items()
    if {int, bool} & kinds(field)
]


def refusal(folder: Path, text: str, **environ: str) -> str:
    """Return what is said of a JSON file that holds *text*."""
    file = folder / "pgmcp.json"
    file.write_text(text)
    with pytest.raises(CallerError) as caught:
        load(environ=environ, file=file)
    return caught.value.message


@pytest.mark.parametrize(("given", "sentence"), WRONG)
def test_a_value_of_another_kind_is_an_error(
    tmp_path: Path, given: dict[str, Any], sentence: str
) -> None:
    assert sentence in refusal(tmp_path, json.dumps(given))


@pytest.mark.parametrize("field", FIELDS)
def test_no_number_and_no_boolean_is_guessed(field: FieldInfo) -> None:
    """A new setting is int or bool by accident; WholeNumber and Truth are what it should be."""
    assert Strict() in (*field.metadata, *kinds(field))


def test_null_stands_where_the_default_is_none(tmp_path: Path) -> None:
    file = tmp_path / "pgmcp.json"
    file.write_text(
        '{"http": {"tcp": null, "socket": null}, "server": {"port": 1, "password_credential": null}'
        ', "limits": {"calls_per_minute": null}, "provision": {"peer": null}}'
    )

    assert load(environ={}, file=file) == load(environ={"PGPORT": "1"})


def test_text_of_the_environment_and_of_flags_is_read() -> None:
    flags = {("provision", "superuser_admin"): "true", ("limits", "max_rows"): "7"}

    settings = load(environ={"PORT": " 3001 "}, flags=flags)

    assert (settings.http.port, settings.limits.max_rows) == (3001, 7)
    assert settings.provision.superuser_admin is True


@pytest.mark.parametrize("limit", ["true", '"5"', "5.0"])
def test_a_grant_of_another_kind_is_an_error(limit: str) -> None:
    text = f'{{"example.com/cap/pgmcp": [{{"permissions": ["read"], "max_rows": {limit}}}]}}'

    with pytest.raises(ValueError, match="max_rows"):
        read_grants(text, "example.com/cap/pgmcp")


NAMES = ["../../etc/passwd", "a/b", "", ".", "..", "a:b", "a\nb", "x" * 256]


@pytest.mark.parametrize("key", ["server.password_credential", "identity.keys_credential"])
@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_credential_is_never_a_path(tmp_path: Path, key: str, name: str) -> None:
    section, _, last = key.partition(".")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_text("s3cret")

    said = refusal(
        tmp_path, json.dumps({section: {last: name}}), CREDENTIALS_DIRECTORY=str(tmp_path)
    )

    assert said.startswith(f"{key}: {name!r} is no name of a credential. Write the NAME of ")


@pytest.mark.parametrize("depth", [10, 500, 100_000])
@pytest.mark.parametrize(
    ("opening", "closing"), [("[", "]"), ('{"a":', "}")], ids=["lists", "tables"]
)
def test_deep_nesting_is_a_sentence(tmp_path: Path, depth: int, opening: str, closing: str) -> None:
    said = refusal(tmp_path, f'{{"http": {opening * depth}1{closing * depth}}}')

    assert "does not parse: it is nested too deeply. A section holds values" in said


def test_deep_nesting_in_toml_is_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "pgmcp.toml"
    file.write_text(f"[http]\ntcp = {'[' * 5000}{']' * 5000}\n")

    with pytest.raises(CallerError, match=r"does not parse: .*nested"):
        load(environ={}, file=file)


def test_a_repeated_key_is_named(tmp_path: Path) -> None:
    said = refusal(tmp_path, '{"limits": {"max_rows": 5, "max_rows": 5000}}')

    assert said.endswith("'max_rows' is written twice in one table. Keep one of them.")
