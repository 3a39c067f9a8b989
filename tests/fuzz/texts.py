"""
Texts near real statements: seeds with pieces cut out, doubled, spliced and strewn in.

Owns the mutations; the seeds are in seeds.sql.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

SEEDS = Path(__file__).with_name("seeds.sql").read_text(encoding="utf-8").split("\n----\n")
# What lexers trip over.
PIECES = (
    *("'", '"', "\\", "\\'", "''", "$$", "$a$", "--", "/*", "*/", ";", "\n", "\r", "\t", "\v"),
    *("\f", "\0", "\ud800", "\ufeff", "\u00a0", "\u2028", "é", "😀", "(", ")", "[", "]", "{", "}"),
    *("E'", "U&'", 'U&"', "B'", "N'", "$1", "::", ":=", "=>", "..", ".", ",", "+", "-", "@", "#"),
    *(" UESCAPE '!' ", " COMMIT ", " DELETE FROM t ", " SELECT ", " AS ", " INTO x ", "%", "?"),
    *("set_config('a','b',true)", "pg_authid", "WITH a AS (", "BEGIN ATOMIC ", " END", "\x85"),
)
# The same examples in every run, and few enough for all of tests/fuzz to take some 20 s.
BOUNDED: dict[str, Any] = {"deadline": None, "database": None, "derandomize": True}


def bounded(examples: int) -> settings:
    """Return the settings of one property."""
    return settings(max_examples=examples, **BOUNDED)


@st.composite
def mutated(draw: Callable[[st.SearchStrategy[Any]], Any]) -> str:  # Any: what a strategy gives
    """Return a seed after a few accidents."""
    text: str = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(0, 4))):
        first, last = sorted(draw(st.tuples(*[st.integers(0, len(text))] * 2)))
        piece = draw(
            st.one_of(
                st.just(""),
                st.just(text[first:last] * 2),
                st.sampled_from(PIECES),
                st.sampled_from(SEEDS),
                st.text(max_size=3),
            )
        )
        text = text[:first] + piece + text[draw(st.sampled_from([first, last])) :]
    return text
