"""Logging of SQLAlchemy's engines, without values of rows."""

import logging

__all__ = ["WITHOUT_VALUES"]

_NAME = "burndown"

WITHOUT_VALUES = {"hide_parameters": True, "logging_name": _NAME}
"""Options of each engine, with which neither errors nor logs hold values."""


def _holds_no_row(record: logging.LogRecord) -> bool:
    """Return whether a record is not one of the rows that SQLAlchemy logs at ``DEBUG``."""
    return not str(record.msg).startswith("Row ")


logging.getLogger(f"sqlalchemy.engine.Engine.{_NAME}").addFilter(_holds_no_row)
