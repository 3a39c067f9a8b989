"""
How the facts of an object read as text, section by section.

Owns the words and their order; `page` keeps each value on its line; no server is asked.
"""

from __future__ import annotations

from pgmcp.tools.schema.page import Facts, gutter, item, named, one_line, section, size_text
from pgmcp.tools.schema.relation_text import table_lines

FLAGS = {  # facts that read as their own name
    "persistence": "",
    "access_method": "access method: ",
    "tablespace": "tablespace: ",
    "replica_identity": "replica identity: ",
    "foreign_server": "",
    "extension": "from extension ",
    "in_schema": "in schema ",
    "version": "version ",
    "language": "language ",
    "volatility": "",
    "table": "on ",
    "owned_by": "owned by ",
    "base_type": "over ",
    "range_of": "of ",
}


def lines_of(facts: Facts) -> list[str]:
    """Return the text of one object, without the receipt."""
    lines = [f"{facts['kind']} {one_line(facts['shown'])}"]
    if "comment" in facts:
        lines.append(f"comment: {one_line(facts['comment'])}")
    lines += [one_line(line) for line in (_about(facts), _measures(facts)) if line]
    for kind in (_routine, _sequence, _type, _schema, _index):
        lines += kind(facts)
    lines += table_lines(facts)
    if "definition" in facts and facts["kind"] != "index":
        lines += ["definition", *gutter(facts["definition"])]
    lines += section("used by", [f"  {one_line(_both(user))}" for user in facts.get("used_by", [])])
    lines += _extension(facts)
    lines += section("privileges besides the owner's", _privileges(facts))
    also = facts.get("also_named_so", [])
    lines += section("also of this name", [f"  {one_line(other)}" for other in also])
    return lines


def _both(user: Facts) -> str:
    return f"{user['kind']} {user['name']}"


def _about(facts: Facts) -> str:
    parts = [f"owner: {facts['owner']}"] if "owner" in facts else []
    parts += [f"{words}{facts[key]}" for key, words in FLAGS.items() if key in facts]
    if facts.get("options"):
        parts.append(f"options: {', '.join(facts['options'])}")
    if facts.get("populated") is False:
        parts.append("not populated: REFRESH MATERIALIZED VIEW first")
    if facts.get("security_definer"):
        parts.append("SECURITY DEFINER: runs as its owner")
    return ", ".join(parts)


def _measures(facts: Facts) -> str:
    parts = []
    if "bytes" in facts:
        size = f"size: {size_text(facts['bytes'])}"
        if facts.get("index_bytes"):
            table, index = size_text(facts["table_bytes"]), size_text(facts["index_bytes"])
            size += f" (table {table}, indexes {index})"
        parts.append(size)
    if facts.get("locked"):
        parts.append(
            "locked: somebody holds or awaits ACCESS EXCLUSIVE, so size, defaults, constraints, "
            "indexes, triggers, policies and definition cannot be read now"
        )
    if facts.get("never_analysed"):
        parts.append("rows: never analysed")
    elif "rows" in facts and facts["kind"] != "sequence":
        parts.append(f"rows: about {facts['rows']}")
    return ", ".join(parts)


def _routine(facts: Facts) -> list[str]:
    if "volatility" not in facts and "returns" not in facts:
        return []
    lines = [f"returns: {one_line(facts['returns'])}"] if "returns" in facts else []
    if facts.get("strict"):
        lines.append("strict: NULL for a NULL argument, without being called")
    if "settings" in facts:
        lines.append(f"runs with: {one_line(', '.join(facts['settings']))}")
    return lines


def _sequence(facts: Facts) -> list[str]:
    if facts["kind"] != "sequence":
        return []
    last = facts.get("last_value", "none yet, or not readable by this login")
    lines = [
        f"type: {facts['type']}, from {facts['minimum']} to {facts['maximum']}, "
        f"start {facts['start']}, increment {facts['increment']}, cache {facts['cache']}"
        + (", cycles" if facts["cycle"] else ""),
        f"last value: {last}",
    ]
    return [one_line(line) for line in lines]


def _type(facts: Facts) -> list[str]:
    lines = section(
        "labels, in order", [f"  {one_line(_literal(label))}" for label in facts.get("labels", [])]
    )
    if facts["kind"] == "domain":
        if facts.get("not_null"):
            lines.append("not null")
        if "default" in facts:
            lines.append(f"default: {one_line(facts['default'])}")
        lines += section("checks", named(facts.get("checks", [])))
    attributes = []
    for entry in facts.get("attributes", []):
        attributes += item(
            entry.get("quoted") or entry["name"], entry["type"], entry.get("comment")
        )
    return lines + section("attributes", attributes)


def _literal(text: str) -> str:
    quoted = text.replace("'", "''")
    return f"'{quoted}'"


def _schema(facts: Facts) -> list[str]:
    if facts["kind"] != "schema":
        return []
    on_path = "yes" if facts.get("on_search_path") else "no: write its name before each object's"
    holds = [f"{number} {kind}" for kind, number in facts.get("holds", {}).items()]
    return [f"on the search path: {on_path}", f"holds: {', '.join(holds) or 'nothing'}"]


def _index(facts: Facts) -> list[str]:
    if facts["kind"] != "index":
        return []
    notes = [
        words
        for key, words in (("unique", "unique"), ("primary_key", "primary key"))
        if facts.get(key)
    ]
    if "constraint" in facts and not facts.get("primary_key"):
        notes.append(f"serves constraint {facts['constraint']}")
    if not facts.get("valid", True):
        notes.append("INVALID: not used, rebuild or drop it")
    notes.append(f"{facts.get('scans', 0)} scans counted")
    return [
        one_line(f"definition: {facts['definition']}"),
        one_line(", ".join(notes)),
    ]


def _extension(facts: Facts) -> list[str]:
    if facts["kind"] != "extension":
        return []
    lines = []
    if facts.get("default_version") not in (None, facts["version"]):
        lines.append(f"newer version on the server: {one_line(facts['default_version'])}")
    return lines + section("members", [f"  {one_line(name)}" for name in facts.get("members", [])])


def _privileges(facts: Facts) -> list[str]:
    return [
        f"  {one_line(entry['grantee'])}: {', '.join(entry['privileges'])}"
        for entry in facts.get("privileges", [])
    ]
