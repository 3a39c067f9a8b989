"""
A database in which somebody waits for a query that PostgreSQL must search an operator for.

Owns what lies in wait there. Each piece is what anybody may make who may create in a schema; only
the operators go straight into the catalog, as CREATE OPERATOR would take a quarter of a minute.
"""

from __future__ import annotations

from tests.cluster import ThrowawayCluster

SQLSTATE = "TRAP0"
WORDS = "a trap has fired"
REPORT = 600  # characters of the log for one trap
# What pgmcp's SQL compares, joins and computes with, and what that can give.
TYPES = (  # noqa: SIM905 — a list of words reads best as words
    'name text "char" bpchar varchar oid int2 int4 int8 numeric float4 float8 bool xid xid8 '
    "pg_lsn regclass regtype regproc regprocedure regrole regnamespace timestamptz timestamp date "
    "interval inet uuid bytea json jsonb tid int2vector oidvector "
    'text[] name[] oid[] "char"[] int2[] int4[] int8[] regclass[] bool[] aclitem aclitem[] '
    "record anyarray pg_node_tree"
).split()
COMPARING = "= <> < > <= >= ~ ~* !~ !~* ~~ ~~* !~~ !~~* @> <@ && ? ^@".split()  # noqa: SIM905
COMPUTING = "|| + - * / % & | # << >> -> ->> #> #>> ^ @".split()  # noqa: SIM905
# Called without a schema these find the one whose types fit best, PostgreSQL's own or not.
FUNCTIONS = (  # noqa: SIM905
    "age array_agg array_length array_position array_to_string bool_and bool_or btrim "
    "cardinality concat concat_ws count current_setting current_schemas format format_type "
    "generate_series json_agg jsonb_agg jsonb_build_object left length lower lpad max md5 "
    "min now num_nulls obj_description pg_get_expr pg_get_userbyid pg_size_pretty pg_has_role "
    "quote_ident quote_literal regexp_replace replace row_to_json set_config split_part "
    "starts_with string_agg sum to_char to_json to_jsonb to_regclass unnest upper"
).split()
SETTING = f"""
SET search_path = pg_catalog;
SET allow_system_table_mods = on;
SET synchronous_commit = off;
SET check_function_bodies = off;
DO $do$
DECLARE
    types CONSTANT text[] := ARRAY[{", ".join(f"$${name}$$" for name in TYPES)}];
    functions CONSTANT text[] := ARRAY[{", ".join(f"'{name}'" for name in FUNCTIONS)}];
    form CONSTANT text := $$CREATE FUNCTION public.%I(%s) RETURNS %s LANGUAGE plpgsql IMMUTABLE
        AS 'BEGIN RAISE EXCEPTION ''{WORDS}'' USING ERRCODE = ''{SQLSTATE}''; END'$$;
    a text; b text; named text;
BEGIN
    FOREACH a IN ARRAY types LOOP
        FOREACH b IN ARRAY types LOOP
            EXECUTE format(form, 'trap', concat_ws(', ', a, b), 'boolean');
            EXECUTE format(form, 'trapped', concat_ws(', ', a, b), 'text');
        END LOOP;
        FOREACH named IN ARRAY functions LOOP
            EXECUTE format(form, named, a, 'text');
        END LOOP;
    END LOOP;
END
$do$;
INSERT INTO pg_catalog.pg_operator
SELECT pg_nextoid('pg_operator', 'oid', 'pg_operator_oid_index'), n.name, p.pronamespace,
       p.proowner, 'b', false, false, p.proargtypes[0], p.proargtypes[1], p.prorettype, 0, 0, p.oid,
       0, 0
  FROM pg_proc AS p
  JOIN (SELECT unnest(string_to_array('{" ".join(COMPARING)}', ' ')), 'trap'
         UNION ALL
        SELECT unnest(string_to_array('{" ".join(COMPUTING)}', ' ')), 'trapped') AS n(name, runs)
    ON p.proname = n.runs
 WHERE NOT EXISTS (SELECT FROM pg_operator AS o
                    WHERE o.oprname = n.name AND o.oprnamespace = 'pg_catalog'::regnamespace
                      AND o.oprleft = p.proargtypes[0] AND o.oprright = p.proargtypes[1]);
"""


async def set_traps(cluster: ThrowawayCluster, *databases: str) -> None:
    """Put the traps into the schema public of *databases*."""
    for database in databases:
        await cluster.execute(SETTING, database=database)


class Watch:
    """Know what the server's log has said of traps since the watch began."""

    def __init__(self, cluster: ThrowawayCluster) -> None:
        self._log = cluster.log
        self._start = self._log.stat().st_size

    def fired(self) -> list[str]:
        """Return every trap that has fired, with the statement that it was in."""
        with self._log.open("rb") as log:
            log.seek(self._start)
            said = log.read().decode(errors="replace")
        # What PostgreSQL could not even parse with the trap's types is none the better.
        return [
            part[:REPORT] for part in said.split("ERROR:  ")[1:] if WORDS in part.partition("\n")[0]
        ]
