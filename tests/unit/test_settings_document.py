"""docs/settings.md: current, complete, and true of the code that reads a configuration."""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from pgmcp.settings import Settings, load
from tests.snapshots import ROOT
from tests.snapshots.settings import INTERNAL, document

PAGE = ROOT / "docs" / "settings.md"
DURATION = re.compile(r"^\| `(\w+)` \| duration \| `(\S+)` ", re.MULTILINE)
SECTIONS = [
    pytest.param(section, id=section)
    for section, field in Settings.model_fields.items()
    if hasattr(field.annotation, "model_fields")
]


def part(section: str) -> str:
    """Return what the page says of one section."""
    return document().partition(f"\n## [{section}]\n")[2].partition("\n## ")[0]


def test_the_document_of_the_settings_is_current() -> None:
    assert document() == PAGE.read_text(), "run make snapshots"


@pytest.mark.parametrize("section", SECTIONS)
def test_every_key_has_a_row_with_a_meaning(section: str) -> None:
    fields = getattr(Settings(), section).__class__.model_fields
    named = {field.alias or name: field.description for name, field in fields.items()}

    rows = dict(re.findall(r"^\| `(\w+)` .* \| ([^|]+) \|$", part(section), re.MULTILINE))

    assert rows == {key: said for key, said in named.items() if (section, key) not in INTERNAL}


@pytest.mark.parametrize("section", SECTIONS)
def test_a_default_duration_is_in_the_form_that_a_file_may_have(
    tmp_path: Path, section: str
) -> None:
    shown = dict(DURATION.findall(part(section)))
    file = tmp_path / "pgmcp.toml"
    file.write_text("\n".join([f"[{section}]", *(f"{k} = '{v}'" for k, v in shown.items())]))

    found = getattr(load(environ={}, file=file), section)

    assert found == getattr(Settings(), section)
    assert all(isinstance(getattr(found, key), timedelta) for key in shown)


def test_the_example_is_accepted(tmp_path: Path) -> None:
    example = document().partition("```toml\n")[2].partition("```")[0]
    file = tmp_path / "pgmcp.toml"
    file.write_text(example)

    settings = load(environ={}, file=file)

    assert set(tomllib.loads(example)) == {"log_level", "server", "http", "access"}
    assert settings.has_rules
