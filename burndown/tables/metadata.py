"""Descriptions of the tables in the format of Datasette's ``metadata.json``."""

import json
from typing import Any

from burndown.tables.declared import TABLES

__all__ = ["metadata_of"]


def metadata_of(name: str) -> bytes:
    """Return the metadata of a file with the tables.

    Args:
        name: the name of the database in Datasette, which is that of the file without its ending.
    """
    tables: dict[str, Any] = {
        table.name: {
            "description": table.title,
            "columns": {each.name: each.description for each in table.columns},
        }
        for table in TABLES
    }
    database = {"source": "burndown tables", "tables": tables}
    return json.dumps({"databases": {name: database}}, indent=2).encode()
