"""
What each caller has under way over HTTP: requests, bodies, MCP sessions.

Owns the counts, by principal, and the refusals where there are too many; reads no body.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pgmcp.audit import refuse
from pgmcp.clock import Clock, words
from pgmcp.identity import Caller, Refused
from pgmcp.protocol import may_open_session
from pgmcp.settings import Http

SESSION = b"mcp-session-id"
GONE = 404
SUCCESS = range(200, 300)

TOO_MANY = 429
BODIES = 8  # times the largest body: what all requests of one caller may hold in memory


@dataclass(kw_only=True, slots=True)
class _Session:
    """Hold one MCP session; *used* is when its last request ended."""

    principal: str
    requests: int
    used: float


@dataclass(kw_only=True, slots=True, eq=False)
class Visit:
    """Hold one request from its head to its end; *opens* that it may open an MCP session."""

    principal: str
    session: str
    opens: bool
    body: int = 0
    is_refused: bool = False


class Traffic:
    """
    Pass requests on to *app*, each principal only so many at once.

    A session is known from its requests and answers alone: opened by an answer that names it,
    ended by DELETE, by 404, or unused for as long as the SDK keeps it.
    """

    def __init__(self, app: ASGIApp, settings: Http, clock: Clock) -> None:
        self._app = app
        self._settings = settings
        self._clock = clock
        self._requests: dict[str, int] = {}
        self._bodies: dict[str, int] = {}
        self._opening: dict[str, int] = {}
        self._sessions: dict[str, _Session] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, whose caller is known; the lifespan passes through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        caller: Caller = scope["state"]["caller"]
        headers = dict(scope["headers"])
        session = headers.get(SESSION, b"").decode("latin-1")
        opens = scope["method"] == "POST" and may_open_session(headers)
        try:
            declared = self._declared(headers)
            visit = self.enter(caller.principal, session, opens=opens, body=declared or 0)
        except Refused as refusal:
            refuse(caller.principal, caller.address, refusal.status, refusal.reason or "")
            await _answer(refusal)(scope, receive, send)
            return
        try:
            if declared is None:
                receive = self._counted(visit, scope, receive, send)
            if declared is None or opens or session:
                send = self._watched(visit, scope, send)
            await self._app(scope, receive, send)
        finally:
            self.leave(visit)

    def _declared(self, headers: Mapping[bytes, bytes]) -> int | None:
        """Return how much memory the body takes, None where only its end will tell."""
        if b"transfer-encoding" in headers:
            return None
        length = int(headers.get(b"content-length", b"0"))  # httptools takes digits alone
        return length if length <= self._settings.max_body_bytes else 0  # not read: 413

    def _counted(self, visit: Visit, scope: Scope, receive: Receive, send: Send) -> Receive:
        async def counted() -> Message:
            message = await receive()
            try:
                self.receive(visit, len(message.get("body", b"")))
            except Refused as refusal:
                visit.is_refused = True
                caller = scope["state"]["caller"]
                refuse(caller.principal, caller.address, refusal.status, refusal.reason or "")
                await _answer(refusal)(scope, receive, send)
                return {"type": "http.disconnect"}
            return message

        return counted

    def _watched(self, visit: Visit, scope: Scope, send: Send) -> Send:
        async def watched(message: Message) -> None:
            if visit.is_refused:
                return  # it has its answer
            if message["type"] == "http.response.start":
                self._learn(visit, scope["method"], message)
            await send(message)

        return watched

    def _learn(self, visit: Visit, method: str, message: Message) -> None:
        """Learn from an answer's beginning what became of a session."""
        if visit.opens and message["status"] in SUCCESS:
            if session := dict(message["headers"]).get(SESSION):
                self.opened(visit, session.decode("latin-1"))
        elif message["status"] == GONE or (method == "DELETE" and message["status"] in SUCCESS):
            self.ended(visit)

    def enter(self, principal: str, session: str, *, opens: bool, body: int = 0) -> Visit:
        """
        Count a request with *body* bytes until it leaves.

        Raises:
            Refused: the principal has too many under way, or too large ones, or too many sessions.
        """
        count = self._requests.get(principal, 0)
        if count >= self._settings.requests_per_caller:
            raise _refused(
                f"{count} requests of yours are under way, the most allowed at "
                "once. Close streams that you do not need, or try again in a moment."
            )
        if opens:
            self._require_room(principal)
        visit = Visit(principal=principal, session=session, opens=opens)
        if body:
            self.receive(visit, body)
        self._requests[principal] = count + 1
        if opens:
            self._opening[principal] = self._opening.get(principal, 0) + 1
        elif session and (found := self._own(principal, session)) is not None:
            found.requests += 1
        return visit

    def _require_room(self, principal: str) -> None:
        before = self._clock.monotonic() - self._settings.session_idle.total_seconds()
        for name, found in list(self._sessions.items()):
            if not found.requests and found.used < before:
                del self._sessions[name]
        count = sum(found.principal == principal for found in self._sessions.values())
        if count + self._opening.get(principal, 0) >= self._settings.sessions_per_caller:
            raise _refused(
                f"{self._settings.sessions_per_caller} MCP sessions of yours are open, the most "
                "allowed. End those that you do not need with DELETE; an unused one ends after "
                f"{words(self._settings.session_idle)}."
            )

    def _own(self, principal: str, session: str) -> _Session | None:
        found = self._sessions.get(session)
        return found if found is not None and found.principal == principal else None

    def receive(self, visit: Visit, size: int) -> None:
        """
        Count *size* bytes of the request's body.

        Raises:
            Refused: the principal's requests hold too much together.
        """
        most = BODIES * self._settings.max_body_bytes
        before = self._bodies.get(visit.principal, 0)
        if before + size > most:
            raise _refused(
                f"the bodies of your requests under way are above {most} bytes together, the most "
                "allowed at once. Send fewer at a time."
            )
        visit.body += size
        self._bodies[visit.principal] = before + size

    def opened(self, visit: Visit, session: str) -> None:
        """Remember an MCP session that the request has opened."""
        visit.session = session
        self._sessions[session] = _Session(
            principal=visit.principal, requests=1, used=self._clock.monotonic()
        )

    def ended(self, visit: Visit) -> None:
        """Forget the request's session: it was closed, or there is none."""
        if self._own(visit.principal, visit.session) is not None:
            del self._sessions[visit.session]

    def leave(self, visit: Visit) -> None:
        """Count the request as over."""
        _take(self._requests, visit.principal, 1)
        if visit.body:
            _take(self._bodies, visit.principal, visit.body)
        if visit.opens:
            _take(self._opening, visit.principal, 1)
        if visit.session and (found := self._own(visit.principal, visit.session)) is not None:
            found.requests -= 1
            found.used = self._clock.monotonic()


def _take(counted: dict[str, int], principal: str, number: int) -> None:
    """Take *number* away; who has none left is forgotten."""
    left = counted[principal] - number
    if left:
        counted[principal] = left
    else:
        del counted[principal]


def _refused(sentence: str) -> Refused:
    return Refused(TOO_MANY, sentence, {"Retry-After": "1"})


def _answer(refusal: Refused) -> PlainTextResponse:
    return PlainTextResponse(f"{refusal.sentence}\n", refusal.status, headers=refusal.headers)
