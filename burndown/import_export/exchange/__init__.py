"""Exchange files of the published dashboard, read as exports.

::

    json_form       the file as one JSON object
    archive_form    the file as an archive
    content         what is in either
    query_reader    the data of a query as documents
    reader          all of it as an export
"""

from burndown.import_export.exchange.archive_form import (
    is_exchange_archive,
    read_exchange_archive,
)
from burndown.import_export.exchange.json_form import is_json_file, read_exchange_file
from burndown.import_export.exchange.reader import ExchangeReader

__all__ = [
    "ExchangeReader",
    "is_exchange_archive",
    "is_json_file",
    "read_exchange_archive",
    "read_exchange_file",
]
