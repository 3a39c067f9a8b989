"""
Errors of a server that cannot be reached or lets nobody in.

Owns these stories beside those of `stories`; a story's name is its file's in errors/.
"""

from __future__ import annotations

import asyncio
import socket
from datetime import timedelta

from pgmcp.settings import load
from tests.snapshots.world import World, story


@story
async def privilege(world: World) -> str:
    gateway = await world.gateway(PGUSER="errors_clerk", PGPASSWORD="clerk")
    return await gateway.refusal(sql="SELECT * FROM shop.orders")


@story
async def wrong_password(world: World) -> str:
    gateway = await world.gateway(PGUSER="errors_clerk", PGPASSWORD="wrong")
    return await gateway.refusal(sql="SELECT 1")


@story
async def crowded(world: World) -> str:
    gateway = await world.gateway(PGUSER="errors_crowd", PGPASSWORD="crowd")
    return await gateway.refusal(sql="SELECT 1")


@story
async def closed_database(world: World) -> str:
    return await world.refusal(sql="SELECT 1", database="template0")


@story
async def default_database_missing(world: World) -> str:
    return await (await world.gateway(PGDATABASE="nowhere")).refusal(sql="SELECT 1")


async def refuse_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the request for TLS as a server without it does."""
    await reader.readexactly(8)
    writer.write(b"N")
    await writer.drain()
    writer.close()
    await writer.wait_closed()


@story
async def server_without_tls(world: World) -> str:
    server = await asyncio.start_server(refuse_tls, "127.0.0.1", 0)
    world.stack.callback(server.close)
    port = str(server.sockets[0].getsockname()[1])
    gateway = await world.gateway(PGHOST="127.0.0.1", PGPORT=port, PGSSLMODE="require")
    return await gateway.refusal(sql="SELECT 1")


@story
async def silent_server(world: World) -> str:
    """Reach something that takes the connection and never says a word."""
    listener = world.stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    port = str(listener.getsockname()[1])
    settings = load(environ={"PGHOST": "127.0.0.1", "PGPORT": port, "PGUSER": "postgres"})
    server = settings.server.model_copy(update={"connect_timeout": timedelta(seconds=0.2)})
    gateway = await world.gateway(settings.model_copy(update={"server": server}))
    return await gateway.refusal(sql="SELECT 1")


@story
async def server_down(world: World) -> str:
    gateway = await world.gateway(PGHOST="127.0.0.1", PGPORT="1")
    return await gateway.refusal(sql="SELECT 1")


@story
async def socket_missing(world: World) -> str:
    return await (await world.gateway(PGHOST="/nowhere")).refusal(sql="SELECT 1")
