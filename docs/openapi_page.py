"""The OpenAPI document as a page: what each address takes and gives, and each document's fields."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

Schema = dict[str, Any]

PAGE = "reference/http-api-operations"
SOURCE = Path(__file__).parent / "reference" / "openapi.yaml"
TITLES = {"flag": "Flags", "segment": "Segments", "revision": "Revisions", "key": "API keys"}
TYPES = {"string": "text", "boolean": "true or false", "number": "number", "integer": "integer"}
FORMATS = {"date-time": "moment", "date": "date", "uri": "address", "double": "number"}
LIMITS = {
    "minimum": " from {:,.0f}",
    "maximum": " to {:,.0f}",
    "maxLength": ", at most {:,} characters",
    "maxItems": ", at most {:,}",
}


def setup(app: Any) -> None:
    """Tell Sphinx to add all this to the page when it is read."""
    app.connect("source-read", fill)


def fill(app: Any, name: str, source: list[str]) -> None:
    """Write the document below what the page says of it."""
    if name == PAGE:
        for made_of in (SOURCE, Path(__file__)):
            app.env.note_dependency(str(made_of))
        source[0] += markdown(yaml.safe_load(SOURCE.read_text()))


def markdown(document: Schema) -> str:
    """Return a section for each tag, with its operations, and one for the documents they use."""
    lines: list[str] = []
    for tag, title in TITLES.items():
        lines += ["", f"## {title}"]
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if tag in operation["tags"]:
                    lines += _operation(f"{method.upper()} {path.removeprefix('/')}", operation)
    lines += ["", "## Documents"]
    for name, schema in document["components"]["schemas"].items():
        lines += _document(name, schema)
    return "\n".join(lines) + "\n"


def _operation(title: str, operation: Schema) -> list[str]:
    parameters = [
        (f"`{each['name']}` ({each['in']})", each["schema"], each.get("description"))
        for each in operation.get("parameters", ())
        if each["in"] != "path"  # which stands in the title
    ]
    answers = operation["responses"].items()
    refusals = ", ".join(code for code, _ in answers if code >= "400")
    return [
        *("", f"({operation['operationId']})=", f"### `{title}`"),
        *("", operation["description"]),
        *_table("parameter", parameters),
        *("", *_body("takes", operation.get("requestBody", {}))),
        *(line for code, each in answers if code < "400" for line in _body(code, each)),
        f"- refused with {refusals}",
    ]


def _body(label: str, body: Schema) -> list[str]:
    if "content" not in body:
        return [f"- {label}: nothing"] if body else []
    return [f"- {label}: {_kind(body['content']['application/json']['schema'])}"]


def _document(name: str, schema: Schema) -> list[str]:
    described = "" if "enum" in schema else schema.get("description", "")  # which would repeat it
    fields = [
        (f"`{field}`" + _required(field, schema), each, each.get("description"))
        for field, each in schema.get("properties", {}).items()
    ]
    kind = ["", _kind(schema)] if "enum" in schema else []
    return ["", f"(openapi-{name})=", f"### {name}", *kind, "", described, *_table("field", fields)]


def _required(field: str, schema: Schema) -> str:
    shown = schema["properties"][field].get("readOnly")
    return ", required" if field in schema.get("required", ()) and not shown else ""


def _table(title: str, rows: list[tuple[str, Schema, str | None]]) -> list[str]:
    if not rows:
        return []
    head = ["", f"| {title} | type | |", "|---|---|---|"]
    return head + [
        f"| {name} | {_typed(each)} | {_told(each, text)} |" for name, each, text in rows
    ]


def _typed(schema: Schema) -> str:
    limits = [text.format(schema[name]) for name, text in LIMITS.items() if name in schema]
    return "".join([_kind(schema), *limits]) + (" or null" if schema.get("nullable") else "")


def _kind(schema: Schema) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"{{ref}}`{name} <openapi-{name}>`"
    if "allOf" in schema:
        return _kind(schema["allOf"][0])
    if "enum" in schema:
        return "one of " + ", ".join(f"`{each}`" for each in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    if schema.get("type") == "object":
        return "object"
    kind = FORMATS.get(schema.get("format", "")) or TYPES.get(schema.get("type", ""))
    return kind or "any JSON"


def _told(schema: Schema, text: str | None) -> str:
    told = "" if "enum" in schema else " ".join((text or "").split())
    if schema.get("default") not in (None, ""):
        told += f" Default: `{json.dumps(schema['default'])}`."
    return told + (" Only shown." if schema.get("readOnly") else "")
