"""
What one HTTP connection may cost before anybody knows who calls: its head, its time, its place.

Owns these bounds; what comes after a request's head is others' business.
"""

from __future__ import annotations

import asyncio
import resource
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from pgmcp.settings import Http

TOO_LARGE, TOO_SLOW, TOO_MANY = 431, 408, 503
OTHER_FILES = 256  # PostgreSQL's connections, the journal, libraries


class BoundedConnection(HttpToolsProtocol):
    """
    Bound the head of a request, the time it takes to arrive, and the connections at once.

    httptools and uvicorn bound none of them; a body is the SDK's to bound.
    """

    bounds: ClassVar[Http] = Http()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Make room for the connection, or refuse it."""
        super().connection_made(transport)
        self._head = 0  # bytes of a head that has not ended
        self._came = 0  # bytes that came at once, perhaps of several requests
        self._in_head = True
        self._is_whole = False
        self._used = self.loop.time()
        # Proxies open connections in advance, and must not find them closed when they need one.
        first = max(self.bounds.arrival.total_seconds(), self.timeout_keep_alive)
        self._has_begun = False
        self._deadline: asyncio.TimerHandle | None = self.loop.call_later(first, self._give_up)
        if len(self.connections) > self.bounds.max_connections and not self._make_room():
            self._refuse(
                TOO_MANY,
                f"{self.bounds.max_connections} connections are open, the most allowed at once. "
                "Try again in a moment.",
            )

    def _make_room(self) -> bool:
        """Close the connection that waits for its next request for longest, if any does."""
        waiting = [
            each
            for each in self.connections
            if isinstance(each, BoundedConnection) and each is not self and each.is_waiting
        ]
        if waiting:
            min(waiting, key=lambda each: (each.has_served, each.used)).transport.close()
        return bool(waiting)

    @property
    def is_waiting(self) -> bool:
        """Tell whether no request is under way here, or none has wholly arrived yet."""
        return not self._is_answering() and not self.transport.is_closing()

    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # uvicorn declares it as never None
        return cycle is not None and not cycle.response_complete

    @property
    def has_served(self) -> bool:
        """Tell whether a request was answered here: such a client comes back."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None

    @property
    def used(self) -> float:
        """Return when something came last, in the loop's seconds."""
        return self._used

    def data_received(self, data: bytes) -> None:
        """Take what has come; a head that does not end is refused before it fills the memory."""
        self._used = self.loop.time()
        self._came = len(data)
        if self._in_head:
            self._head += self._came
        if not self._has_begun:
            self._has_begun, self._is_whole = True, False
            self._end_deadline()
        super().data_received(data)
        if not self._is_whole:
            if self._in_head and self._head > self.bounds.max_header_bytes:
                self._refuse_head()
            self._watch()
        elif self._deadline is not None:
            self._end_deadline()

    def on_headers_complete(self) -> None:
        """Pass a request on once its head is here; it may have come at once, and be too large."""
        came, self._head = max(self._head, self._came), 0
        self._in_head, self._is_whole = False, False
        if came > self.bounds.max_header_bytes and self._size() > self.bounds.max_header_bytes:
            self._refuse_head()
            raise ValueError("the head is too large")  # httptools reads no further
        super().on_headers_complete()

    def _size(self) -> int:
        """Return the size of a whole head, which came with the beginning of its body."""
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def on_message_complete(self) -> None:
        """Note that the request is here with its body."""
        self._in_head, self._is_whole, self._has_begun = True, True, False
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, unless it was refused already."""
        if not self.transport.is_closing():
            super().send_400_response(msg)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        self._end_deadline()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """Have a deadline: a request has begun and not wholly arrived."""
        if self._deadline is None and not self.transport.is_closing():
            limit = self.bounds.arrival.total_seconds()
            self._deadline = self.loop.call_later(limit, self._give_up)

    def _end_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if self.flow.read_paused:
            self._watch()  # it is we who do not read
            return
        if not self._has_begun:
            self.transport.close()
            return
        limit = self.bounds.arrival.total_seconds()
        self._refuse(TOO_SLOW, f"The request has not arrived within {limit:g} s. Send it again.")

    def _refuse_head(self) -> None:
        self._refuse(
            TOO_LARGE,
            f"The request's URL and headers are above {self.bounds.max_header_bytes} bytes. Send "
            "fewer or shorter ones.",
        )

    def _refuse(self, status: int, sentence: str) -> None:
        """Answer where nothing else has begun to, and close."""
        if self.transport.is_closing():
            return
        if not (self._is_answering() and self.cycle.response_started):
            body = f"{sentence}\n".encode()
            head = (
                b"content-type: text/plain; charset=utf-8\r\n"
                b"content-length: %d\r\nconnection: close\r\n\r\n" % len(body)
            )
            self.transport.write(STATUS_LINE[status] + head + body)
        self.transport.close()


def allow_files(connections: int) -> None:
    """Let the process have as many files as it may need, if the system's hard limit allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + OTHER_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
