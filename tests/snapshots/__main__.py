"""
Write the generated files and snapshots anew: `make snapshots`.

Starts a PostgreSQL of the newest major version here, because errors are its words.
"""

from __future__ import annotations

import asyncio
import sys

from pgmcp.kinds import LEVELS
from tests.cluster import throwaway_cluster
from tests.snapshots import FOLDER, ROOT, contrib, settings, texts, wire
from tests.snapshots.world import shop


async def main() -> None:
    """Write all of them."""
    for level in LEVELS:
        (FOLDER / f"tools.{level}.json").write_text(wire.snapshot(await wire.listed(level)))
    (ROOT / "docs" / "tools.md").write_text(await wire.document())
    (ROOT / "docs" / "settings.md").write_text(settings.document())
    contrib.write_all()
    with throwaway_cluster() as cluster:
        async with shop(cluster) as asker:
            await texts.write_all(cluster, asker)
    written = "docs/tools.md, docs/settings.md, contrib/systemd, tools.*.json"
    sys.stdout.write(f"wrote {written} and {len(texts.NAMES)} error texts\n")


if __name__ == "__main__":
    asyncio.run(main())
