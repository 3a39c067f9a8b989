"""
The questions that wait for a human's answer: each is answered once, by whom it was put to.

Owns their names and their time; never asks anybody and never carries anything out.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta

from pgmcp.clock import Clock, words
from pgmcp.errors import CallerError
from pgmcp.ledger import Owner

LIMIT = timedelta(minutes=5)  # long enough to look at what it would do, short for a standing yes
MOST = 1000  # questions open at once
MOST_OF_ONE = 8  # of one principal


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """
    Say what a question is bound to.

    *call* stands for the exact arguments, *seal* for what would happen, and in which database.
    """

    owner: Owner
    tool: str
    call: str
    seal: str


class Questions:
    """
    Remember open questions by a name that cannot be guessed; an answer takes its question away.

    In memory, because that is what makes an answer count once. The oldest go when there are too
    many of one principal, or at all: then the human is asked again.
    """

    def __init__(self, clock: Clock, *, limit: timedelta = LIMIT) -> None:
        self.limit = limit
        self._clock = clock
        self._open: OrderedDict[str, tuple[Asked, float]] = OrderedDict()

    def put(self, asked: Asked) -> str:
        """Open a question and return its name: 128 random bits."""
        self._expire()
        principal = asked.owner.principal
        mine = [name for name, (other, _) in self._open.items() if _is_of(other, principal)]
        for name in mine[: len(mine) - MOST_OF_ONE + 1] if len(mine) >= MOST_OF_ONE else ():
            del self._open[name]
        while len(self._open) >= MOST:
            self._open.popitem(last=False)
        name = f"q_{secrets.token_urlsafe(16)}"
        self._open[name] = (asked, self._clock.monotonic())
        return name

    def take(self, name: str, *, owner: Owner, tool: str, call: str) -> str:
        """
        Close the question and return its seal.

        Raises:
            CallerError: it is not open, or another's, or about another call; one sentence for
                all of these, so that nobody learns which questions there are. It stays open.
        """
        self._expire()
        asked, _ = self._open.get(name, (None, 0.0))
        if asked is None or (asked.owner, asked.tool, asked.call) != (owner, tool, call):
            raise CallerError(
                "this answer fits no open question of yours: an answer counts once, for "
                f"{words(self.limit)}, and for exactly the call that was asked about. Nothing was "
                "done. Repeat the call without requestState and inputResponses to be asked again."
            )
        del self._open[name]
        return asked.seal

    def drop(self, name: str) -> None:
        """Close a question that nobody will answer any more."""
        self._open.pop(name, None)

    def count(self) -> int:
        """Return how many are open."""
        self._expire()
        return len(self._open)

    def _expire(self) -> None:
        before = self._clock.monotonic() - self.limit.total_seconds()
        while self._open:
            name, (_, put) = next(iter(self._open.items()))
            if put >= before:
                return
            del self._open[name]


def _is_of(asked: Asked, principal: str) -> bool:
    return asked.owner.principal == principal
