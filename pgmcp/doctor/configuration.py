"""
What the settings alone tell: who may call, by which way, as which login.

Owns these findings; opens no connection.
"""

from __future__ import annotations

from collections.abc import Iterator

from pgmcp.doctor.finding import Finding
from pgmcp.settings import AccessRule, Settings

RULE = '[[access]] who = "ana@example.com" permissions = "write"'


def look_at_settings(settings: Settings) -> Iterator[Finding]:
    """Yield what the configuration means."""
    yield from _access(settings)
    http = settings.http
    if (exposure := http.exposure()) is not None:
        yield Finding(weight="bad", text=exposure, fix="http.host = 127.0.0.1")
    if http.trust_proxy_headers_on_tcp:
        yield Finding(
            weight="warning",
            text="every local process can claim to be anybody: http.trust_proxy_headers_on_tcp",
            fix="publish http.tailscale_socket by tailscale serve, and leave it out",
        )
    if not settings.server.logins.are_roles:
        yield Finding(
            weight="warning",
            text="one login serves every level: only the gateway keeps readers from writing",
            fix="pgmcp provision",
        )


def _access(settings: Settings) -> Iterator[Finding]:
    if not settings.has_rules:
        yield Finding(
            weight="warning",
            text="no access rules: every caller has every permission",
            fix=f"write a rule for each person, such as: {RULE}",
        )
        return
    for number, rule in enumerate(settings.access, start=1):
        yield Finding(weight="ok", text=f"access rule {number}: {_described(rule)}")
    if settings.identity.capability is not None:
        name = settings.identity.capability
        yield Finding(weight="ok", text=f"access by the tailnet's grants of {name}")
    asked = {who for rule in settings.access for who in rule.who if who.startswith("key:")}
    if asked and not (settings.identity.keys_file or settings.identity.keys_credential):
        yield Finding(
            weight="bad",
            text=f"rules name {', '.join(sorted(asked))}, but no keys are configured",
            fix="pgmcp key new NAME, its line into a file, identity.keys_file = that file",
        )


def _described(rule: AccessRule) -> str:
    who, where = ", ".join(rule.who), ", ".join(rule.databases)
    return f"{who} may {rule.permissions} in {where}"
