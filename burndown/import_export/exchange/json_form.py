"""An exchange file as one JSON object.

::

    {"manifest": {…}, "profile_data": {…}, "query_data": {<query>: {<part>: …}}}

In the first files, ``query_data`` has the parts of the only query, without its id. Files of January
2026 have a budget next to it, ``budget_data``, which is that of the profile.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from burndown.conversion import (
    Findings,
    UnreadableError,
    first_few,
    json_type,
    parse_json,
    replace_non_finite,
)
from burndown.database.sqlite_backup import sidecars_of
from burndown.errors import ImportExportError
from burndown.import_export import limits
from burndown.import_export.exchange.content import (
    OLD_PARTS,
    ONLY_QUERY,
    ExchangeContent,
    ExchangeQuery,
    object_of,
)
from burndown.import_export.open_export import locating_errors_at

__all__ = ["is_json_file", "read_exchange_file"]

_MANIFEST, _PROFILE, _QUERIES, _BUDGET = "manifest", "profile_data", "query_data", "budget_data"
_KEYS = {_MANIFEST, _PROFILE, _QUERIES, _BUDGET}


def is_json_file(path: Path) -> bool:
    """Return whether the path leads to a file that begins as a JSON object."""
    try:
        # Closing any descriptor of a database releases the locks that this process has on it.
        if not path.is_file() or sidecars_of(path):
            return False
        with path.open("rb") as file:
            start = file.read(1000)
    except (OSError, ValueError):  # the reader of archives, which gets it then, says why
        return False
    return start.decode(json.detect_encoding(start), "ignore").lstrip().startswith("{")


def read_exchange_file(path: Path, findings: Findings) -> ExchangeContent:
    """Return the content of an exchange file.

    Args:
        path: a file that begins as a JSON object.
        findings: takes reports of what is converted or skipped.

    Raises:
        ImportExportError: it is something else, damaged, or larger than the limits.
    """
    with locating_errors_at(path):
        content = _parsed(path, findings)
        with locating_errors_at(_QUERIES):
            queries = _queries(content, path, findings)
    if unknown := sorted(content.keys() - _KEYS):
        findings.add_skipped(path, f"{first_few(unknown)}: not known")
    return ExchangeContent(
        path,
        content[_MANIFEST],
        _MANIFEST,
        content[_PROFILE],
        _PROFILE,
        queries,
        _QUERIES,
        _budget(content, queries, path, findings),
    )


def _parsed(path: Path, findings: Findings) -> dict[str, Any]:
    """Return the object in a file, with a manifest and a profile."""
    data = _read(path)
    report = findings.reporter(path)
    try:
        content = object_of(replace_non_finite(parse_json(data, report), report))
        for key in (_MANIFEST, _PROFILE):
            with locating_errors_at(key):
                object_of(content.get(key))
    except (UnreadableError, ImportExportError) as error:
        raise ImportExportError(
            f"it is no exchange file of the published dashboard: {error}"
        ) from None
    return content


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limits.MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ImportExportError(f"it cannot be read: {error.strerror}") from None
    try:
        limits.check_size(path.name, len(data))
        limits.check_content(path.name, data)
    except ImportExportError as error:
        advice = "move the database of the dashboard instead (`burndown migrate`)"
        raise ImportExportError(f"{error}; {advice}") from None
    return data


def _queries(content: Mapping[str, Any], path: Path, findings: Findings) -> list[ExchangeQuery]:
    written = content.get(_QUERIES)
    found = {} if written is None else object_of(written)
    if found.keys() & OLD_PARTS.keys():
        return [ExchangeQuery(_only_key(content), _QUERIES, found)]
    if odd := [key for key, parts in found.items() if not isinstance(parts, dict)]:
        findings.add_skipped(path, f"{_QUERIES}: input should be objects: {first_few(odd)}")
    return [
        ExchangeQuery(key, f"{_QUERIES}.{key}", parts)
        for key, parts in found.items()
        if isinstance(parts, dict)
    ]


def _only_key(content: Mapping[str, Any]) -> str:
    """Return the id of the only query, as far as the file has it."""
    profile = content[_PROFILE]
    known = (content.get("query_id"), profile.get("query_id"), profile.get("active_query_id"))
    return next((each for each in known if isinstance(each, str)), ONLY_QUERY)


def _budget(
    content: Mapping[str, Any], queries: Sequence[ExchangeQuery], path: Path, findings: Findings
) -> dict[str, Any] | None:
    """Return the budget of the profile, unless it is damaged or there is no query to give it to."""
    written = content.get(_BUDGET)
    if written is None or (isinstance(written, dict) and queries):
        return written
    is_odd = not isinstance(written, dict)
    why = f"input should be an object, got {json_type(written)}" if is_odd else "there is no query"
    findings.add_skipped(path, f"{_BUDGET}: {why}")
    return None
