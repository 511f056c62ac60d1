"""Open an export of whatever format is at a path."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from burndown.import_export.export_reader import ExportReader
from burndown.import_export.open_export import OpenExport
from burndown.import_export.sources import open_source

__all__ = ["open_export"]


@contextmanager
def open_export(path: str | Path) -> Iterator[OpenExport]:
    """Open the export at the path, a folder or one file.

    Yields:
        Its reader.

    Raises:
        ImportExportError: there is no export, a file is missing, or two files hold the same part.
    """
    with open_source(Path(path)) as source:
        yield ExportReader(source)
