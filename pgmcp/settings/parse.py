"""
The text of a configuration file, in TOML or JSON, as what it holds.

Owns what no reader refuses by itself; knows no setting and opens no file.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable

DEEPEST = 8  # levels; a text in the list of an access rule is the fifth
NESTED = "it is nested too deeply. A section holds values and lists of them"


def parse(text: str, *, is_json: bool) -> object:
    """
    Return what the text of a file says.

    Raises:
        ValueError: it does not parse, is nested beyond any setting, or says something twice.
    """
    try:
        parsed = json.loads(text, object_pairs_hook=_once) if is_json else tomllib.loads(text)
    except RecursionError as error:
        raise ValueError(NESTED) from error
    level = [parsed]
    for _ in range(DEEPEST):
        level = [inner for value in level for inner in _inside(value)]
    if level:
        raise ValueError(NESTED)
    return parsed


def _once(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    """Refuse a repeated key, of which JSON's readers silently take the last."""
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"{key!r} is written twice in one table. Keep one of them")
        found[key] = value
    return found


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
