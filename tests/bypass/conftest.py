"""
One prepared server of each major version, and the gateways in front of it.

Owns both for a run; a gateway's readers share one connection, so that leaks have a next victim.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pgmcp.http import Gateway
from pgmcp.settings import AccessRule
from tests.bypass.arena import OPTIONS, Arena, arena_on
from tests.cluster import ThrowawayCluster, throwaway_cluster
from tests.conftest import MAJORS
from tests.people import Person, gateway_with


@pytest.fixture(scope="session", params=MAJORS, ids=[f"pg{major}" for major in MAJORS])
def bypass_cluster(request: pytest.FixtureRequest) -> Iterator[ThrowawayCluster]:
    """Start a cluster that has what the cases need: logical decoding, prepared transactions."""
    with throwaway_cluster(request.param, options=OPTIONS) as started:
        yield started


@pytest.fixture(scope="session")
async def arena(
    bypass_cluster: ThrowawayCluster, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Arena]:
    """Prepare it; the server may write into a directory of its own below /tmp."""
    state = tmp_path_factory.mktemp("state")
    with tempfile.TemporaryDirectory(prefix="pgmcp-files-") as directory:
        async with arena_on(bypass_cluster, Path(directory), state) as made:
            yield made


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """Hold a gateway and somebody who calls it."""

    arena: Arena
    gateway: Gateway
    person: Person


RULES = tuple(
    AccessRule.model_validate({"who": [f"key:{level}"], "permissions": level})
    for level in ("read", "write", "ddl")
)


@pytest.fixture(scope="session")
async def roles(arena: Arena) -> AsyncIterator[Gateway]:
    """Run a gateway with the login roles, and an access rule for each level."""
    settings = arena.settings(roles=True).model_copy(update={"access": RULES})
    async with gateway_with(settings) as gateway:
        yield gateway


@pytest.fixture(scope="session")
async def ruled(arena: Arena) -> AsyncIterator[Gateway]:
    """Run a gateway with the superuser's login alone, and the same rules."""
    settings = arena.settings(roles=False).model_copy(update={"access": RULES})
    async with gateway_with(settings) as gateway:
        yield gateway


@pytest.fixture(scope="session")
async def alone(arena: Arena) -> AsyncIterator[Gateway]:
    """Run a gateway with the superuser's login alone, and no rules: everybody may do all."""
    async with gateway_with(arena.settings(roles=False)) as gateway:
        yield gateway


BOTH = ["roles", "superuser"]


@pytest.fixture(scope="session", params=BOTH)
def reader(arena: Arena, roles: Gateway, alone: Gateway, request: pytest.FixtureRequest) -> Side:
    """Return who may read only, with the roles; and who may do everything, with one superuser."""
    if request.param == "roles":
        return Side(arena=arena, gateway=roles, person=Person(roles, "key:read"))
    return Side(arena=arena, gateway=alone, person=Person(alone))


@pytest.fixture(scope="session", params=BOTH)
def writer(arena: Arena, roles: Gateway, ruled: Gateway, request: pytest.FixtureRequest) -> Side:
    """Return who may write, where the roles are and where one superuser is."""
    gateway = roles if request.param == "roles" else ruled
    return Side(arena=arena, gateway=gateway, person=Person(gateway, "key:write"))


@pytest.fixture(scope="session", params=BOTH)
def definer(arena: Arena, roles: Gateway, ruled: Gateway, request: pytest.FixtureRequest) -> Side:
    """Return who may make tables, where the roles are and where one superuser is."""
    gateway = roles if request.param == "roles" else ruled
    return Side(arena=arena, gateway=gateway, person=Person(gateway, "key:ddl"))
