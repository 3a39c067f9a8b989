"""
How the tests of pgmcp provision act: they run it on a cluster of their own, and log in as roles.

Owns nothing but the directory of the passfile; the roles are the cluster's, which ends with them.
"""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg

from pgmcp.provision import Options, Outcome, provision
from pgmcp.provision.passfile import read_passwords
from pgmcp.settings import Settings, load, passfile_path
from tests.cluster import ThrowawayCluster, installed_binaries, throwaway_cluster

OWNER = "app owner"  # needs quotes
LOGINS = ("read", "write", "ddl", "admin", "monitor", "backup")
# A digest of everything that a run may change in a database and in the cluster.
SNAPSHOT = """
SELECT md5(string_agg(x, '|' ORDER BY x)) FROM (
  SELECT r::text FROM pg_authid AS r UNION ALL SELECT r::text FROM pg_auth_members AS r
  UNION ALL SELECT r::text FROM pg_db_role_setting AS r UNION ALL SELECT relacl::text FROM pg_class
  UNION ALL SELECT r::text FROM pg_default_acl AS r UNION ALL SELECT nspacl::text FROM pg_namespace
  UNION ALL SELECT datacl::text FROM pg_database UNION ALL SELECT proacl::text FROM pg_proc
  UNION ALL SELECT r::text FROM pg_parameter_acl AS r) AS s(x)
"""


@dataclass(frozen=True, kw_only=True)
class Server:
    """Hold one cluster, and the state directory of the gateway on it."""

    cluster: ThrowawayCluster
    state: Path

    def environment(self, database: str = "postgres") -> dict[str, str]:
        """Return what `pgmcp provision` and `pgmcp serve` would be started with."""
        return self.cluster.environment(database) | {"STATE_DIRECTORY": str(self.state)}

    def settings(self, database: str = "postgres") -> Settings:
        """Return the settings of that environment; after a run they hold the passwords."""
        return load(environ=self.environment(database))

    @property
    def passfile(self) -> Path:
        """Return where the passwords are."""
        return passfile_path(self.environment(), self.cluster.host, str(self.cluster.port))

    async def provision(
        self,
        options: Options | None = None,
        *,
        database: str = "postgres",
        lock_seconds: float = 10,
        passfile: Path | None = None,
    ) -> Outcome:
        """Run it as the superuser, beginning in *database*."""
        flags = {("limits", "lock_timeout"): lock_seconds}
        settings = load(environ=self.environment(database), flags=flags)
        return await provision(settings, passfile or self.passfile, options or Options())

    def psql(self, *arguments: str, script: str = "", **environment: str) -> tuple[str, str]:
        """Run the server's own psql; return what it printed, and what it complained about."""
        program = installed_binaries()[self.cluster.major].bin / "psql"
        ran = subprocess.run(
            [program, "-X", *arguments],
            env=environment or self.environment() | {"PGOPTIONS": "-c client_min_messages=warning"},
            input=script,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return ran.stdout, ran.stderr

    async def clean(self) -> None:
        """Take away everything that a test made, roles and databases."""
        connection = await self.cluster.connect()
        names = await connection.fetch(
            "SELECT quote_ident(datname) FROM pg_database "
            "WHERE datname NOT IN ('postgres', 'template0', 'template1')"
        )
        for (name,) in names:
            await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        roles = await connection.fetch(
            "SELECT quote_ident(rolname) FROM pg_roles "
            "WHERE rolname NOT LIKE 'pg\\_%' AND rolname <> 'postgres'"
        )
        await connection.close()
        for database in ("postgres", "template1"):
            # One by one: together they may meet the same default privileges twice.
            drops = "; ".join(f"DROP OWNED BY {name} CASCADE" for (name,) in roles)
            await self.cluster.execute(drops, database=database)
        await self.cluster.execute(f"DROP ROLE {', '.join(name for (name,) in roles)}")
        for path in self.state.iterdir():
            path.unlink()

    @asynccontextmanager
    async def login(
        self, login: str, database: str
    ) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
        """Open a session of the role of *login*, with the password from the passfile."""
        role = f"pgmcp_{login}"
        opened = await asyncpg.connect(
            host=self.cluster.host,
            port=self.cluster.port,
            user=role,
            password=read_passwords(self.passfile)[role],
            database=database,
            timeout=10,
        )
        try:
            yield opened
        finally:
            opened.terminate()

    async def sqlstate(self, login: str, database: str, sql: str) -> str:
        """Return what PostgreSQL says to *sql* from that role: "" or an SQLSTATE; undo it."""
        async with self.login(login, database) as session:
            transaction = session.transaction()
            await transaction.start()
            try:
                await session.execute(sql)
            except asyncpg.PostgresError as error:
                return error.sqlstate or "?"
            finally:
                await transaction.rollback()
            return ""

    async def value(self, sql: str, database: str = "postgres") -> object:
        """Return what the superuser reads."""
        connection = await self.cluster.connect(database)
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()


@contextmanager
def server(major: int) -> Iterator[Server]:
    """Run a cluster of *major* with a state directory."""
    with throwaway_cluster(major) as cluster, TemporaryDirectory() as state:
        yield Server(cluster=cluster, state=Path(state))


async def owned_database(cluster: ThrowawayCluster, name: str, sql: str = "") -> None:
    """Make a database of OWNER, and in it what *sql* makes as that role."""
    await cluster.execute(
        f'DO $$ BEGIN CREATE ROLE "{OWNER}" NOLOGIN; EXCEPTION WHEN duplicate_object THEN END $$'
    )
    quoted = name.replace('"', '""')
    await cluster.execute(f'CREATE DATABASE "{quoted}" OWNER "{OWNER}" TEMPLATE template0')
    await cluster.execute(f'SET ROLE "{OWNER}"; {sql}', database=name)


@asynccontextmanager
async def unprovisioned(started: Server) -> AsyncIterator[None]:
    """Hold one database of OWNER, app, on a server that has no roles yet; clean up behind it."""
    await owned_database(started.cluster, "app", "CREATE TABLE item (id serial)")
    yield
    await started.clean()
