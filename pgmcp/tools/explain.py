"""
What goes in front of a statement whose plan is asked for.

Owns the options of EXPLAIN; runs nothing.
"""

from __future__ import annotations

from pgmcp.errors import CallerError
from pgmcp.grammar import CHANGES
from pgmcp.statement import Statement
from pgmcp.titles import title_of


def explaining(statement: Statement, *, analyze: bool, json: bool) -> str:
    """
    Return the words that make *statement* an EXPLAIN of itself.

    Raises:
        CallerError: it has no plan, or is an EXPLAIN already.
    """
    if statement.kind == "ExplainStmt":
        raise CallerError("sql is an EXPLAIN already. Send the statement itself, or no explain.")
    if statement.kind not in ("SelectStmt", *CHANGES):
        title = title_of(statement.kind, statement.node)
        raise CallerError(
            f"{title} has no plan. explain is for SELECT, INSERT, UPDATE, DELETE and MERGE."
        )
    options = "ANALYZE, BUFFERS, VERBOSE" if analyze else "VERBOSE"
    return f"EXPLAIN ({options}{', FORMAT JSON' if json else ''}) "
