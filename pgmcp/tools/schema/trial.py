"""
What one dry run of DDL saw.

Owns the noun Trial; `dry_run` fills it and `trial_report` tells it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pgmcp.errors import PgmcpError
from pgmcp.statement import Statement
from pgmcp.tools.schema.lint import Finding
from pgmcp.tools.schema.page import Facts


@dataclass(kw_only=True, slots=True)
class Trial:
    """
    Collect what one dry run saw.

    *locks* are (relation's oid, mode, file and name afterwards), *before* the same relations as
    they are without the DDL. *skipped* says why nothing ran.
    """

    findings: list[Finding]
    skipped: str = ""
    done: list[tuple[Statement, str, float]] = field(default_factory=list)
    error: PgmcpError | None = None
    failed: Statement | None = None
    notices: list[str] = field(default_factory=list)
    locks: list[Facts] = field(default_factory=list)
    before: list[Facts] = field(default_factory=list)
