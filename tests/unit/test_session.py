"""Which search path a session gets where its own would put others before PostgreSQL."""

from __future__ import annotations

import pytest

from pgmcp.database.session import catalogs_first


@pytest.mark.parametrize(
    ("given", "used"),
    [
        pytest.param('"$user", public', '"$user", public', id="the default"),
        pytest.param("", "", id="none"),
        pytest.param("pg_catalog", "pg_catalog", id="the catalogs alone"),
        pytest.param("pg_catalog, public", "pg_catalog, public", id="first as it is"),
        pytest.param("public, pg_catalog", "public", id="behind public"),
        pytest.param('a, "pg_catalog", b', "a, b", id="quoted, in between"),
        pytest.param("public,PG_Catalog", "public", id="in capitals"),
        pytest.param('"my pg_catalog", public', '"my pg_catalog", public', id="part of a name"),
        pytest.param('"a, ""pg_catalog""", b', '"a, ""pg_catalog""", b', id="inside a name"),
        pytest.param('"a,b", pg_catalog', '"a,b"', id="behind a name with a comma"),
        pytest.param("pg_catalog\x1cx, evil, pg_catalog", "pg_catalog\x1cx, evil", id="odd blank"),
        pytest.param("pg_catalog\xa0x, evil, pg_catalog", "pg_catalog\xa0x, evil", id="no-break"),
        pytest.param('"PG_CATALOG", pg_catalog', '"PG_CATALOG"', id="quoted in capitals"),
        pytest.param("public, pg_catalog, pg_temp", "public, pg_temp", id="with pg_temp"),
    ],
)
def test_postgresqls_own_schema_comes_first(given: str, used: str) -> None:
    assert catalogs_first(given) == used
