"""Flat tables of a store for analysts, without secrets, in SQLite, CSV or Parquet.

::

    columns    tables and their columns, read from the classes of their rows
    declared   the classes: the type and the description of each column
    issues     rows of issues and their statuses
    sprints    rows of sprints
    weeks      rows of metrics, forecasts and weekly work
    rows       the rows of all tables, query by query
    database   tables in SQLite, and the changes that make them those of a store
    files      CSV and Parquet files
    metadata   descriptions for Datasette
    writing    a store to a file or folder
"""

from burndown.tables.columns import Column, Table
from burndown.tables.database import TableChanges
from burndown.tables.declared import TABLES
from burndown.tables.writing import write_tables

__all__ = ["TABLES", "Column", "Table", "TableChanges", "write_tables"]
