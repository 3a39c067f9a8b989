"""What the front makes of a request before any route sees it: admission and its refusals."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from pgmcp.errors import AccessDenied
from pgmcp.front import Front
from pgmcp.identity import Arrival, Caller
from pgmcp.kinds import Level
from pgmcp.settings import Http, Settings

TAILSCALE = Arrival.over_unix(uid=0, is_tailscale=True)
HERE = Arrival.over_tcp("127.0.0.1", "127.0.0.1")
ANA = {"X-Forwarded-For": "100.64.0.1", "Tailscale-User-Login": "ana@example.com"}
PUBLISHED = {**ANA, "X-Forwarded-Proto": "https", "X-Forwarded-Host": "pi.example.ts.net"}


class Inside:
    """Be the application behind the front: note the scope, answer 200."""

    def __init__(self) -> None:
        self.scope: Scope | None = None
        self.ended: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        self.scope = scope
        await PlainTextResponse("inside")(scope, receive, send)

    async def end_session(self, session: str) -> None:
        """Note the end of a session."""
        self.ended.append(session)


def admit(caller: Caller, narrow: Level | None) -> str:
    """Let everybody in but Bob."""
    if caller.name == "bob@example.com":
        raise AccessDenied("bob@example.com may do nothing. The operator can change [[access]].")
    return f"{caller.principal} {narrow}"


async def ask(  # noqa: PLR0913 — the parts of a request
    inside: Inside,
    url: str = "/mcp",
    headers: dict[str, str] | None = None,
    *,
    arrival: Arrival | None = TAILSCALE,
    method: str = "POST",
    settings: Settings | None = None,
    admitting: Callable[[Caller, Level | None], Any] | None = admit,
) -> tuple[int, str]:
    """Send one request to a front before *inside*; return status and text of the answer."""
    path, _, query = url.partition("?")
    given = {"Host": "localhost", **(headers or {})}
    scope: Scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [
            (name.lower().encode(), value.encode("latin-1")) for name, value in given.items()
        ],
        "client": ("127.0.0.1", 5),
        "server": ("127.0.0.1", 3000),
        "state": {"arrival": arrival} if arrival else {},
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    front = Front(inside, settings or Settings(), inside.end_session, admitting)
    await front(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent)
    return int(sent[0]["status"]), body.decode()


@pytest.fixture
def inside() -> Inside:
    return Inside()


async def test_who_may_do_nothing_is_refused_at_the_door(
    inside: Inside, caplog: pytest.LogCaptureFixture
) -> None:
    status, text = await ask(inside, headers={**ANA, "Tailscale-User-Login": "bob@example.com"})

    assert status == 403
    assert text == "bob@example.com may do nothing. The operator can change [[access]].\n"
    assert inside.scope is None
    assert (
        "caller=tailscale:bob@example.com address=100.64.0.1 outcome=Refused status=403"
        in caplog.text
    )


@pytest.mark.parametrize("path", ["/mcp/", "/mcp//"])
async def test_a_slash_at_the_end_goes_round_nothing(inside: Inside, path: str) -> None:
    status, _ = await ask(inside, path, {**ANA, "Tailscale-User-Login": "bob@example.com"})

    assert status == 403


@pytest.mark.parametrize("path", ["/", "/live", "/ready"])
async def test_who_may_do_nothing_still_learns_that(inside: Inside, path: str) -> None:
    """The page says who you are and what you may do, so it must be seen."""
    status, _ = await ask(inside, path, {**ANA, "Tailscale-User-Login": "bob@example.com"})

    assert status == 200


@pytest.mark.parametrize(
    ("url", "narrow"),
    [("/mcp", None), ("/mcp?access=read", "read"), ("/mcp?access=ddl", "ddl"), ("/mcp?", None)],
)
async def test_access_and_narrowing_go_along(
    inside: Inside, url: str, narrow: Level | None
) -> None:
    status, _ = await ask(inside, url, ANA)

    assert status == 200
    assert inside.scope is not None
    assert inside.scope["state"]["narrow"] == narrow
    assert inside.scope["state"]["access"] == f"tailscale:ana@example.com {narrow}"


async def test_without_admission_everybody_is_let_in(inside: Inside) -> None:
    status, _ = await ask(inside, headers=ANA, admitting=None)

    assert status == 200


async def test_without_our_listeners_tcp_is_believed_by_nobody(inside: Inside) -> None:
    """As under another server: what ASGI tells of the connection is all there is."""
    await ask(inside, headers=ANA, arrival=None)

    assert inside.scope is not None
    assert inside.scope["state"]["caller"].principal == "proxied"


@pytest.mark.parametrize(
    ("origin", "arrival", "changed", "status"),
    [
        pytest.param("https://pi.example.ts.net", TAILSCALE, {}, 200, id="its own"),
        pytest.param("https://PI.example.ts.net", TAILSCALE, {}, 200, id="upper case"),
        pytest.param(
            "https://pi.example.ts.net",
            TAILSCALE,
            {"X-Forwarded-Host": "pi.example.ts.net:443"},
            200,
            id="ordinary port",
        ),
        pytest.param(
            "https://pi.example.ts.net:8443",
            TAILSCALE,
            {"X-Forwarded-Host": "pi.example.ts.net:8443"},
            200,
            id="another port",
        ),
        pytest.param("http://pi.example.ts.net", TAILSCALE, {}, 403, id="no TLS"),
        pytest.param("https://evil.example", TAILSCALE, {}, 403, id="foreign"),
        pytest.param("https://pi.example.ts.net.evil", TAILSCALE, {}, 403, id="longer"),
        pytest.param("null", TAILSCALE, {}, 403, id="null"),
        pytest.param("https://", TAILSCALE, {"X-Forwarded-Host": ""}, 403, id="empty"),
        pytest.param(
            "https://pi.example.ts.net",
            TAILSCALE,
            {"X-Forwarded-Proto": "http"},
            403,
            id="published without TLS",
        ),
        pytest.param("https://pi.example.ts.net", HERE, {}, 403, id="listener not believed"),
        pytest.param(
            "https://evil.example",
            HERE,
            {"X-Forwarded-Host": "evil.example"},
            403,
            id="claims its own name",
        ),
    ],
)
async def test_the_origin_that_tailscaled_serves(
    inside: Inside, origin: str, arrival: Arrival, changed: dict[str, str], status: int
) -> None:
    headers = {**PUBLISHED, **changed, "Origin": origin}

    assert (await ask(inside, "/live", headers, arrival=arrival))[0] == status


async def test_where_it_is_published_goes_along(inside: Inside) -> None:
    await ask(inside, "/", PUBLISHED)

    assert inside.scope is not None
    assert inside.scope["state"]["published"] == "https://pi.example.ts.net"


@pytest.mark.parametrize("above", [1, 1000, 65534])
async def test_a_stranger_on_the_socket_for_tailscaled_is_refused(
    inside: Inside, above: int
) -> None:
    """Count from this process's own user, who may: the one of a Nix build is 1000."""
    arrival = Arrival.over_unix(uid=os.geteuid() + above, is_tailscale=True)

    status, text = await ask(inside, "/live", ANA, arrival=arrival)

    assert (status, inside.scope) == (403, None)
    assert "This socket is for tailscaled alone" in text


async def test_where_no_uid_can_be_had_the_mode_of_the_socket_protects(inside: Inside) -> None:
    arrival = Arrival.over_unix(uid=None, is_tailscale=True)

    assert (await ask(inside, headers=ANA, arrival=arrival))[0] == 200


async def test_a_foreign_host_is_refused_on_a_believed_listener_too(inside: Inside) -> None:
    status, _ = await ask(inside, "/live", {**PUBLISHED, "Host": "evil.example"})

    assert status == 421


async def test_a_configured_host_passes_on_every_listener(inside: Inside) -> None:
    settings = Settings(http=Http(allowed_hosts=("db.home.arpa",)))

    status, _ = await ask(inside, "/live", {"Host": "db.home.arpa:3000"}, settings=settings)

    assert status == 200


@pytest.mark.parametrize(
    ("method", "session", "ended"),
    [("DELETE", "abc", ["abc"]), ("POST", "abc", []), ("DELETE", "", [])],
)
async def test_the_end_of_a_session_is_noticed(
    inside: Inside, method: str, session: str, ended: list[str]
) -> None:
    await ask(inside, headers={**ANA, "Mcp-Session-Id": session}, method=method)

    assert inside.ended == ended
