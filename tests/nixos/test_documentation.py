"""docs/options.md: current, and of use to a person who has only this page."""

from __future__ import annotations

import re

import pytest

from tests.nixos import snapshot
from tests.nixos.evaluation import Nix

PAGE = snapshot.OPTIONS_PAGE.read_text()
ENTRIES = dict(re.findall(r"^### (\S+)\n\n(.*?)(?=\n##|\Z)", PAGE, re.MULTILINE | re.DOTALL))
VAGUE = re.compile(r"(Whether|Option|This|If|The option|Enables? )\b")


def test_page_is_what_the_options_say(nix: Nix) -> None:
    assert nix.options_page() == PAGE, "run: make nix-snapshots"


def test_page_names_no_store_path() -> None:
    assert "/nix/store" not in PAGE


@pytest.mark.parametrize("name", ENTRIES)
def test_option_begins_with_its_effect(name: str) -> None:
    description, _, facts = ENTRIES[name].partition("\n\n- Type: ")

    assert description.endswith(".")
    assert VAGUE.match(description) is None
    assert facts.startswith("`")


@pytest.mark.parametrize(
    "name", [name for name in ENTRIES if not name.endswith(("permissions", "who"))]
)
def test_option_says_what_holds_without_it(name: str) -> None:
    assert "\n- Default: " in ENTRIES[name]
