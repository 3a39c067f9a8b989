"""
One [[access]] rule: who it is for, which databases, how far, and with which limits.

Owns the form of a rule and of a tailnet grant; `access` decides which of them counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from pgmcp.kinds import LEVELS, Level
from pgmcp.values import Seconds, WholeNumber

LOGIN = re.compile(r"[^\s:@]+@[^\s:@]+")
NAMED = re.compile(r"(key|tag|node):\S+")
EVERYBODY, LOCAL = "*", "local"


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _somebody(value: str) -> str:
    if value in (EVERYBODY, LOCAL) or LOGIN.fullmatch(value) or NAMED.fullmatch(value):
        return value.lower() if "@" in value and ":" not in value else value
    raise ValueError(
        f"{value!r} is nobody. Write a login such as ana@example.com, key:NAME, tag:NAME, * for "
        "everyone but local, or local for who calls on this machine"
    )


def _highest(value: object) -> object:
    given = _listed(value)
    if not isinstance(given, Sequence) or not given:
        raise ValueError(f"write one of {', '.join(LEVELS)}; each contains those before it")
    for one in given:
        if one not in LEVELS:
            raise ValueError(
                f"{one!r} is no permission. Write one of {', '.join(LEVELS)}; each contains those "
                "before it"
            )
    return max(given, key=LEVELS.index)


Names = Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)]
People = Annotated[
    tuple[Annotated[str, AfterValidator(_somebody)], ...],
    BeforeValidator(_listed),
    Field(min_length=1),
]


class CallerLimits(BaseModel):
    """What a caller may use; what is not given is the server's own limit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_rows: WholeNumber | None = Field(None, ge=1, description="The most rows of one answer.")
    timeout: Seconds | None = Field(None, description="The longest statement.")
    transactions: WholeNumber | None = Field(None, ge=1, description="Transactions open at once.")
    calls_per_minute: WholeNumber | None = Field(None, ge=1, description="Calls in one minute.")
    running: WholeNumber | None = Field(None, ge=1, description="Statements running at once.")


class Grant(CallerLimits):
    """
    What the tailnet's policy grants, under `app` of a grant.

    *permissions* is the highest one given. A grant without it gives nothing by itself: its
    *tag* is what a rule's `tag:NAME` then matches, because tailscale serve does not tell tags.
    """

    databases: Names = Field(("*",), description="Patterns of database names; * is anything.")
    permissions: Annotated[Level | None, BeforeValidator(_highest)] = None
    tag: str | None = Field(None, description="Name that rules match as tag:NAME.")


class AccessRule(CallerLimits):
    """One rule; the first that matches caller and database decides."""

    who: People = Field(description="Logins, key:NAME, tag:NAME, * (all but local), local.")
    databases: Names = Field(("*",), description="Patterns of database names; * is anything.")
    permissions: Annotated[Level, BeforeValidator(_highest)] = Field(
        description="read, write, ddl or admin; each contains those before it."
    )


class Grants(BaseModel):
    """Read the JSON text of `Tailscale-App-Capabilities`: capability → grants."""

    model_config = ConfigDict(frozen=True)

    granted: tuple[Grant, ...]

    @model_validator(mode="before")
    @classmethod
    def _only_objects(cls, given: object) -> object:
        return {"granted": given} if isinstance(given, list) else given


def read_grants(text: str, capability: str) -> tuple[Grant, ...]:
    """
    Return what *text* grants under the name *capability*.

    Raises:
        ValueError: not JSON, or a grant with an unknown key or value (pydantic's is one).
    """
    return Grants.model_validate(json.loads(text).get(capability, [])).granted
