"""The page of the data model, with a picture of the tables, from the models."""

from html import escape

from sqlalchemy import Column, Table
from sqlalchemy.dialects import sqlite

from burndown.models import ENTITIES, Entity
from docs.site.markdown import plain

__all__ = ["data_model", "picture"]

_INTRODUCTION = """# Data model

Each stored entity has a table, in SQLite and in PostgreSQL. Data of a profile or query is deleted
with it. Types are those of SQLite; `?` marks a column that can be null.

"""

_OF_STORE = {
    "content_digest": "The [digest](damage.md) of the compressed value; the store makes it.",
    "digest": "The [digest](damage.md) of the row; the store makes it.",
    "extra": "Keys of the document that have no column of their own, as a JSON object.",
}
"""The meaning of columns that are no settings or data of a model."""

_WIDTH, _GAP, _LINE, _TITLE = 236, 44, 18, 28


def data_model() -> str:
    """Return Markdown with the picture, and a section for each table."""
    sections = "\n".join(map(_section, ENTITIES))
    return f"{_INTRODUCTION}{picture()}\n\n{sections}"


def _section(entity: type[Entity]) -> str:
    """Return the heading, meaning and columns of a table."""
    name = entity.__name__
    properties = entity.model_json_schema()["properties"]
    rows = "".join(
        f"| `{column.name}`{' (key)' if column.primary_key else ''} | {_type(column)} "
        f"| {_OF_STORE.get(column.name) or plain(properties[column.name].get('description'))} |\n"
        for column in entity.__table__.columns
    )
    return (
        f"## `{entity.__table__.name}`\n\n"
        f"{plain(entity.__doc__)} [`{name}`][burndown.models.{name}]\n\n"
        f"| column | type | meaning |\n|---|---|---|\n{rows}"
    )


def _type(column: Column[object]) -> str:
    return column.type.compile(sqlite.dialect()) + ("?" if column.nullable else "")


def picture() -> str:
    """Return an SVG of the tables: each to the right of the one that it belongs to."""
    tables = [entity.__table__ for entity in ENTITIES]
    places: dict[Table, tuple[int, int]] = {}
    heights: dict[int, int] = {}
    for table in tables:
        depth = _depth(table)
        y = heights.get(depth, 0)
        places[table] = (depth * (_WIDTH + _GAP), y)
        heights[depth] = y + _height(table) + _LINE
    width = (max(heights) + 1) * (_WIDTH + _GAP) - _GAP
    lines = "".join(
        _line(places[owner], places[table]) for table in tables for owner in _owners(table)
    )
    boxes = "".join(_box(table, *place) for table, place in places.items())
    return (
        '<div class="picture">'
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-2 -2 {width + 4} '
        f'{max(heights.values()) + 4}" role="group" aria-label="Tables and their references">'
        f"{lines}{boxes}</svg></div>"
    )


def _owners(table: Table) -> set[Table]:
    """Return the tables that a table refers to."""
    return {key.column.table for key in table.foreign_keys}


def _depth(table: Table) -> int:
    """Return how many owners a table has above it."""
    return max((_depth(owner) + 1 for owner in _owners(table)), default=0)


def _height(table: Table) -> int:
    return _TITLE + _LINE * len(table.columns) + _LINE // 2


def _line(owner: tuple[int, int], owned: tuple[int, int]) -> str:
    """Return the line from an owner to what it owns, which ends at a dot."""
    x, y = owner[0] + _WIDTH, owner[1] + _TITLE // 2
    to_x, to_y = owned[0], owned[1] + _TITLE // 2
    middle = (x + to_x) // 2
    return f'<path d="M{x} {y}H{middle}V{to_y}H{to_x}"/><circle cx="{to_x}" cy="{to_y}" r="4"/>'


def _box(table: Table, x: int, y: int) -> str:
    """Return the box of a table: its name, and its columns with their types."""
    columns = "".join(
        _text(_TITLE + _LINE * number - 4, column.name, "key" if column.primary_key else "column")
        + _text(_TITLE + _LINE * number - 4, _type(column).lower(), "type", x=_WIDTH - 10)
        for number, column in enumerate(table.columns, 1)
    )
    title = _text(19, table.name, "title")
    return (
        f'<g transform="translate({x} {y})">'
        f'<rect width="{_WIDTH}" height="{_height(table)}" rx="6"/>'
        f'<a href="#{table.name}">{title}</a><path d="M0 {_TITLE}H{_WIDTH}"/>{columns}</g>'
    )


def _text(y: int, text: str, kind: str, x: int = 10) -> str:
    return f'<text x="{x}" y="{y}" class="{kind}">{escape(text)}</text>'
