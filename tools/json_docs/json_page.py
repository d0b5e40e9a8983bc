"""Writes docs/json.md and docs/json.schema.json: what every command prints with --json.

usage: python tools/json_docs/json_page.py
"""

import json
from pathlib import Path

from json_outputs import OUTPUTS, schemas

from mobile_bnn.typing import Json, JsonObject

DOCS = Path(__file__).resolve().parents[2] / "docs"

INTRODUCTION = """# What `--json` prints

Written by `tools/json_docs/json_page.py`; [json.schema.json](json.schema.json) has the same as JSON Schema.

Every command takes `--json` and then prints one JSON object on standard output, and nothing else there. Progress,
warnings and errors go to standard error, an error as one line that begins with `error:`. The exit code is 0, or 1 if
the job failed, 2 on invalid usage, 130 after Ctrl-C; where it is not 0 there may be no object.

Keys are snake_case, but for objects by name, whose keys are names of layers, metrics, packages or fields of a recipe. A
number that JSON lacks, as a diverged training has them, is one of the strings `"NaN"`, `"Infinity"` and `"-Infinity"`.
Where standard output cannot hold a letter, it is escaped. New keys may come; those that are here stay.
"""


def page() -> str:
    """The Markdown page."""
    schema = schemas()
    parts, used = [INTRODUCTION], []
    for name in OUTPUTS:
        definition = _resolved(schema, schema["properties"][name])
        parts.append(f"## mbnn {name} --json\n\n{_about(definition)}\n")
        used += _mentioned(definition)
    parts.append("## Objects in these\n")
    done: set[str] = set()
    while used:
        name = used.pop(0)
        if name not in done:
            done.add(name)
            definition = schema["$defs"][name]
            parts.append(f"### {name}\n\n{_about(definition)}\n")
            used += _mentioned(definition)
    return "\n".join(parts)


def _resolved(schema: JsonObject, part: JsonObject) -> JsonObject:
    return schema["$defs"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part


def _mentioned(part: Json) -> list[str]:
    """The names of the objects that a schema refers to, in order."""
    if isinstance(part, dict):
        own = [part["$ref"].rpartition("/")[2]] if "$ref" in part else []
        return own + [name for value in part.values() for name in _mentioned(value)]
    return [name for value in part for name in _mentioned(value)] if isinstance(part, list) else []


def _about(definition: JsonObject) -> str:
    lines = [" ".join(definition.get("description", "").split("\n\n")[0].split())]
    if "enum" in definition:
        lines += ["", f"One of {', '.join(f'`{value}`' for value in definition['enum'])}."]
    elif "properties" in definition:
        lines += ["", "| key | type | meaning |", "|---|---|---|"]
        for key, field in definition["properties"].items():
            lines.append(f"| `{key}` | {_type(field)} | {field.get('description', '')} |")
    else:
        lines += ["", f"An {_type(definition)}."]
    return "\n".join(lines)


def _type(field: JsonObject) -> str:
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in field:
        return " or ".join(_type(each) for each in field["anyOf"])
    if "const" in field or "enum" in field:
        return " or ".join(f"`{json.dumps(value)}`" for value in field.get("enum", [field.get("const")]))
    kind = field.get("type", "anything")
    if kind == "array":
        inner = field.get("items") or (field.get("prefixItems") or [{}])[0]
        return f"list of {_type(inner)}"
    if kind == "object":
        inner = field.get("additionalProperties")
        return f"object of {_type(inner)} by name" if isinstance(inner, dict) else "object"
    return kind


def main() -> None:
    """Writes both."""
    DOCS.joinpath("json.md").write_text(page(), encoding="utf-8")
    DOCS.joinpath("json.schema.json").write_text(json.dumps(schemas(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
