"""
What the settings alone tell: who may call, by which way, as which login.

Owns these findings; opens no connection.
"""

from __future__ import annotations

from collections.abc import Iterator

from pgmcp.doctor.finding import Finding
from pgmcp.errors import CallerError
from pgmcp.keys import KeyStore
from pgmcp.settings import AccessRule, Server, Settings, require_roles

RULE = '[[access]] who = "ana@example.com" permissions = "write"'
ONE_LOGIN = "one login serves every level: only the gateway keeps readers from writing"


def look_at_settings(settings: Settings) -> Iterator[Finding]:
    """Yield what the configuration means where the gateway runs."""
    yield from _rules(settings)
    yield from _published(settings)
    yield from _faults(settings)
    server = settings.server
    try:
        require_roles(server)
    except CallerError as error:
        yield Finding(weight="bad", text=error.message, fix="pgmcp provision")
        return
    if not server.logins.are_roles:
        yield Finding(weight="warning", text=ONE_LOGIN, fix="pgmcp provision")


def look_ahead(settings: Settings) -> Iterator[Finding]:
    """Yield what deserves a warning on any machine, before anything of the gateway's is there."""
    yield from _faults(settings)
    yield from (each for each in _rules(settings) if each.weight != "ok")
    if settings.server.roles == "shared":
        fix = 'pgmcp provision, and server.roles = "auto"'
        yield Finding(weight="warning", text=ONE_LOGIN, fix=fix)


def _rules(settings: Settings) -> Iterator[Finding]:
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


def _described(rule: AccessRule) -> str:
    who, where = ", ".join(rule.who), ", ".join(rule.databases)
    return f"{who} may {rule.permissions} in {where}"


def _published(settings: Settings) -> Iterator[Finding]:
    http = settings.http
    if http.endpoint is not None:
        yield Finding(weight="ok", text=f"clients reach the gateway at {http.endpoint}")
    elif not http.has_tcp:
        yield Finding(
            weight="note",
            text="the page / tells its address only to who came by it: http.public_url is not set",
            fix='http.public_url = "https://pi.example.ts.net"',
        )


def _faults(settings: Settings) -> Iterator[Finding]:
    """Yield what is wrong or weak whatever the machine."""
    yield from _keys(settings)
    http = settings.http
    if (exposure := http.exposure()) is not None:
        yield Finding(weight="bad", text=exposure, fix="http.host = 127.0.0.1")
    if http.trust_proxy_headers_on_tcp:
        yield Finding(
            weight="warning",
            text="every local process can claim to be anybody: http.trust_proxy_headers_on_tcp",
            fix="publish http.tailscale_socket by tailscale serve, and leave it out",
        )
    yield from _peer(settings.server, settings.provision.peer)


def _keys(settings: Settings) -> Iterator[Finding]:
    identity = settings.identity
    named = {who for rule in settings.access for who in rule.who}
    keys, tags = (
        ", ".join(sorted(who for who in named if who.startswith(kind))) for kind in ("key:", "tag:")
    )
    if keys and not (identity.keys_file or identity.keys_credential):
        yield Finding(
            weight="bad",
            text=f"rules name {keys}, but no keys are configured",
            fix="pgmcp key new NAME, its line into a file, identity.keys_file = that file",
        )
    if tags and identity.capability is None:
        yield Finding(
            weight="bad",
            text=f"rules name {tags}, but only grants of the tailnet tell who has a tag",
            fix="identity.capability = the name of the capability that the tailnet's policy grants",
        )
    if identity.keys_file is not None:
        try:
            KeyStore(identity)
        except CallerError as error:
            fix = "pgmcp serve does not start without these keys"
            yield Finding(weight="bad", text=error.message, fix=fix)


def _peer(server: Server, user: str | None) -> Iterator[Finding]:
    is_socket = all(host.strip().startswith(("/", "@")) for host in server.host.split(","))
    if server.roles == "peer" and not is_socket:
        yield Finding(
            weight="warning",
            text=f'server.roles is "peer", but server.host {server.host!r} is no socket directory: '
            "there PostgreSQL cannot ask the system who connects",
            fix="server.host = /run/postgresql, or passwords: pgmcp provision without --peer",
        )
    if user is not None and server.roles != "peer":
        yield Finding(
            weight="warning",
            text=f"provision.peer is {user!r}, so the roles have no passwords, but server.roles is "
            f'"{server.roles}"',
            fix='server.roles = "peer"',
        )
