"""
What a tool is: its name, its closed parameters, and the call that reaches it.

Owns the nouns Tool, Call and Answer; never parses SQL and never speaks MCP.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, model_validator

from pgmcp.errors import CallerError
from pgmcp.results import json_text

if TYPE_CHECKING:
    from pgmcp.access import Access
    from pgmcp.audit import Draft
    from pgmcp.definers import Definers
    from pgmcp.door import Door
    from pgmcp.identity import Caller
    from pgmcp.ledger import Owner
    from pgmcp.own_transactions import OwnTransactions
    from pgmcp.quota import Quota
    from pgmcp.results import Result
    from pgmcp.settings import Settings
    from pgmcp.statement import Parser

Progress = Callable[[float, float | None, str], Awaitable[None]]


class Params(BaseModel):
    """Describe the parameters of one tool: flat, closed, no coercion."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _name_something(cls, given: object) -> object:
        """Refuse an empty name: it would pass for one left out, and mean the default."""
        if isinstance(given, dict):
            for name in ("database", "session_id", "schema", "name", "table"):
                if given.get(name) == "":
                    raise ValueError(f"{name} is empty. Name one, or leave {name} out")
        return given


@dataclass(frozen=True, kw_only=True, slots=True)
class Confirmation:
    """
    Say whether the client can ask its human, and what the human has agreed to.

    Where *asks* is set, the parameter `confirm` counts for nothing: only *agreed* does, the seal
    of the question that was answered with yes.
    """

    asks: bool = False
    agreed: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """
    Carry everything one call needs on its way down.

    *owner* is whom transactions belong to: the principal and, in the revisions that have
    sessions, the MCP session. *settings* hold the caller's own limits where it has any. What
    *databases* and *transactions* lend is checked against *access*. *progress* takes (done, total
    or None, a short message) and may be called as often as one likes; a client that did not ask
    for progress costs nothing. *record* is what the audit will say of the call, to be filled on
    the way.
    """

    caller: Caller
    access: Access
    quota: Quota
    owner: Owner
    settings: Settings
    parser: Parser
    databases: Door
    definers: Definers
    transactions: OwnTransactions
    progress: Progress
    record: Draft
    confirmation: Confirmation


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """
    Hold what the client receives: a text and, where JSON was asked for, the same as an object.

    The two never differ in content, because some clients show only one of them. *rows* are those
    returned or changed, for the audit.
    """

    text: str
    structured: Mapping[str, Any] | None = None  # Any: JSON
    rows: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Tool:
    """
    Describe one tool to the client and run its calls.

    The three hints are MCP's annotations. *run* raises a PgmcpError for everything that the
    caller, the operator or time can mend; anything else is a bug.

    *params* are checked whoever calls, so that one who may not is told which permission is
    missing. What such callers are shown leaves out the parameters *hidden*, and of those in
    *choices* all other values; both by their names on the wire.
    """

    name: str
    title: str
    description: str
    params: type[Params]
    run: Callable[[Call, Any], Awaitable[Answer]]  # Any: each tool has its own Params
    read_only: bool
    destructive: bool
    idempotent: bool = False
    hidden: frozenset[str] = frozenset()
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


async def run_in_turn(tool: Tool, call: Call, params: Params) -> Answer:
    """Run the tool once fewer calls of the caller run than it may have at once."""
    if (turn := call.quota.begin(call.access)) is not None:
        await turn
    try:
        return await tool.run(call, params)
    finally:
        call.quota.end(call.access)


@dataclass(frozen=True, kw_only=True, slots=True)
class Takes:
    """Say which parameters an action needs and which others it understands."""

    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()


def check_action(params: Params, action: str, takes: Takes) -> None:
    """
    Refuse parameters that *action* lacks or does not understand.

    Raises:
        CallerError: names the parameter and lists what the action takes.
    """
    given = {name for name in params.model_fields_set if name != "action"}
    given = {name for name in given if getattr(params, name) is not None}
    allowed = (*takes.needs, *takes.may)
    on_the_wire = {name: field.alias or name for name, field in type(params).model_fields.items()}
    listed = ", ".join(on_the_wire[name] for name in allowed) or "no parameters"
    for name in takes.needs:
        if name not in given:
            raise CallerError(f"action={action} needs {on_the_wire[name]}. It takes: {listed}.")
    for name in sorted(given):
        if name not in allowed:
            shown = on_the_wire[name]
            raise CallerError(f"action={action} does not take {shown}. It takes: {listed}.")


def answer(result: Result, format: str) -> Answer:  # noqa: A002 — the parameter's name on the wire
    """Render *result* in the form that the call asked for."""
    rows = len(result.rows) if result.row_count is None and result.columns else result.row_count
    if format == "json":
        structured = result.as_json()
        return Answer(text=json_text(structured), structured=structured, rows=rows)
    return Answer(text=result.as_text(), rows=rows)
