"""
What every section of the settings has in common.

Owns the refusal of unknown keys; knows no setting.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Refuse unknown keys: a misspelt limit must not be silently the default."""

    # By alias: a section written out is read back under the names that a file has.
    model_config = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True)
