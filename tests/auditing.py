"""
The journal of a gateway, read as an operator's program would read it.

Owns the reading; the process is `process`'s. Of this process it collects what a block writes.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from pgmcp.audit import Draft, Record, line_of
from pgmcp.errors import CallerError, QueryFailed
from pgmcp.journal import Form
from pgmcp.statement import Parser
from tests.process import GatewayProcess
from tests.witness import eventually

FIELD = re.compile(r'([a-z]+)=("(?:[^"\\]|\\.)*"|[^ ]+)')
LINE = re.compile(r"[0-9-]+ [0-9:,]+ [A-Z]+ [a-z_.]+ .*")

Fields = dict[str, str]


def fields_of(line: str) -> Fields:
    """Return the fields of one line: bare values, and JSON strings."""
    found = FIELD.findall(line)
    return {key: json.loads(value) if value[0] == '"' else value for key, value in found}


def recorded(parser: Parser, sql: str) -> str:
    """Return the line of the journal for *sql*, as of a call that went well; any it has."""
    draft = Draft(database="shop")
    with suppress(QueryFailed, CallerError):
        draft.statements = asyncio.run(parser.parse(sql))
    return line_of(Record(caller="local", tool="pg_query", draft=draft, outcome="ok"))


@contextmanager
def collecting() -> Iterator[io.StringIO]:
    """Collect what this process would write to the journal."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Form("%(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield stream
    finally:
        root.removeHandler(handler)
        root.setLevel(before)


@dataclass(frozen=True, kw_only=True)
class Journal:
    """Hold what a gateway has written since the journal was opened."""

    process: GatewayProcess
    began: int

    @classmethod
    def of(cls, process: GatewayProcess) -> Journal:
        """Begin to read where the journal ends now."""
        return cls(process=process, began=process.log.stat().st_size)

    @property
    def text(self) -> str:
        """Return everything, other loggers included."""
        return self.process.log.read_bytes()[self.began :].decode()

    @property
    def records(self) -> list[Fields]:
        """Return the records, one of each call and each refusal."""
        return [fields_of(line) for line in self.text.splitlines() if " pgmcp.call " in line]

    async def one(self) -> Fields:
        """Return the only record; of a call that nobody waits for it comes a little later."""

        async def look() -> list[Fields]:
            return self.records

        (record,) = await eventually(look, bool)
        return record
