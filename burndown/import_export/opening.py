"""Open an export of whatever format is at a path."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from burndown.conversion import Findings
from burndown.import_export.exchange import (
    ExchangeReader,
    is_exchange_archive,
    is_json_file,
    read_exchange_archive,
    read_exchange_file,
)
from burndown.import_export.export_reader import ExportReader
from burndown.import_export.open_export import OpenExport
from burndown.import_export.sources import open_source

__all__ = ["open_export"]


@contextmanager
def open_export(path: str | Path, passphrase: str | None = None) -> Iterator[OpenExport]:
    """Open the export at the path: ours in a folder or archive, or an exchange file.

    Args:
        path: the path.
        passphrase: opens the secrets of one of ours, if they are sealed.

    Yields:
        Its reader.

    Raises:
        ImportExportError: there is no export, a file is missing, or two files hold the same part.
    """
    path, findings = Path(path), Findings()
    if is_json_file(path):
        yield ExchangeReader(read_exchange_file(path, findings), findings)
        return
    with open_source(path) as source:
        if is_exchange_archive(source):
            yield ExchangeReader(read_exchange_archive(source, findings), findings)
        else:
            yield ExportReader(source, passphrase)
