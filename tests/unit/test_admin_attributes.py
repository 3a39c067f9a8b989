"""The options of roles and databases: a closed list, and nothing beside it."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgmcp.errors import AccessDenied, CallerError, PgmcpError
from pgmcp.passwords import make_password, scram_verifier
from pgmcp.statement import Parser
from pgmcp.tools.admin.attributes import chosen, database_options, role_options
from pgmcp.tools.admin.units import shown

PARSER = Parser(max_bytes=64_000)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)


@pytest.mark.parametrize(
    ("words", "clauses"),
    [
        pytest.param(["login", "CreateDB"], ("LOGIN", "CREATEDB"), id="flags in any case"),
        pytest.param(["NOINHERIT", "NOSUPERUSER"], ("NOINHERIT", "NOSUPERUSER"), id="negative"),
        pytest.param(["connection  limit 5"], ("CONNECTION LIMIT 5",), id="limit"),
        pytest.param(["CONNECTION LIMIT -1"], ("CONNECTION LIMIT -1",), id="no limit"),
        pytest.param(
            ["VALID UNTIL '2030-01-01 12:00+00'"],
            ("VALID UNTIL '2030-01-01 12:00+00'",),
            id="valid until, quoted",
        ),
        pytest.param(
            ["valid until infinity"], ("VALID UNTIL 'infinity'",), id="valid until, plain"
        ),
        pytest.param(["LOGIN", "login"], ("LOGIN",), id="twice the same"),
    ],
)
def test_an_attribute_is_written_as_sql(words: list[str], clauses: tuple[str, ...]) -> None:
    assert role_options(words).clauses == clauses


@pytest.mark.parametrize(
    ("words", "password"),
    [(["LOGIN"], "keep"), (["PASSWORD"], "new"), (["password null"], "none")],
)
def test_a_password_is_made_removed_or_kept(words: list[str], password: str) -> None:
    options = role_options(words)

    assert options.password == password
    assert not any("PASSWORD" in clause for clause in options.clauses)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(["LOGIN", "NOLOGIN"], "contradicts", id="contradiction"),
        pytest.param(["PASSWORD 'secret'"], "is not known here. Known are: ", id="clear password"),
        pytest.param(["LOGIN; DROP TABLE x"], "is not known here", id="more than a word"),
        pytest.param(["VALID UNTIL '1' PASSWORD 'x'"], "is not known here", id="second clause"),
        pytest.param(["IN ROLE postgres"], "is not known here", id="membership"),
        pytest.param(["CONNECTION LIMIT x"], "is not known here", id="no number"),
        pytest.param([""], "is not known here", id="empty"),
    ],
)
def test_anything_else_is_refused(words: list[str], message: str) -> None:
    with pytest.raises(CallerError, match=message):
        role_options(words)


def test_superuser_is_the_operators_to_give() -> None:
    with pytest.raises(AccessDenied, match="runs programs on the server"):
        role_options(["superuser"])


@given(st.lists(TEXT, max_size=4), TEXT)
async def test_no_attribute_reaches_beyond_its_clause(words: list[str], moment: str) -> None:
    """Whatever is taken parses as one CREATE ROLE; the rest is a refusal."""
    try:
        options = role_options([*words, f"VALID UNTIL {moment}"])
    except PgmcpError:
        return
    (statement,) = await PARSER.parse(f'CREATE ROLE "r" {" ".join(options.clauses)}')
    assert statement.kind == "CreateRoleStmt"


def test_a_databases_attributes_are_written_as_sql() -> None:
    words = ["encoding UTF8", "LOCALE 'C.UTF-8'", "CONNECTION LIMIT 3"]

    assert database_options(words) == (
        "ENCODING = 'UTF8'",
        "LOCALE = 'C.UTF-8'",
        "CONNECTION LIMIT = 3",
    )


def test_words_of_a_list_are_taken_once_each() -> None:
    assert chosen(["analyze", "ANALYZE"], ("ANALYZE", "FREEZE")) == ("ANALYZE",)


def test_a_verifier_proves_the_password_of_rfc_7677() -> None:
    """The exchange in section 3 of RFC 7677 succeeds with the keys of the verifier."""
    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    message = (
        b"n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        b"s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,"
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    )
    proof = base64.b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")

    verifier = scram_verifier("pencil", salt, 4096)

    stored, server = (base64.b64decode(key) for key in verifier.split("$")[2].split(":"))
    signature = hmac.digest(stored, message, "sha256")
    client_key = bytes(a ^ b for a, b in zip(proof, signature, strict=True))
    assert hashlib.sha256(client_key).digest() == stored
    assert (
        base64.b64encode(hmac.digest(server, message, "sha256"))
        == b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    )


def test_a_password_does_not_show_itself() -> None:
    password = make_password()

    assert password.clear not in repr(password)
    assert password.verifier not in repr(password)
    assert make_password().clear != password.clear


@pytest.mark.parametrize(
    ("value", "unit", "as_show"),
    [
        ("4096", "kB", "4MB"),
        ("16384", "8kB", "128MB"),
        ("1000", "kB", "1000kB"),
        ("300", "s", "5min"),
        ("2", "ms", "2ms"),
        ("0.5", "ms", "500us"),
        ("0", "ms", "0"),
        ("-1", "kB", "-1"),
        ("16777216", "B", "16MB"),
        ("on", None, "on"),
        (None, "kB", None),
    ],
)
def test_values_are_written_as_show_does(
    value: str | None, unit: str | None, as_show: str | None
) -> None:
    assert shown(value, unit) == as_show
