"""
A server with everything in it that the ways around "read only" need, and eyes on all of it.

Owns its connections, its victims and the files that the server was made to write.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from pgmcp.http import Gateway
from pgmcp.kinds import Level
from pgmcp.logins import LOGINS, ROLE_OF
from pgmcp.provision import Options, provision
from pgmcp.settings import Settings, load, passfile_path
from tests.cluster import ThrowawayCluster
from tests.people import adjusted

DATABASE = "bypass"
OPTIONS = {
    "wal_level": "logical",
    "max_prepared_transactions": "10",
    "shared_preload_libraries": "pg_stat_statements",
    "checkpoint_timeout": "1h",  # so that a checkpoint is somebody's
}
# A superuser whom the server lets in without a password, for dblink to come back as.
TRUSTED = """
CREATE ROLE trusted SUPERUSER LOGIN;
DO $d$ BEGIN EXECUTE format(
    $f$COPY (SELECT 'local all trusted trust' UNION ALL SELECT * FROM string_to_table(%L, E'\\n'))
       TO %L$f$,
    pg_read_file(current_setting('hba_file')), current_setting('hba_file')); END $d$;
SELECT pg_reload_conf();
"""
ROWS = "INSERT INTO t SELECT n, n, 'row ' || n FROM generate_series(1, 5) AS n;"
SETUP = """
CREATE EXTENSION dblink; CREATE EXTENSION tablefunc; CREATE EXTENSION pg_stat_statements;
CREATE TABLE t (id integer PRIMARY KEY, a integer, b text);
@rows@
CREATE TABLE u (id integer);
CREATE SEQUENCE s;
SELECT lo_from_bytea(4242, 'untouched');
CREATE FUNCTION fn_insert() RETURNS void LANGUAGE sql AS $f$@insert@$f$;
CREATE FUNCTION fn_definer_insert() RETURNS void LANGUAGE sql SECURITY DEFINER AS $f$@insert@$f$;
CREATE FUNCTION fn_set_off() RETURNS void LANGUAGE plpgsql AS
    $f$BEGIN PERFORM set_config('transaction_read_only', 'off', false); @insert@; END$f$;
CREATE FUNCTION fn_copy() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS
    $f$BEGIN COPY (SELECT 1) TO PROGRAM 'cat >> @dir@/definer'; RETURN 1; END$f$;
CREATE FUNCTION fn_copy(integer, integer) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS
    $f$BEGIN COPY (SELECT 1) TO PROGRAM 'cat >> @dir@/operator'; RETURN 1; END$f$;
CREATE VIEW v_copy AS SELECT fn_copy() AS n;
CREATE OPERATOR ### (LEFTARG = integer, RIGHTARG = integer, FUNCTION = fn_copy);
CREATE FUNCTION length(name) RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'SELECT fn_copy()';
CREATE FUNCTION lower(text) RETURNS text LANGUAGE sql SECURITY DEFINER AS
    'SELECT fn_copy()::text';
CREATE PROCEDURE p_insert() LANGUAGE sql AS $f$@insert@$f$;
CREATE PROCEDURE p_commit() LANGUAGE plpgsql AS $f$BEGIN COMMIT; @insert@; END$f$;
CREATE FUNCTION fn_deallocate() RETURNS integer LANGUAGE plpgsql AS
    $f$BEGIN EXECUTE 'DEALLOCATE ALL'; RETURN 1; END$f$;
CREATE VIEW v_dblink AS SELECT * FROM dblink('@dsn@', $q$@insert@ RETURNING id$q$) AS d (id int);
CREATE DATABASE bypass_other;
"""
# From 18 on PostgreSQL refuses to make it.
CLAUSE = """
CREATE FUNCTION fn_clause() RETURNS void LANGUAGE sql SET transaction_read_only = off
    AS $f$@insert@$f$
"""
INSERT = "INSERT INTO t VALUES (98, 98, 'bypass')"
MEND = f"""
DELETE FROM t; {ROWS}
SELECT lo_unlink(oid) FROM pg_largeobject_metadata WHERE oid <> 4242;
DROP FUNCTION IF EXISTS made(); DROP VIEW IF EXISTS made;
"""
STATE = """
SELECT (SELECT string_agg(t::text, ' ' ORDER BY id) FROM t) AS rows,
       (SELECT string_agg(u::text, ' ') FROM u) AS other_rows,
       (SELECT concat(last_value, is_called) FROM s) AS sequence,
       (SELECT count(*) FROM pg_class) AS relations,
       (SELECT count(*) FROM pg_proc) AS functions,
       (SELECT md5(string_agg(concat(proname, proacl, proowner, prosecdef), ',' ORDER BY oid))
          FROM pg_proc WHERE oid >= 16384) AS own_functions,
       (SELECT count(*) FROM pg_extension) AS extensions,
       (SELECT count(*) FROM pg_namespace WHERE nspname !~ 'temp') AS schemas,
       (SELECT count(*) FROM pg_foreign_server) AS servers,
       (SELECT string_agg(datname, ' ' ORDER BY oid) FROM pg_database) AS databases,
       (SELECT md5(string_agg(a::text, ' ' ORDER BY oid)) FROM pg_authid AS a) AS roles,
       (SELECT string_agg(m::text, ' ' ORDER BY roleid, member)
          FROM pg_auth_members AS m) AS members,
       (SELECT string_agg(r::text, ' ' ORDER BY setdatabase, setrole)
          FROM pg_db_role_setting AS r) AS role_settings,
       (SELECT string_agg(concat(relname, relacl), ' ' ORDER BY oid) FROM pg_class
         WHERE relname IN ('t', 'u', 's')) AS privileges,
       (SELECT string_agg(oid::text, ' ' ORDER BY oid)
          FROM pg_largeobject_metadata) AS large_objects,
       (SELECT lo_get(4242)) AS large_object,
       (SELECT count(*) FROM pg_replication_slots) AS slots,
       (SELECT count(*) FROM pg_prepared_xacts) AS prepared,
       (SELECT count(*) FROM pg_replication_origin) AS origins,
       (SELECT string_agg(relfilenode::text, ' ' ORDER BY oid) FROM pg_class
         WHERE relname IN ('t', 't_pkey')) AS rewritten,
       (SELECT count(*) FROM pg_statistic WHERE starelid = 't'::regclass) AS analyzed,
       (SELECT reltuples FROM pg_class WHERE oid = 't'::regclass) AS counted,
       (SELECT count(*) FROM pg_collation) AS collations,
       pg_conf_load_time() AS loaded,
       md5(pg_read_file('postgresql.auto.conf')) AS configuration,
       (SELECT stats_reset FROM pg_stat_database WHERE datname = current_database()) AS reset,
       (SELECT stats_reset FROM pg_stat_statements_info) AS statements_reset,
       (SELECT redo_lsn FROM pg_control_checkpoint()) AS checkpoint,
       (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory') AS advisory,
       (SELECT string_agg(application_name, ' ' ORDER BY application_name) FROM pg_stat_activity
         WHERE application_name LIKE 'victim of %') AS alive
"""
SESSION = """
SELECT current_user::text AS role, session_user::text AS login,
       (SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_catalog.pg_settings
         WHERE source = 'session') AS settings,
       current_setting('transaction_read_only') AS read_only,
       (SELECT string_agg(name, ' ') FROM pg_catalog.pg_prepared_statements
         WHERE from_sql) AS prepared,
       (SELECT string_agg(name, ' ') FROM pg_catalog.pg_cursors WHERE is_holdable) AS cursors,
       (SELECT string_agg(c, ' ') FROM pg_catalog.pg_listening_channels() AS c) AS channels,
       (SELECT count(*) FROM pg_catalog.pg_locks
         WHERE pid = pg_backend_pid() AND locktype = 'advisory') AS locks,
       (SELECT count(*) FROM pg_catalog.pg_class
         WHERE relnamespace = pg_catalog.pg_my_temp_schema()) AS temporary
"""


@dataclass(kw_only=True, slots=True)
class Arena:
    """
    Hold one prepared server.

    *heard* are notifications that reached somebody; *verifiers* are the roles' passwords.
    """

    cluster: ThrowawayCluster
    directory: Path
    witness: asyncpg.Connection
    passfile: Path
    victims: dict[str, asyncpg.Connection] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    verifiers: dict[str, str] = field(default_factory=dict)

    @property
    def dsn(self) -> str:
        """Return how dblink reaches the server as a superuser, without a password."""
        return f"host={self.cluster.host} port={self.cluster.port} user=trusted dbname={DATABASE}"

    def fill(self, sql: str) -> str:
        """Put the server's own names into *sql*."""
        names = {"dir": self.directory, "dsn": self.dsn, "insert": INSERT, "rows": ROWS}
        for name, value in names.items():
            sql = sql.replace(f"@{name}@", str(value))
        return sql

    async def look(self) -> dict[str, object]:
        """Return all that somebody could have changed, by name; listening counts from now on."""
        row = await self.witness.fetchrow(STATE)
        assert row is not None
        state = dict(row)
        files = {path.name: path.read_bytes() for path in self.directory.iterdir()}
        return {**state, "files": files, "heard": tuple(self.heard)}

    async def mend(self) -> None:
        """Undo what a case was let do."""
        for row in await self.witness.fetch("SELECT gid FROM pg_prepared_xacts"):
            await self.witness.execute(f"ROLLBACK PREPARED '{row[0]}'")
        await self.witness.execute(MEND)
        for role, verifier in self.verifiers.items():
            await self.witness.execute(f"ALTER ROLE {role} RESET work_mem")
            await self.witness.execute(f"ALTER ROLE {role} PASSWORD '{verifier}'")
        for path in self.directory.iterdir():
            path.unlink()
        for name, connection in self.victims.items():
            try:
                await connection.execute("SELECT 1")
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                self.victims[name] = await self._victim(name)
        self.heard.clear()

    async def _victim(self, role: str) -> asyncpg.Connection:
        settings = self.settings(roles=True) if role in ROLE_OF.values() else None
        password = settings.server.passwords[role] if settings else self.cluster.password
        return await asyncpg.connect(
            host=self.cluster.host,
            port=self.cluster.port,
            user=role,
            password=password,
            database=DATABASE,
            server_settings={"application_name": f"victim of {role}"},
        )

    def settings(self, *, roles: bool, **sections: Mapping[str, object]) -> Settings:
        """Return settings with a pool of one: with the login roles, or the superuser alone."""
        environ = {
            **self.cluster.environment(DATABASE),
            "STATE_DIRECTORY": str(self.passfile.parent if roles else self.directory),
        }
        return adjusted(load(environ=environ), pools={"per_database": 1}, **sections)


async def session_of(gateway: Gateway, login: Level = "read") -> dict[str, str | None]:
    """Return what the next borrower of the only connection of *login* finds in its session."""
    rows = await gateway.databases.read(None, lambda lease: lease.rows(SESSION), login=login)
    return dict(rows[0])


@asynccontextmanager
async def arena_on(cluster: ThrowawayCluster, directory: Path, state: Path) -> AsyncIterator[Arena]:
    """Make the databases, the roles, the victims; *directory* is one the server may write to."""
    directory.chmod(0o777)
    environ = {**cluster.environment(DATABASE), "STATE_DIRECTORY": str(state)}
    passfile = passfile_path(environ, cluster.host, str(cluster.port))
    await cluster.create_database(DATABASE)
    await cluster.execute(TRUSTED)
    witness = await cluster.connect(DATABASE)
    arena = Arena(cluster=cluster, directory=directory, witness=witness, passfile=passfile)
    for sql in arena.fill(SETUP).split(";\n"):
        if sql.strip():
            await witness.execute(sql)
    with suppress(asyncpg.FeatureNotSupportedError):  # what newer servers say of such a clause
        await witness.execute(arena.fill(CLAUSE))
    outcome = await provision(load(environ=environ), passfile, Options())
    assert outcome.status == 0, outcome.lines()
    found = await witness.fetch("SELECT rolname, rolpassword FROM pg_authid WHERE rolcanlogin")
    arena.verifiers = {name: verifier for name, verifier in found if name in ROLE_OF.values()}
    await witness.add_listener("bypass", lambda *_: arena.heard.append("bypass"))
    for role in ("postgres", *(ROLE_OF[login] for login in LOGINS if login in ("read", "write"))):
        arena.victims[role] = await arena._victim(role)
    try:
        yield arena
    finally:
        for connection in (*arena.victims.values(), witness):
            await connection.close(timeout=5)
