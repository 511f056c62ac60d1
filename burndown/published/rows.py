"""Rows of the published dashboard as mappings, and the values of their JSON columns.

A row of the database holds JSON as text. In a row of an exchange file it is parsed already.
"""

from collections.abc import Mapping
from typing import Any

from burndown.conversion import (
    LEGACY_VALUES,
    Report,
    UnreadableError,
    json_type,
    parse_json,
    replace_non_finite,
)
from burndown.models import Document
from burndown.models.json_codec import check_storable, decode, encode

__all__ = ["IDS", "Row", "flat_row", "json_object", "json_value", "parse_column"]

Row = Mapping[str, Any]
"""The values of a row by column: ``None``, strings, numbers, and JSON as text or parsed. A column
that the table lacks is absent."""

IDS = frozenset({"id", "profile_id", "query_id"})
"""Columns that tell which row it is, and mean nothing elsewhere."""

_JSON_COLUMNS = frozenset(
    {
        "calculation_metadata",
        "components",
        "custom_fields",
        "fix_versions",
        "labels",
        "metadata",
        "metric_value",
        "scope_data",
    }
)


def flat_row(row: Row) -> Row:
    """Return a row of a file, with JSON text for each container that is in no JSON column."""
    return {
        column: encode(value).decode()
        if isinstance(value, dict | list) and column not in _JSON_COLUMNS
        else value
        for column, value in row.items()
    }


def parse_column(written: Any, depth: int, report: Report) -> Any:
    """Return the value of a JSON column; ``None`` for NULL.

    Args:
        written: the JSON text, or the parsed value.
        depth: the number of containers that the value is put into.
        report: takes a sentence on each value that is converted.

    Raises:
        UnreadableError: it is not JSON, or nests too deeply for its place.
    """
    try:
        return _parse_strictly(written, depth)
    except ValueError:
        pass
    if isinstance(written, str):
        written = parse_json(written.encode(), report)
    try:
        return check_storable(replace_non_finite(written, report), depth)
    except ValueError as error:
        raise UnreadableError(str(error)) from None


def _parse_strictly(written: Any, depth: int) -> Any:
    """Return the value of a JSON column, which nearly all pass; the repair walks over every value.

    Raises:
        ValueError: it is not JSON, or cannot be stored.
    """
    return check_storable(decode(written) if type(written) is str else written, depth)


def json_value(row: Row, column: str, depth: int, kept: Document, report: Report) -> Any:
    """Return the value of a JSON column; ``None`` for NULL, or if it was kept aside.

    Args:
        row: the row.
        column: the column.
        depth: the number of containers that the value is put into.
        kept: takes the text of a column that cannot be read.
        report: takes a sentence on each value that is converted or kept aside.
    """
    written = row.get(column)
    if written is None:
        return None
    try:
        return _parse_strictly(written, depth)
    except ValueError:
        pass
    try:
        return parse_column(written, depth, lambda what: report(f"{column}: {what}"))
    except UnreadableError as error:
        _keep(written, column, str(error), kept, report)
        return None


def json_object(
    row: Row, column: str, depth: int, kept: Document, report: Report
) -> dict[str, Any] | None:
    """Return the object in a JSON column; as :func:`json_value`, but any other value is kept."""
    value = json_value(row, column, depth, kept, report)
    if value is None or type(value) is dict:
        return value
    why = f"input should be an object, got {json_type(value)}"
    _keep(row[column], column, why, kept, report)
    return None


def _keep(written: Any, column: str, why: str, kept: Document, report: Report) -> None:
    kept[column] = written if isinstance(written, str) else encode(written).decode()
    report(f"{column}: {why}; kept under {LEGACY_VALUES}")
