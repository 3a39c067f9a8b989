"""
Errors of values that a configuration file writes in another kind, and of what is no value at all.

Owns these stories beside those of `stories_tools`; a story's name is its file's in errors/.
"""

from __future__ import annotations

from tests.snapshots.stories_tools import configured
from tests.snapshots.world import World, story


@story
async def configuration_with_booleans_of_another_kind(_world: World) -> str:
    return configured(
        "[http]\ntrust_proxy_headers_on_tcp = 't'\ntcp = 0\n"
        "[provision]\nread_all = 'yes'\nsuperuser_admin = 'on'\n"
    )


@story
async def configuration_with_numbers_of_another_kind(_world: World) -> str:
    return configured(
        "[http]\nport = true\n[limits]\nmax_rows = '5'\nrunning = 7.0\n"
        "[[access]]\nwho = '*'\npermissions = 'read'\nmax_rows = true\n"
    )


@story
async def configuration_with_nothing_where_something_must_be(_world: World) -> str:
    text = '{"server": {"host": null}, "limits": {"max_rows": null, "timeout": null}}'
    return configured(text, name="pgmcp.json")


@story
async def configuration_with_a_path_for_a_credential(_world: World) -> str:
    return configured(
        "[server]\npassword_credential = '../../etc/passwd'\n[identity]\nkeys_credential = ''\n",
        {"CREDENTIALS_DIRECTORY": "/run/credentials/pgmcp.service"},
    )


@story
async def configuration_with_empty_names(_world: World) -> str:
    return configured("[provision]\nexcept = ['app.', 'app.x.', 'app..t']\npeer = ''\n")


@story
async def configuration_with_a_list_for_a_section(_world: World) -> str:
    return configured('{"limits": []}', name="pgmcp.json")


@story
async def configuration_that_says_something_twice(_world: World) -> str:
    text = '{"limits": {"max_rows": 5, "max_rows": 5000}}'
    return configured(text, name="pgmcp.json")


@story
async def configuration_nested_too_deeply(_world: World) -> str:
    return configured("[" * 100_000, name="pgmcp.json")
