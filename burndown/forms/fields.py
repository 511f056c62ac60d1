"""The fields of a form, as the JSON schema of a model describes them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, NamedTuple

from burndown.models.docstring_schema import FOR_PEOPLE, Described

__all__ = ["Bounds", "FormField", "Kind", "fields_of"]

Kind = Literal[
    "text",
    "url",
    "secret",
    "number",
    "integer",
    "flag",
    "date",
    "timestamp",
    "choice",
    "list",
    "source",
    "json",
]
"""The input of a field; a ``list`` has strings, a ``source`` is a Jira field or a rule as JSON."""

_Schema = dict[str, Any]

_FORMATS: dict[str, Kind] = {
    "date": "date",
    "date-time": "timestamp",
    "password": "secret",
    "uri": "url",
    "iri-reference": "url",
}
_TYPES: dict[frozenset[str], Kind] = {
    frozenset({"string"}): "text",
    frozenset({"integer"}): "integer",
    frozenset({"number"}): "number",
    frozenset({"integer", "number"}): "number",
    frozenset({"boolean"}): "flag",
    frozenset({"boolean", "array"}): "flag",  # the dashboard's checkbox writes a list
    frozenset({"array"}): "list",
    frozenset({"string", "object"}): "source",
}


class Bounds(NamedTuple):
    """The limits of a number; ``None`` for none."""

    minimum: float | None = None
    exclusive_minimum: float | None = None
    maximum: float | None = None
    exclusive_maximum: float | None = None


@dataclass(frozen=True, slots=True)
class FormField:
    """One setting."""

    path: str
    """Path to it in a document and in errors, such as ``jira_config.base_url``."""
    kind: Kind
    label: str
    help: str
    """Its meaning, in plain text."""
    section: str
    """The label of the section that it is in, such as ``Field mappings, DORA``; empty for none."""
    default: Any
    """The value that applies while it is not set, as in documents."""
    required: bool
    """Whether it cannot be unset, since it has no default."""
    choices: tuple[str, ...]
    """The values of a ``choice``."""
    bounds: Bounds
    for_people: bool
    """Whether people set it, rather than programs."""
    unit: str
    """The path of what is saved together: its own, or of a section that may also be a list."""


@cache
def fields_of(model: type[Described]) -> tuple[FormField, ...]:
    """Return the settings of an entity or section in their order, those of its sections included.

    Args:
        model: such as :class:`~burndown.models.Profile`. Its docstrings are the help.
    """
    schema = model.model_json_schema()
    return tuple(_fields(schema, schema.get("$defs", {})))


def _fields(
    schema: _Schema,
    definitions: Mapping[str, _Schema],
    parent: str = "",
    section: str = "",
    unit: str = "",
) -> Iterator[FormField]:
    for key, described in schema["properties"].items():
        path, label = f"{parent}{key}", described["title"]
        options = list(_options(described, definitions))
        nested = next((option for option in options if "properties" in option), None)
        if nested is not None:
            heading = f"{section}, {label}" if section else label
            one_piece = unit or (path if len(options) > 1 else "")
            yield from _fields(nested, definitions, f"{path}.", heading, one_piece)
            continue
        yield FormField(
            path=path,
            kind=_kind([described, *options]),
            label=label,
            help=_plain_text(described.get("description", "")),
            section=section,
            default=described.get("default"),
            required="default" not in described,
            choices=tuple(value for option in options for value in option.get("enum", ())),
            bounds=_bounds(options),
            for_people=described.get(FOR_PEOPLE, True),
            unit=unit or path,
        )


def _plain_text(docstring: str) -> str:
    return " ".join(docstring.replace("``", "").split())


def _options(schema: _Schema, definitions: Mapping[str, _Schema]) -> Iterator[_Schema]:
    """Return the alternatives for a value, except ``null`` and the empty string."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        for option in schema["anyOf"]:
            yield from _options(option, definitions)
    elif schema.get("type") != "null" and schema.get("const") != "":
        yield schema


def _kind(schemas: list[_Schema]) -> Kind:
    """Return the kind for the schema of a field and its alternatives."""
    if any("enum" in schema for schema in schemas):
        return "choice"
    for schema in schemas:
        if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]]
    return _TYPES.get(frozenset(_type(schema) for schema in schemas if "type" in schema), "json")


def _type(schema: _Schema) -> str:
    is_of_others = schema["type"] == "array" and schema.get("items", {}).get("type") != "string"
    return "array of others" if is_of_others else str(schema["type"])


def _bounds(options: list[_Schema]) -> Bounds:
    keywords = {keyword: value for option in options for keyword, value in option.items()}
    return Bounds(
        minimum=keywords.get("minimum"),
        exclusive_minimum=keywords.get("exclusiveMinimum"),
        maximum=keywords.get("maximum"),
        exclusive_maximum=keywords.get("exclusiveMaximum"),
    )
