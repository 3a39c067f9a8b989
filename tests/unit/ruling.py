"""
Access as the tests of it ask for it: by a few rules, and by the tailnet's grants.

Owns nothing.
"""

from __future__ import annotations

import json
from typing import Any

from pgmcp.access import Access, Policy
from pgmcp.identity import Caller
from pgmcp.kinds import Level
from pgmcp.settings import Settings

CAPABILITY = "example.com/cap/pgmcp"
Rule = dict[str, Any]  # Any: TOML
ANA = "tailscale:ana@example.com"
READ_ALL: Rule = {"who": "*", "permissions": "read"}


def settings(*rules: Rule, **sections: Any) -> Settings:  # Any: TOML
    """Return settings with these access rules."""
    return Settings.model_validate({"access": rules, **sections})


def granted(*grants: Rule, principal: str = ANA) -> Caller:
    """Return a caller to whom the tailnet grants something."""
    return Caller(principal=principal, capabilities=json.dumps({CAPABILITY: grants}))


def access(caller: Caller | str, *rules: Rule, ceiling: Level | None = None) -> Access:
    """Return what a caller may do by *rules* and, where it has any, its grants."""
    given = settings(*rules, identity={"capability": CAPABILITY})
    found = Caller(principal=caller) if isinstance(caller, str) else caller
    return Policy(given).access(found, ceiling)
