"""
A shop for the login roles: they are let in, a part of it is then taken away from them.

Owns a cluster of its own for as long as the block runs, as a cluster has one set of the roles.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pgmcp.settings import load
from tests.integration.provisioning import Server, owned_database, server
from tests.people import Person, gateway_with

APP, LATE = "roles_app", "roles_late"
SHOP = """
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY);
CREATE TABLE shop.secret (id integer);
CREATE SEQUENCE shop.numbers;
CREATE FUNCTION shop.hidden() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE VIEW shop.open_secret AS SELECT id FROM shop.secret;
"""
NOBODY = {"PGUSER": "nobody_at_all"}  # the operator's own login is not there to fall back to


@asynccontextmanager
async def roles_shop(major: int) -> AsyncIterator[Server]:
    """Make the shop on a cluster of *major*, with the roles and the gaps in what they may do."""
    with server(major) as started:
        await owned_database(started.cluster, APP, SHOP)
        await started.cluster.execute("CREATE TABLE public.rooted (a integer)", database=APP)
        await started.provision()
        await started.cluster.execute(
            "REVOKE ALL ON shop.secret, shop.numbers FROM pgmcp_read, pgmcp_write;"
            "REVOKE ALL ON FUNCTION shop.hidden() FROM PUBLIC;",
            database=APP,
        )
        yield started


@asynccontextmanager
async def calling_with_roles(ready: Server, directory: Path) -> AsyncIterator[Person]:
    """Hold somebody who calls a gateway that has nothing but the roles; backups go below."""
    backups = {"PGMCP_BACKUP_DIRECTORY": str(directory)}
    environment = ready.environment(APP) | NOBODY | backups
    async with gateway_with(load(environ=environment)) as gateway:
        yield Person(gateway)
