"""The one rule for patterns."""

from __future__ import annotations

import pytest

from pgmcp.errors import CallerError
from pgmcp.tools.monitor.pattern import like, matches


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        pytest.param(None, "", id="none is everything"),
        pytest.param("order", "%order%", id="a part of a name"),
        pytest.param("shop.*", "shop.%", id="star"),
        pytest.param("shop.%", "shop.%", id="percent"),
        pytest.param("order_items", "%order\\_items%", id="underscore is itself"),
        pytest.param("a\\b", "%a\\\\b%", id="backslash is itself"),
    ],
)
def test_a_pattern_becomes_one_for_ilike(pattern: str | None, expected: str) -> None:
    assert like(pattern) == expected


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        pytest.param(None, "cache hits", True, id="none"),
        pytest.param("CACHE", "cache hits", True, id="part, case ignored"),
        pytest.param("cache*", "cache hits", True, id="beginning"),
        pytest.param("*cache", "cache hits", False, id="whole with a wildcard"),
        pytest.param("c.che", "cache hits", False, id="a dot is itself"),
    ],
)
def test_names_of_checks_match_by_the_same_rule(
    pattern: str | None, name: str, *, expected: bool
) -> None:
    assert matches(pattern, name) is expected


def test_a_pattern_with_nul_is_refused_with_the_value() -> None:
    with pytest.raises(CallerError, match=r"pattern: 'a\\x00b' holds characters"):
        like("a\0b")
