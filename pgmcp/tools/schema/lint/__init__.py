"""
Lint of DDL: the eight findings that hurt most, by the parse tree and what the catalogue knows.

Owns their order; a finding is advice and stops nothing. The eight, by what they have cost:

1. a column that existing rows cannot have, or that rewrites the table (ADD COLUMN);
2. a changed column type: rewrite, new indexes, views that refuse;
3. CHECK and FOREIGN KEY without NOT VALID: a scan under a lock, for the foreign key on two tables;
4. CREATE INDEX without CONCURRENTLY: writing waits as long as the build takes;
5. SET NOT NULL on a big table: a scan while reading waits as well;
6. UNIQUE or PRIMARY KEY without USING INDEX: a build while reading waits as well;
7. DROP or RENAME of a table or column: clients fail at once, and dropped rows are gone;
8. an integer primary key: cheap to avoid today, a rewrite of many tables at 2147483647.

Left out, because they hurt less or later: timestamp without time zone, char(n), names that are
too long, missing IF EXISTS. Left out, because pg_schema prevents them: a missing lock_timeout,
CONCURRENTLY inside a transaction.
"""

from __future__ import annotations

from collections.abc import Sequence

from pgmcp.statement import Statement
from pgmcp.tools.schema.lint.breaking import removed_or_renamed, small_key
from pgmcp.tools.schema.lint.finding import Catalogue, Column, Finding, Table
from pgmcp.tools.schema.lint.locking import (
    built_constraint,
    built_index,
    changed_type,
    required_column,
    rewriting_column,
    set_not_null,
    validated_constraint,
)

__all__ = ["Catalogue", "Column", "Finding", "Table", "lint"]

RULES = (
    required_column,
    rewriting_column,
    changed_type,
    validated_constraint,
    built_index,
    set_not_null,
    built_constraint,
    removed_or_renamed,
    small_key,
)


def lint(pieces: Sequence[Statement], known: Catalogue) -> list[Finding]:
    """Return what is dangerous in *pieces*, in statement order."""
    return [finding for piece in pieces for rule in RULES for finding in rule(piece, known)]
