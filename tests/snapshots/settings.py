"""
docs/settings.md, made of the sections that check a configuration.

Owns the document's text; every value in it is the code's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pgmcp.cli import FLAGS
from pgmcp.settings import AccessRule, Grant, Settings
from pgmcp.settings.load import ENVIRONMENT
from pgmcp.values import LEAST_SECONDS, MOST_SECONDS, UNITS

# Filled in from other places; a file that names them is refused.
INTERNAL = frozenset({("server", "passwords"), ("server", "roles_passfile")})
NOT_IN_A_FILE = frozenset({("server", "password")})
MULTIPLES = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))
# What a value is called by its type.
TYPES: Mapping[object, str] = {
    str: "text",
    bool: "true or false",
    int: "whole number",
    Path: "path",
    timedelta: "duration",
}
# What a key takes where its type says too little.
KEYS = {
    "port": "number, or text with commas",
    "public_url": "URL without a path",
    "permissions": "`read`, `write`, `ddl`, `admin`, or a list of them",
    "allowed_origins": "list of origins",
    "allowed_hosts": "list of host names",
    "except": "list of patterns",
    "who": "list of callers",
    "databases": "list of patterns",
}
HEAD = """\
# Settings

Generated from the code by `make snapshots`; a test holds it current.

Sources, each above those before it: defaults, a file (`--config FILE`: JSON where its name ends
in `.json`, else TOML), the environment, flags. A key that does not exist is an error, as is a value
of another kind; `pgmcp check --config FILE` says which, without a database and without credentials,
and warns of what is allowed but weak.

```toml
log_level = "info"

[server]
host = "/run/postgresql"
roles = "peer"

[http]
public_url = "https://pi.example.ts.net"

[[access]]
who = "ana@example.com"
permissions = "admin"
```

**A duration** is a number of seconds (`30`, `0.5`) or a number with its unit (`"5min"`; {units}),
from {least} to {most} seconds. **A list** of one may be written without brackets; origins
and host names may also stand in one text, by commas. **No secret** stands in the file: it names a
systemd credential (`LoadCredential=NAME:FILE` in the unit), or the environment has the value.
"""
ACCESS = """\
## [[access]]

{rule} Limits that a rule leaves out are the server's. Who is who: [access.md](access.md).

{table}
### Grants of the tailnet

What the tailnet's policy may grant under the name in `identity.capability`, as JSON: the same keys
without `who`, and

{grants}"""
TAIL = """\
## Environment

| variable | sets |
|---|---|
{variables}
| `CREDENTIALS_DIRECTORY` | set by systemd: where the credentials named above are read |
| `STATE_DIRECTORY` | set by systemd: where the login roles' passwords are kept; {fallback} |
| `PGMCP_PG_BIN` | `pgmcp demo` only: the directory of PostgreSQL's programs |
"""


def document() -> str:
    """Return docs/settings.md."""
    units = ", ".join(f"`{unit}`" for unit in UNITS)
    parts = [HEAD.format(units=units, least=LEAST_SECONDS, most=f"{MOST_SECONDS:,}")]
    parts += [_top()]
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            title = f"## [{name}]\n\n{_intro(field.annotation)}\n"
            parts.append(f"{title}\n{_table(field.annotation, name)}")
    parts.append(_access())
    variables = [f"| `{name}` | `{'.'.join(place)}` |" for name, place in ENVIRONMENT.items()]
    fallback = "else `$XDG_STATE_HOME/pgmcp`, else `~/.local/state/pgmcp`"
    parts.append(TAIL.format(variables="\n".join(variables), fallback=fallback))
    return "\n".join(parts)


def _top() -> str:
    field = Settings.model_fields["log_level"]
    row = _row(("", "log_level"), "log_level", field)
    return f"## Outside the sections\n\n{HEADER}\n{row}\n"


HEADER = "| key | value | default | set by | meaning |\n|---|---|---|---|---|"


def _intro(section: type[BaseModel]) -> str:
    return (section.__doc__ or "").strip().partition("\n")[0]


def _table(section: type[BaseModel], name: str) -> str:
    fields = sorted(_fields(section), key=lambda found: not found[1].is_required())
    rows = [_row((name, key), key, field) for key, field in fields if (name, key) not in INTERNAL]
    return "\n".join([HEADER, *rows, ""])


def _fields(section: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in section.model_fields.items():
        yield field.alias or name, field


def _row(place: tuple[str, str], key: str, field: FieldInfo) -> str:
    shown = f"**`{key}`**" if field.is_required() else f"`{key}`"
    cells = (shown, _value(key, field), _default(field), _sources(place), field.description or "")
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _value(key: str, field: FieldInfo) -> str:
    kind = _kind(key, field.annotation)
    lowest = next((found.ge for found in field.metadata if hasattr(found, "ge")), None)
    highest = next((found.le for found in field.metadata if hasattr(found, "le")), None)
    if lowest is not None and highest is not None:
        return f"{kind}, {lowest} to {highest}"
    return kind if lowest is None else f"{kind}, at least {lowest}"


def _kind(key: str, annotation: Any) -> str:  # Any: a type as typing has it
    """Return a type's name; the one beside None of an optional one."""
    if key in KEYS and annotation is not int:
        return KEYS[key]
    inner = [part for part in get_args(annotation) if part is not type(None)]
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{part}`" for part in inner)
    if annotation in TYPES:
        return TYPES[annotation]
    return _kind(key, inner[0])


def _default(field: FieldInfo) -> str:
    value = field.default
    if field.is_required():
        return "required"
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return ", ".join(f"`{part}`" for part in value) or "empty"
    return f"`{_plain(value)}`"


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
        unit, size = next(pair for pair in MULTIPLES if seconds % pair[1] == 0)
        return f"{seconds / size:g}{unit}"
    return str(value)


def _sources(place: tuple[str, str]) -> str:
    """Return what else than the file sets a value."""
    found = [f"`{name}`" for name, each in ENVIRONMENT.items() if each == place]
    found += [f"`--{place[1].replace('_', '-')}`" for each in FLAGS if each == place]
    if place in NOT_IN_A_FILE:
        return f"only {', '.join(found)}"
    return ", ".join(found)


def _access() -> str:
    limits = {key for key, _ in _fields(AccessRule)}
    granted = [(key, field) for key, field in _fields(Grant) if key not in limits]
    rows = [_row(("", key), key, field) for key, field in granted]
    return ACCESS.format(
        rule=re.sub(r"^One rule; the first", "The first rule", _intro(AccessRule)),
        table=_table(AccessRule, ""),
        grants="\n".join([HEADER, *rows, ""]),
    )
