"""
What clients read, written down: `python -m tests.snapshots` writes it anew, tests compare.

Owns where each text lives and how a value that differs from run to run is made one that does not.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).parent
ERRORS = FOLDER / "errors"

# In order: what a run decides by itself, and what stands for it.
VARIABLE = (
    (re.compile(r"\d+\.\d ms"), "0.0 ms"),
    (re.compile(r"tx_[\w-]{5}(?=…)"), "tx_AAAAA"),
    (re.compile(r"tx_[\w-]{22}"), "tx_AAAAAAAAAAAAAAAAAAAAAA"),
    (re.compile(r"incident [0-9a-f]{8}"), "incident 00000000"),
    (re.compile(r"\d\d:\d\d UTC"), "14:02 UTC"),
    (re.compile(r"at /\S+ port \d+"), "at /run/postgresql port 5432"),
    (re.compile(r"at 127\.0\.0\.1 port \d+"), "at 127.0.0.1 port 5432"),
    (re.compile(r'"/\S+/\.s\.PGSQL\.\d+"'), '"/run/postgresql/.s.PGSQL.5432"'),
    (re.compile(r"('127\.0\.0\.1', )\d+"), r"\g<1>5432"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:5432"),
    (re.compile(r"pg_temp_\d+"), "pg_temp_3"),
    (re.compile(r"[Pp]rocess \d+"), "process 1234"),
    (re.compile(r"transaction \d+"), "transaction 777"),
    (re.compile(r"pid \d+"), "pid 1234"),
    (re.compile(r"session \d+"), "session 1234"),
    (re.compile(r"in a transaction for \d+ s"), "in a transaction for 12 s"),
    (re.compile(r"is \d+ \(role"), "is 1234 (role"),
    (re.compile(r'confirm="\d+"'), 'confirm="1234"'),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+"), "2026-01-02 14:02:03.456"),
    # The server of the run; a sentence about what one version has keeps its number.
    (re.compile(r"(?<=PostgreSQL )\d+(?='s client programs|\. Known here)"), "18"),
    (re.compile(r"(?<=postgresql-client-)\d+"), "18"),
    # PostgreSQL's last words, which asyncpg 0.31 does not pass on.
    (re.compile(r"(?<=in the middle of operation): [^.\n]+"), ""),
)


def normalise(text: str) -> str:
    """Return *text* as every run would have it."""
    for pattern, constant in VARIABLE:
        text = pattern.sub(constant, text)
    return text
