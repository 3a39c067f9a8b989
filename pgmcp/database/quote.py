"""
How names and values are written into SQL that pgmcp builds itself.

The one place where text becomes part of a statement; a caller's SQL never passes here.
"""

from __future__ import annotations

from pgmcp.errors import CallerError


def identifier(name: str) -> str:
    """Return *name* as one quoted identifier, exactly as it is spelled."""
    _refuse_nul(name)
    return '"' + name.replace('"', '""') + '"'


def qualified(schema: str, name: str) -> str:
    """Return a schema-qualified, quoted name."""
    return f"{identifier(schema)}.{identifier(name)}"


def literal(text: str) -> str:
    """Return *text* as a string constant, whatever standard_conforming_strings says."""
    _refuse_nul(text)
    quoted = text.replace("'", "''")
    if "\\" in quoted:
        return " E'" + quoted.replace("\\", "\\\\") + "'"
    return f"'{quoted}'"


def _refuse_nul(text: str) -> None:
    """Refuse what would end the message to PostgreSQL too early, and abort a transaction."""
    if "\0" in text:
        raise CallerError("a name or text holds a NUL, which PostgreSQL's cannot. Remove it.")
