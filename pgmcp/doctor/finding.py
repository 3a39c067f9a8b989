"""
What the doctor says: a finding with its weight and what mends it.

Owns the words around a finding; looks at nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Weight = Literal["ok", "note", "warning", "bad"]
WIDTH = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """
    Hold one thing that is so.

    *weight*: ok; note, worth knowing; warning, weaker than it could be; bad, does not work or lets
    somebody do what they must not. *fix* is what the operator types or writes.
    """

    weight: Weight
    text: str
    fix: str = ""

    def lines(self) -> list[str]:
        """Return the finding, and its fix below."""
        shown = [f"{self.weight:{WIDTH}}{self.text}"]
        return [*shown, f"{'':{WIDTH}}fix: {self.fix}"] if self.fix else shown


def status_of(findings: Sequence[Finding]) -> int:
    """Return the exit status: 1 where something is bad."""
    return 1 if any(finding.weight == "bad" for finding in findings) else 0
