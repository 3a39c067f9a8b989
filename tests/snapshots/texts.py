"""
The error texts of the snapshots: every case and story, told by a real server.

Owns how a file looks: the call first, then what the client reads.
"""

from __future__ import annotations

import json

from tests.asking import Asker
from tests.cluster import ThrowawayCluster
from tests.snapshots import (
    ERRORS,
    normalise,
    stories,
    stories_access,
    stories_asking,
    stories_identity,
    stories_limits,
    stories_server,
    stories_settings,
    stories_tools,
)
from tests.snapshots.cases import CASES
from tests.snapshots.world import STORIES, one_story

TOLD_IN = (
    stories,
    stories_access,
    stories_asking,
    stories_identity,
    stories_limits,
    stories_server,
    stories_settings,
    stories_tools,
)  # importing them enters their stories
NAMES = sorted([*CASES, *STORIES])
SHOWN = 200  # characters of a call


async def text_of_case(cluster: ThrowawayCluster, asker: Asker, name: str) -> str:
    """Return what the file of *name* must hold."""
    if name in STORIES:
        asked = (STORIES[name].__doc__ or name.replace("_", " ")).strip()
        async with one_story(cluster, asker) as world:
            told = await STORIES[name](world)
    else:
        tool, arguments = CASES[name]
        asked = f"{tool} {json.dumps(arguments, ensure_ascii=True)}"
        told = await asker.refusal(tool, **arguments)
    shown = asked if len(asked) <= SHOWN else asked[:SHOWN] + "…"
    return f"# {shown}\n{normalise(told)}\n"


async def write_all(cluster: ThrowawayCluster, asker: Asker) -> None:
    """Write every file anew and remove those whose case is gone."""
    ERRORS.mkdir(exist_ok=True)
    for stale in ERRORS.glob("*.txt"):
        if stale.stem not in NAMES:
            stale.unlink()
    for name in NAMES:
        (ERRORS / f"{name}.txt").write_text(await text_of_case(cluster, asker, name))
