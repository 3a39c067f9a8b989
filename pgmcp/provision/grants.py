"""
Reading and writing: privileges on the schemas, tables, views and sequences that are there.

Owns these privileges of the login roles; never changes PUBLIC's, nor anybody else's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pgmcp.database.quote import identifier, qualified
from pgmcp.provision.excepted import is_excepted
from pgmcp.provision.step import Options, Plan, Row, Step, counted, is_true, listed, parts
from pgmcp.provision.wanted import ADMIN, BACKUP, DDL, MONITOR, READ, ROLES, WRITE

CHUNK = 250  # objects named in one statement, each locked while it runs
NOUNS = {"r": "table", "p": "table", "f": "table", "v": "view", "m": "view", "S": "sequence"}
Held = frozenset[tuple[str, str]]  # role and privilege


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """Name one privilege list that one role is given or loses on an object."""

    verb: str
    role: str
    privileges: tuple[str, ...]
    noun: str
    name: str
    may_act: bool


def held(row: Row) -> Held:
    """Return what the roles hold, from "role:PRIVILEGE,…"."""
    pairs = (entry.partition(":") for entry in parts(row["held"]))
    return frozenset((role, privilege) for role, _, privilege in pairs)


def plan_connect(database: Row) -> Plan:
    """Say which roles may not connect where PUBLIC may not."""
    has = held(database)
    missing = [role for role in ROLES if (role, "CONNECT") not in has]
    if is_true(database["anyone_connects"]) or not missing:
        return Plan()
    return Plan(
        steps=(
            Step(
                sql=f"GRANT CONNECT ON DATABASE {identifier(str(database['name']))} "
                f"TO {', '.join(missing)}",
                what=f"grant CONNECT to {', '.join(missing)}",
                may_act=is_true(database["may_act"]),
            ),
        )
    )


def plan_schemas(
    rows: Sequence[Row], database: str, options: Options, *, ddl_creates: bool
) -> Plan:
    """Say who lacks a way into a schema; with *ddl_creates* pgmcp_ddl makes objects as itself."""
    wanted = {(MONITOR, "USAGE")}
    if not options.read_all:
        wanted.add((READ, "USAGE"))
    if ddl_creates:
        wanted.add((DDL, "CREATE"))
    changes: list[Change] = []
    for row in rows:
        name, has, may_act = str(row["schema"]), held(row), is_true(row["may_act"])
        closed = {(READ, "USAGE")} if is_excepted(options, database, name) else set()
        changes += (
            Change(
                verb=verb,
                role=role,
                privileges=(privilege,),
                noun="schema",
                name=identifier(name),
                may_act=may_act,
            )
            for verb, found in (("grant", wanted - closed - has), ("revoke", closed & has))
            for role, privilege in sorted(found)
        )
    open_to_all = [str(row["schema"]) for row in rows if is_true(row["anyone_creates"])]
    if not open_to_all:
        return Plan(steps=_steps(changes))
    note = (
        f"everybody may create in schema {listed(open_to_all)}; what roles make there for whom "
        "nothing was arranged is closed to the gateway until the next run"
    )
    return Plan(steps=_steps(changes), notes=(note,))


def plan_relations(rows: Sequence[Row], database: str, options: Options) -> Plan:
    """Say what reading and writing lack on each relation, and what they must not hold."""
    changes: list[Change] = []
    secrets = []
    for row in rows:
        has = held(row)
        is_closed = is_excepted(options, database, str(row["schema"]), str(row["name"]))
        wanted = set() if is_closed else _wanted(row, options)
        if is_true(row["reaches_secrets"]):
            secrets.append(f"{row['schema']}.{row['name']}")
            wanted, is_closed = set(), True
        excess = {pair for pair in has if pair[0] in (READ, WRITE)} if is_closed else set()
        if is_true(row["has_policies"]):
            excess |= has & {(WRITE, "TRUNCATE")}
        narrowed = parts(row["narrowed"])
        missing = {pair for pair in wanted - has if pair[0] not in narrowed}
        changes += _changes(row, "grant", missing)
        changes += _changes(row, "revoke", excess)
    if not secrets:
        return Plan(steps=_steps(changes))
    note = (
        f"{listed(secrets)}: not opened, as it reads password verifiers, sampled values or the "
        "like from PostgreSQL's own catalogs"
    )
    return Plan(steps=_steps(changes), notes=(note,))


def _wanted(row: Row, options: Options) -> set[tuple[str, str]]:
    """
    Return what the roles should hold on a relation; pgmcp_write is a member of pgmcp_read.

    TRUNCATE passes by row security, so it is not given where there are policies. A view over
    catalogs may be writable with its owner's rights, so it is only read.
    """
    kind = row["kind"]
    found = set() if options.read_all else {(READ, "SELECT")}
    if kind == "S":
        return found | {(MONITOR, "SELECT"), (WRITE, "USAGE"), (WRITE, "UPDATE")}
    if kind == "m" or is_true(row["reaches_catalogs"]):
        return found
    found |= {(WRITE, privilege) for privilege in ("INSERT", "UPDATE", "DELETE")}
    if kind != "v" and not is_true(row["has_policies"]):
        found.add((WRITE, "TRUNCATE"))
    return found


def _changes(row: Row, verb: str, pairs: set[tuple[str, str]]) -> Iterator[Change]:
    for role in sorted({role for role, _ in pairs}):
        yield Change(
            verb=verb,
            role=role,
            privileges=tuple(sorted(privilege for who, privilege in pairs if who == role)),
            noun=NOUNS[str(row["kind"])],
            name=qualified(str(row["schema"]), str(row["name"])),
            may_act=is_true(row["may_act"]),
        )


def _steps(changes: Sequence[Change]) -> tuple[Step, ...]:
    """Put what is alike into one statement."""
    alike: defaultdict[tuple[str, str, tuple[str, ...], str, bool], list[str]] = defaultdict(list)
    for change in changes:
        key = (change.verb, change.role, change.privileges, change.noun, change.may_act)
        alike[key].append(change.name)
    steps = []
    for (verb, role, privileges, noun, may_act), names in alike.items():
        words = ", ".join(privileges)
        on = {"schema": "SCHEMA", "sequence": "SEQUENCE"}.get(noun, "TABLE")
        to = "TO" if verb == "grant" else "FROM"
        steps += [
            Step(
                sql=f"{verb.upper()} {words} ON {on} {', '.join(chunk)} {to} {role}",
                what=f"{verb} {words} on {counted(len(chunk), noun)} {to.lower()} {role}",
                may_act=may_act,
            )
            for chunk in (names[i : i + CHUNK] for i in range(0, len(names), CHUNK))
        ]
    return tuple(steps)


def plan_defaults(rows: Sequence[Row], options: Options, *, ddl_creates: bool) -> Plan:
    """Say what the roles will lack on what is made later, by everybody who may make something."""
    wanted = [
        (WRITE, "TABLES", "r", ("DELETE", "INSERT", "TRUNCATE", "UPDATE")),
        (WRITE, "SEQUENCES", "S", ("UPDATE", "USAGE")),
        (MONITOR, "SEQUENCES", "S", ("SELECT",)),
        (MONITOR, "SCHEMAS", "n", ("USAGE",)),
    ]
    if not options.read_all:
        wanted += [
            (READ, "TABLES", "r", ("SELECT",)),
            (READ, "SEQUENCES", "S", ("SELECT",)),
            (READ, "SCHEMAS", "n", ("USAGE",)),
        ]
    if ddl_creates:
        wanted.append((DDL, "SCHEMAS", "n", ("CREATE",)))
    # Before the first run there is no pgmcp_ddl to be found, and it will make things too.
    known = {str(row["creator"]): row for row in rows}
    makers = {name for name in known if name not in (READ, WRITE, MONITOR, BACKUP)} | {DDL, ADMIN}
    has = {name: parts(row["held"]) for name, row in known.items()}
    may_act = {name: is_true(row["may_act"]) for name, row in known.items()}
    steps = []
    for allowed in (True, False):
        group = [name for name in sorted(makers) if may_act.get(name, True) is allowed]
        lacking = {
            (role, word, privileges): [
                name
                for name in group
                if not {f"{role}:{kind}:{item}" for item in privileges}
                <= has.get(name, frozenset())
            ]
            for role, word, kind, privileges in wanted
        }
        if any(lacking.values()):
            steps.append(_default(lacking, may_act=allowed))
    return Plan(steps=tuple(steps))


def _default(
    lacking: Mapping[tuple[str, str, tuple[str, ...]], Sequence[str]], *, may_act: bool
) -> Step:
    """Return one step for the default privileges that each role *lacking* them gets."""
    makers = sorted({name for names in lacking.values() for name in names})
    return Step(
        sql=";\n".join(
            f"ALTER DEFAULT PRIVILEGES FOR ROLE {', '.join(identifier(name) for name in names)} "
            f"GRANT {', '.join(privileges)} ON {word} TO {role}"
            for (role, word, privileges), names in lacking.items()
            if names
        ),
        what=f"set default privileges for what {listed(makers)} will make",
        may_act=may_act,
    )
