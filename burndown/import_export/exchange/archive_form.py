"""An exchange file as an archive, which only the first version was.

::

    manifest.json
    profile.json
    queries/<query>.json
    cache/<part>.json       data files of one query, if requested
"""

from collections.abc import Iterator, Mapping
from typing import Any

from burndown.conversion import Findings, UnreadableError, parse_json, replace_non_finite
from burndown.errors import ImportExportError
from burndown.import_export.content import decode_content
from burndown.import_export.exchange.content import (
    METADATA,
    ONLY_QUERY,
    ExchangeContent,
    ExchangeQuery,
    object_of,
)
from burndown.import_export.file_names import match_names
from burndown.import_export.layout import MANIFEST, PROFILE, QUERIES
from burndown.import_export.manifest import FORMAT
from burndown.import_export.open_export import locating_errors_at
from burndown.import_export.sources import Source

__all__ = ["is_exchange_archive", "read_exchange_archive"]

_CACHE = "cache"
_MANIFEST_KEYS = {"version", "export_type", "profiles"}
_RESPONSE = "jira_cache"


def is_exchange_archive(source: Source) -> bool:
    """Return whether the manifest is that of an exchange file."""
    name = match_names([MANIFEST], source.names()).get(MANIFEST)
    try:
        manifest = None if name is None else decode_content(source.read(name))
    except ImportExportError:  # the reader of exports, which gets it then, says why
        return False
    return (
        isinstance(manifest, dict)
        and manifest.get("format") != FORMAT
        and manifest.keys() >= _MANIFEST_KEYS
    )


def read_exchange_archive(source: Source, findings: Findings) -> ExchangeContent:
    """Return the content of an exchange file that is an archive, or was unpacked from one.

    Args:
        source: its files.
        findings: takes reports of what is converted or skipped.

    Raises:
        ImportExportError: the manifest or the profile is missing or damaged.
    """
    names = match_names((MANIFEST, PROFILE), source.names())
    objects = {}
    for name in (MANIFEST, PROFILE):
        if name not in names:
            raise ImportExportError(
                f"{source.path}: {name}: missing; the export was not copied completely"
            )
        objects[name] = _parsed(source, names[name], findings)
        with locating_errors_at(f"{source.path}: {name}"):
            object_of(objects[name])
    queries = _queries(source, findings)
    return ExchangeContent(
        source.path, objects[MANIFEST], MANIFEST, objects[PROFILE], PROFILE, queries, QUERIES
    )


class _Files(Mapping[str, Any]):
    """Parts of a query that are files, each parsed when it is used.

    Args:
        source: the archive.
        names: the file of each part.
        findings: takes reports of what is converted.
    """

    def __init__(self, source: Source, names: Mapping[str, str], findings: Findings) -> None:
        self._source = source
        self._names = names
        self._findings = findings

    def __getitem__(self, part: str) -> Any:
        return _parsed(self._source, self._names[part], self._findings)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _parsed(source: Source, name: str, findings: Findings) -> Any:
    report = findings.reporter(source.path, f"{name}: ")
    with locating_errors_at(f"{source.path}: {name}"):
        try:
            return replace_non_finite(parse_json(source.read(name), report), report)
        except UnreadableError as error:
            raise ImportExportError(str(error)) from None


def _queries(source: Source, findings: Findings) -> list[ExchangeQuery]:
    """Return the queries, one of them with the files in the cache."""
    places = {key: {METADATA: name} for key, name in _files_below(QUERIES, source).items()}
    cache = _files_below(_CACHE, source)
    owner = _owner_of(cache, places, source)
    if owner is not None:
        places.setdefault(owner, {}).update(cache)
    else:
        for name in cache.values():
            findings.add_skipped(source.path, f"{name}: nothing says which query it belongs to")
    return [
        ExchangeQuery(key, f"{QUERIES}/{key}", _Files(source, names, findings), names)
        for key, names in places.items()
    ]


def _owner_of(
    cache: Mapping[str, str], queries: Mapping[str, Mapping[str, str]], source: Source
) -> str | None:
    """Return the id of the query with the JQL of the response in the cache, or of the only query.

    Args:
        cache: the file of each part in it.
        queries: the files of each query.
        source: the archive.
    """
    if len(queries) < 2:
        return next(iter(queries), ONLY_QUERY if cache else None)
    # What is converted is reported when the parts are read to be imported.
    response = _Files(source, cache, Findings()).get(_RESPONSE)
    jql = response.get("jql_query") if isinstance(response, dict) else None
    metadata = {key: _Files(source, names, Findings())[METADATA] for key, names in queries.items()}
    owners = [
        key
        for key, found in metadata.items()
        if isinstance(found, dict) and isinstance(jql, str) and found.get("jql") == jql
    ]
    return owners[0] if len(owners) == 1 else None


def _files_below(folder: str, source: Source) -> dict[str, str]:
    """Return the JSON files in a folder, by their names in it without ``.json``."""
    return {
        name[len(folder) + 1 : -len(".json")]: name
        for name in source.names()
        if name.startswith(f"{folder}/") and name.endswith(".json")
    }
