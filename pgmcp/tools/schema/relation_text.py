"""
How the facts of a table or view read as text, section by section.

Owns the words of columns, keys, indexes, policies and partitions; `page` keeps the lines apart.
"""

from __future__ import annotations

from pgmcp.tools.schema.page import Facts, item, named, one_line, section, size_text

CONSTRAINTS = {
    "primary key": "primary key",
    "unique": "unique",
    "foreign key": "foreign keys",
    "check": "checks",
    "exclusion": "exclusions",
}


def table_lines(facts: Facts) -> list[str]:
    """Return the sections that only relations have; none for other objects."""
    lines = _columns(facts)
    lines += section("types used", named(facts.get("types", []), "kind"))
    lines += _constraints(facts)
    lines += section("referenced by", _references(facts))
    lines += section("indexes", _indexes(facts))
    lines += section("triggers and rules", _triggers(facts))
    lines += _row_security(facts)
    lines += _family(facts)
    return lines + section("statistics", _statistics(facts))


def _columns(facts: Facts) -> list[str]:
    lines = []
    for column in facts.get("columns", []):
        lines += item(
            column.get("quoted", column["name"]), column_text(column), column.get("comment")
        )
    return section("columns", lines)


def column_text(column: Facts) -> str:
    """Return a column's type and what else decides which values it takes."""
    parts = [column["type"]]
    if "collation" in column:
        parts[0] += f" collate {column['collation']}"
    if column["not_null"]:
        unproved = column.get("not_null_unproved")
        parts[0] += " not null" + (" (not validated)" if unproved else "")
    if "identity" in column:
        parts.append(f"generated {column['identity']} as identity")
    elif "generated" in column:
        parts.append(f"generated always as ({column['default']}) {column['generated']}")
    elif "default" in column:
        parts.append(f"default {column['default']}")
    if column.get("inherited"):
        parts.append("inherited")
    return ", ".join(parts)


def _constraints(facts: Facts) -> list[str]:
    lines: list[str] = []
    for kind, title in CONSTRAINTS.items():
        found = [entry for entry in facts.get("constraints", []) if entry["kind"] == kind]
        lines += section(title, named(found))
    return lines


def _references(facts: Facts) -> list[str]:
    lines = []
    for entry in facts.get("referenced_by", []):
        lines += item(f"{entry['table']} {entry['name']}", entry["definition"])
    return lines


def _indexes(facts: Facts) -> list[str]:
    lines = []
    for entry in facts.get("indexes", []):
        notes = [entry[key] for key in ("serves",) if key in entry]
        notes += ["INVALID: not used, rebuild or drop it"] if entry.get("invalid") else []
        notes += [size_text(entry["bytes"])] if "bytes" in entry else []
        unique = "unique " if entry["unique"] else ""
        shown = f"{unique}{entry['method_and_keys']}"
        shown += f" ({', '.join(notes)})" if notes else ""
        lines += item(entry["name"], shown, entry.get("comment"))
    return lines


def _triggers(facts: Facts) -> list[str]:
    lines = []
    for entry in facts.get("triggers", []):
        state = f"({entry['state']})" if "state" in entry else ""
        lines += item(f"{entry['name']} {state}".strip(), entry["definition"], entry.get("comment"))
    return lines


def _row_security(facts: Facts) -> list[str]:
    if "row_security" not in facts or facts.get("locked"):
        return []
    lines = [f"row security: {facts['row_security']}"]
    if not facts.get("policies"):
        lines[0] += ", no policy: nobody but the owner and BYPASSRLS sees a row"
    for entry in facts.get("policies", []):
        label = (
            f"{entry['name']} {entry['mode']} for {entry['command']} to {', '.join(entry['roles'])}"
        )
        using = f"using ({entry['using_expression']})" if "using_expression" in entry else ""
        check = f"with check ({entry['check_expression']})" if "check_expression" in entry else ""
        lines += item(label, f"{using} {check}".strip(), entry.get("comment"))
    return lines


def _family(facts: Facts) -> list[str]:
    bound = one_line(facts.get("partition_bound", ""))
    lines = [
        f"partition of {one_line(parent['name'])} {bound}".rstrip()
        for parent in facts.get("partition_of", [])
    ]
    for role in ("inherits", "inherited_by"):
        names = [one_line(other["name"]) for other in facts.get(role, [])]
        lines += section(role.replace("_", " "), [f"  {name}" for name in names])
    if "partition_key" not in facts:
        return lines
    count = facts.get("partition_count", 0)
    lines.append(f"partitions: {count}, by {one_line(facts['partition_key'])}")
    for part in facts.get("partitions", []):
        key = f" partitioned by {part['partition_key']}" if "partition_key" in part else ""
        rows = f", about {part['rows']} rows" if "rows" in part else ""
        bound = part.get("bound", "(bound not readable while locked)")
        lines += item(part["name"], f"{bound}{key}{rows}")
    return lines


def _statistics(facts: Facts) -> list[str]:
    lines = []
    for entry in facts.get("statistics", []):
        lines += item(entry["definition"])
    return lines
