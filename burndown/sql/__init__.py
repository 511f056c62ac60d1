"""Statements: how they are built, compiled once for each dialect, and run on a driver's connection.

It depends on tables and columns, but on no entity.
"""

from burndown.sql.executor import ERASES, Executor, log_statement
from burndown.sql.sqlite_dialect import SQLITE
from burndown.sql.statements import (
    Statement,
    document_by_key,
    key_conditions,
    one_of,
    select_documents,
    within,
)
from burndown.sql.upserts import CountingUpsert, Upsert
from burndown.sql.verification import RowVerifier

__all__ = [
    "ERASES",
    "SQLITE",
    "CountingUpsert",
    "Executor",
    "RowVerifier",
    "Statement",
    "Upsert",
    "document_by_key",
    "key_conditions",
    "log_statement",
    "one_of",
    "select_documents",
    "within",
]
