"""
How many connections each principal holds, and whether it may have one more.

Owns the counts and what is fair; knows no connection.
"""

from __future__ import annotations

from pgmcp.database.borrower import Place
from pgmcp.errors import Retryable
from pgmcp.settings import Pools


class Shares:
    """
    Count slots under a cap for each place and one for all.

    A principal without a slot in a place may have one beyond that place's cap, so that it never
    waits for another's statements there. The last slots of all are kept for those who hold fewer:
    the very last for who holds none, the one before for who holds at most one, and so on. A
    transaction across calls holds a slot without a place; of those there is a cap as well.
    """

    def __init__(self, settings: Pools, transactions: int) -> None:
        self._settings = settings
        self._most_transactions = transactions
        self.total = settings.total
        self.busy = 0
        self._held: dict[str, int] = {}
        self._lent: dict[Place, dict[str, int]] = {}
        self._transactions: dict[str, int] = {}

    def fit(self, most: int) -> bool:
        """Keep below *most* slots; tell whether that is fewer."""
        if self.total <= most:
            return False
        self.total = max(2, most)
        return True

    def held(self, principal: str) -> int:
        """Return how many slots the principal holds."""
        return self._held.get(principal, 0)

    def lent(self, place: Place) -> int:
        """Return how many slots of a place are held."""
        return sum(self._lent[place].values()) if place in self._lent else 0

    def may(self, principal: str, place: Place | None) -> bool:
        """Tell whether *principal* may have one more slot now."""
        free = self.total - self.busy
        if free <= self._settings.reserved:
            held = self._held.get(principal, 0)
            if free <= self._kept(held, self.total):
                return False
        if place is None:
            return self._left(principal) > 0
        lent = self._lent.get(place)
        if lent is None or principal not in lent:
            return True
        return sum(lent.values()) < self._settings.per_database

    def _kept(self, held: int, most: int) -> int:
        """Return how many of the last of *most* are not for who holds *held*."""
        return min(held, self._settings.reserved, (most - 1) // 2)

    def take(self, principal: str, place: Place | None) -> None:
        """Count a slot as the principal's."""
        self.busy += 1
        _count_up(self._held, principal)
        if place is None:
            _count_up(self._transactions, principal)
        else:
            _count_up(self._lent.setdefault(place, {}), principal)

    def release(self, principal: str, place: Place | None) -> None:
        """Count a slot as free again."""
        self.busy -= 1
        _count_down(self._held, principal)
        if place is None:
            _count_down(self._transactions, principal)
            return
        lent = self._lent[place]
        _count_down(lent, principal)
        if not lent:
            del self._lent[place]

    @property
    def most_transactions(self) -> int:
        """Return how many transactions may be open, so that calls without one never starve."""
        most = self.total - min(self._settings.per_database, self.total - 1)
        return min(most, self._most_transactions)

    def _left(self, principal: str) -> int:
        """Return how many transactions more *principal* may open now."""
        most = self.most_transactions
        kept = self._kept(self._transactions.get(principal, 0), most)
        return most - sum(self._transactions.values()) - kept

    def require_transaction(self, principal: str) -> None:
        """
        Refuse a transaction that would leave too little for others.

        Raises:
            Retryable: says how many there are.
        """
        if self._left(principal) > 0:
            return
        count, mine = sum(self._transactions.values()), self._transactions.get(principal, 0)
        if count >= self.most_transactions:
            raise Retryable(
                f"{count} transactions are open in all, the most allowed. Finish one (pg_tx "
                "action=list), or try again later."
            )
        raise Retryable(
            f"{count} transactions are open in all, {mine} of them yours; the last of the "
            f"{self.most_transactions} are kept for others. Finish one (pg_tx action=list), or try "
            "again later."
        )


def _count_up(counts: dict[str, int], principal: str) -> None:
    counts[principal] = counts.get(principal, 0) + 1


def _count_down(counts: dict[str, int], principal: str) -> None:
    """Take one away; who has none is forgotten."""
    left = counts[principal] - 1
    if left:
        counts[principal] = left
    else:
        del counts[principal]
