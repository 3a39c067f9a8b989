"""
How a tool's parameters look as JSON Schema: flat, closed, without ornament.

Owns the conversion; what clients refuse is listed in reference form in docs/decisions.md.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from pgmcp.tools.base import Params

EVERYTHING: Mapping[str, tuple[str, ...]] = MappingProxyType({})
Schema = dict[str, Any]  # Any: JSON


def schema_of(
    params: type[Params],
    *,
    hidden: Collection[str] = (),
    choices: Mapping[str, tuple[str, ...]] = EVERYTHING,
) -> Schema:
    """
    Return the input schema of *params*, without those *hidden* and with only these *choices*.

    `X | None` becomes plain X, because leaving a parameter out says the same, and titles go:
    both are tokens that every conversation would pay for.
    """
    schema = params.model_json_schema()
    properties = {
        name: _plain(body) for name, body in schema["properties"].items() if name not in hidden
    }
    for name, values in choices.items():
        properties[name]["enum"] = [one for one in properties[name]["enum"] if one in values]
    shown: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if required := schema.get("required"):
        shown["required"] = required
    return shown


def _plain(body: Schema) -> Schema:
    body = {key: value for key, value in body.items() if key != "title"}
    choices = body.pop("anyOf", None)
    if choices is not None:
        (choice,) = [choice for choice in choices if choice != {"type": "null"}]
        body = {**choice, **body}
    if body.get("minLength") == 1:
        del body["minLength"]  # that a name is not empty goes without saying
    if "default" in body and body["default"] is None:
        del body["default"]
    return body
