"""
How the tests of access act: a gateway with rules on two databases, and people with levels.

Owns the two databases and one role while the block runs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from pgmcp.http import Gateway
from pgmcp.settings import Settings, load
from tests.cluster import ThrowawayCluster
from tests.people import Person, gateway_with, refusal

APP, OTHER = "access_app", "access_other"
RULES = (
    {"who": "reader@example.com", "databases": [APP], "permissions": "read"},
    {"who": "writer@example.com", "databases": [APP], "permissions": "write"},
    {"who": "boss@example.com", "permissions": "admin"},
    {"who": "local", "databases": [APP], "permissions": "admin"},
    {"who": "local", "databases": ["scratch_*"], "permissions": "admin"},
    {"who": "local", "databases": [OTHER], "permissions": "read"},
    {"who": "guest@example.com", "databases": ["scratch_*"], "permissions": "admin"},
)


@dataclass(frozen=True, kw_only=True)
class Ruled:
    """Hold a gateway with RULES; its default database is APP."""

    cluster: ThrowawayCluster
    gateway: Gateway

    def person(self, name: str) -> Person:
        """Return somebody of RULES; *local* is admin on APP and scratch_*, reader on OTHER."""
        return Person(
            self.gateway, name if name == "local" else f"tailscale:{name}@example.com", name
        )

    async def refused(
        self,
        name: str,
        tool: str,
        /,
        **arguments: Any,  # Any: JSON
    ) -> str:
        """Return what somebody is told who may not."""
        return await refusal(self.person(name).call(tool, **arguments))


def with_rules(settings: Settings) -> Settings:
    """Return *settings* with RULES."""
    return Settings.model_validate({**settings.model_dump(), "access": RULES})


@asynccontextmanager
async def ruled(cluster: ThrowawayCluster) -> AsyncIterator[Ruled]:
    """Make the databases, and hold a gateway that logs in as the superuser."""
    for name in (APP, OTHER):
        await cluster.drop_database(name)
        await cluster.create_database(name)
    try:
        async with gateway_with(with_rules(load(environ=cluster.environment(APP)))) as gateway:
            yield Ruled(cluster=cluster, gateway=gateway)
    finally:
        for name in (APP, OTHER):
            await cluster.drop_database(name)
