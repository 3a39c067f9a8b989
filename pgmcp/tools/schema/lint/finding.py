"""
What lint knows of the catalogue, and what it finds in DDL.

Owns the nouns Finding, Table, Column and Catalogue; holds no rule and asks no server.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pgmcp.grammar import Node, relation_names
from pgmcp.tools.schema.page import size_text

Name = tuple[str, ...]  # as the statement spells it, outermost first

PG18 = 180000  # server_version_num


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """
    Say what is dangerous and what to write instead.

    *rule* is squawk's name of it (https://squawkhq.com/docs/rules). *bytes* is how much the
    statement would scan or rewrite while it holds its lock; 0 where it does neither.
    """

    rule: str
    object: str
    why: str
    instead: str
    bytes: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """Hold a column's *type* as format_type writes it, and its bare *typname* (`_text`: array)."""

    type: str
    typname: str
    not_null: bool = False
    proven: bool = False  # a validated CHECK says IS NOT NULL
    users: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """
    Hold what the rules need of an existing table.

    *bytes* is the size without indexes, with all partitions; None where it was not measured,
    which counts as not empty. *users* are what depends on it: views, functions, foreign keys.
    """

    shown: str
    kind: str = "table"
    bytes: int | None = 0
    rows: int | None = None
    columns: Mapping[str, Column] = field(default_factory=dict)
    users: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing would be scanned."""
        return self.bytes == 0

    def size(self) -> str:
        """Return the rows and the size for a sentence."""
        rows = "an unknown number of" if self.rows is None else f"about {self.rows}"
        size = "not measured" if self.bytes is None else size_text(self.bytes)
        return f"{self.shown} has {rows} rows ({size})"


@dataclass(frozen=True, kw_only=True, slots=True)
class Catalogue:
    """
    Hold what exists before the DDL runs.

    *tables* are keyed as the statements spell them; *created* are tables that the same DDL
    creates, which nobody else can see yet, so that no lock and no scan of them hurts; of those
    *validated* it validates a constraint, which may prove that a column has no NULL.
    *volatile* are the names of functions whose result differs by row.
    """

    tables: Mapping[Name, Table] = field(default_factory=dict)
    created: frozenset[Name] = frozenset()
    validated: frozenset[Name] = frozenset()
    volatile: frozenset[str] = frozenset()
    server_version: int = PG18

    def table(self, relation: Node) -> Table | None:
        """Return the table of a RangeVar where it exists and is not created by the same DDL."""
        name = relation_names(relation)
        return None if name in self.created else self.tables.get(name)

    def filled(self, relation: Node) -> Table | None:
        """Return the same, but only where there is something to scan."""
        table = self.table(relation)
        return None if table is None or table.is_empty else table
