"""
The stand-in for tailscaled: what it was asked for, and what happens to its login.

Owns the stand-in's state file, beside the stand-in itself.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.tailnet import FQDN

STATE = Path("/var/lib/tailscale/stand-in.json")
CALLS = STATE.with_name("calls.log")
WEB = f"{FQDN}:443"
FIRST = {"BackendState": "Running", "https": True, "serve": None}
type_of_json = dict[str, Any]  # Any: JSON


def state() -> type_of_json:
    """Return what tailscaled would know."""
    return dict(json.loads(STATE.read_text())) if STATE.exists() else dict(FIRST)


def becomes(**changed: object) -> None:
    """Change what tailscaled knows: BackendState, https, serve."""
    fresh = STATE.with_suffix(".test")
    fresh.write_text(json.dumps({**state(), **changed}))
    fresh.rename(STATE)


def handler() -> type_of_json:
    """Return what answers at / of the machine's name."""
    return dict(state()["serve"]["Web"][WEB]["Handlers"]["/"])


def is_served() -> bool:
    """Tell whether something answers at / of the machine's name."""
    served = state()["serve"] or {}
    return "/" in served.get("Web", {}).get(WEB, {}).get("Handlers", {})


def changes() -> list[str]:
    """Return the calls that changed something, or wanted to."""
    calls = CALLS.read_text().splitlines() if CALLS.exists() else []
    return [line for line in calls if not line.startswith(("status", "serve status"))]
