"""The events as tables for people, made from the same schemas as the AsyncAPI document."""

import json
from typing import Any

from timing.domain.events import CHANNELS, event_type
from timing.reference.asyncapi import PREFIX, SOURCES, SPEAKERS, document

_LARGEST = 2**53 - 1


def tables() -> str:
    """Write, in Markdown, each channel with its events and each event with its fields and an example."""
    components = document()["components"]
    parts: list[str] = []
    for channel, kinds in CHANNELS.items():
        source = SOURCES.get(channel)
        topic = f"{PREFIX}/{channel}" + (f"/{{{source}}}" if source else "")
        parts += [f"### `{topic}`", SPEAKERS[channel]]
        for kind in kinds:
            name = event_type(kind.__name__)
            parts += [f"#### `{name}`", components["messages"][name]["summary"], _table(components["schemas"][kind.__name__])]
            examples = [json.dumps(example["payload"], ensure_ascii=False) for example in components["messages"][name]["examples"]]
            parts.append("```json\n" + "\n".join(examples) + "\n```")
    parts.append("### Objects inside events")
    for name in ("Circuit", "Loop", "Distance", "Driver", "PassingKey"):
        schema = components["schemas"][name]
        parts += [f"#### {name}", schema["description"], _table(schema)]
    return "\n\n".join(parts) + "\n"


def _table(schema: dict[str, Any]) -> str:
    rows = [
        f"| `{name}` | {'yes' if name in schema['required'] else 'no'} | {_words(field)} | {_meaning(field)} |"
        for name, field in schema["properties"].items()
        if name != "type" and not field.get("readOnly")
    ]
    return "\n".join(["| field | required | value | meaning |", "|---|---|---|---|", *rows])


def _meaning(field: dict[str, Any]) -> str:
    described = [field, *field.get("anyOf", [])]
    return next((str(part["description"]) for part in described if "description" in part), "")


def _words(field: dict[str, Any]) -> str:
    """Say in a few words what a field may hold."""
    if "anyOf" in field:
        return " or ".join(_words(part) for part in field["anyOf"] if part != {"type": "null"})
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2]
    if "enum" in field:
        return " ".join(f"`{value}`" for value in field["enum"])
    kind = str(field["type"])
    if kind == "array":
        return f"list of {_words(field['items'])}{_nulls(field['items'])}"
    if kind == "string":
        return f"text, {field.get('minLength', 0)} to {field['maxLength']:,} characters" if "maxLength" in field else "text"
    return "`true` or `false`" if kind == "boolean" else f"{kind}{_range(field)}"


def _nulls(items: dict[str, Any]) -> str:
    return ", or `null`" if {"type": "null"} in items.get("anyOf", []) else ""


def _range(field: dict[str, Any]) -> str:
    low, high = field.get("minimum"), field.get("maximum", _LARGEST)
    if high == _LARGEST:
        return "" if low is None or low == -_LARGEST else f" from {low}"
    return f" from {low:,} to {high:,}"
