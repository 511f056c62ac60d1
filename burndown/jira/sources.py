"""Field mappings: where the value of a metric comes from in an issue.

The old dashboard has them as strings, and some builds of it as rules, which are the parsed strings:

- ``customfield_1``, ``status.statusCategory.key``: a field, or a path into it;
- ``customfield_1=Yes``, ``environment=PROD|Production``: whether a field has a value;
- ``status:In Progress.DateTime``: when a field was first changed to a value;
- ``status:In Progress.Occurred``: whether it ever was;
- ``OPS.fixVersions.releaseDate``, ``OPS|WEB.created``, ``*.created``: only in these projects.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol

from burndown.jira.history import Change, History
from burndown.jira.values import Scalar, follow, scalars, to_number

__all__ = ["Readable", "Reader", "reader_of"]


class Readable(Protocol):
    """An issue, as far as sources read it."""

    @property
    def fields(self) -> Mapping[str, Any]:
        """Return the fields as Jira sent them."""

    @property
    def project(self) -> str | None:
        """Return the key of the project."""

    @property
    def history(self) -> History:
        """Return the changes of the issue."""


Reader = Callable[[Readable], Any]
"""Returns the value of an issue as Jira sent it, ``None`` if there is none."""

_PROJECT = r"(?:[A-Z]\w*|\*)"
_SOURCE = re.compile(
    rf"(?:(?P<projects>{_PROJECT}(?:\|{_PROJECT})*)\.)?"
    r"(?P<path>[^:=]+)(?:=(?P<values>.*)|:(?P<new>.*?)(?:\.(?P<what>DateTime|Occurred|Duration))?)?",
    re.ASCII,
).fullmatch


def reader_of(source: Any) -> Reader:
    """Return the function that reads a source, given as a string or as a rule."""
    if isinstance(source, str):
        return _parsed(source)
    return _rule(source) if isinstance(source, dict) else _nothing


def _nothing(_: Readable) -> None:
    return None


@lru_cache(1024)
def _parsed(source: str) -> Reader:
    found = _SOURCE(source.strip())
    if found is None:
        return _nothing
    projects = (found["projects"] or "*").split("|")
    return _within(projects, _unfiltered(found))


def _unfiltered(found: re.Match[str]) -> Reader:
    path = found["path"].strip().split(".")
    if found["new"] is not None:
        change = _first_change(path[0], [found["new"].strip()], [])
        return _time_of(change) if found["what"] == "DateTime" else _occurred(change)
    values = [value.strip() for value in (found["values"] or "").split("|")]
    wanted = [value for value in values if value]
    return _has(path, wanted) if wanted else _field(path)


def _rule(rule: dict[str, Any]) -> Reader:
    source, filters = rule.get("source"), rule.get("filters")
    reader = _of_rule(source) if isinstance(source, dict) else _nothing
    return _filtered(filters, reader) if isinstance(filters, dict) else reader


def _of_rule(source: dict[str, Any]) -> Reader:
    path = "".join(_texts(source.get("field"))[:1]).split(".")
    condition = source.get("condition")
    change = _first_change(
        path[0],
        _texts(follow(condition, ["transition_to"])),
        _texts(follow(condition, ["transition_from"])),
    )
    match source.get("type"):
        case "field_value":
            return _field(path)
        case "field_value_match":
            return _compare(path, source.get("operator"), source.get("value"))
        case "changelog_timestamp":
            return _time_of(change)
        case "changelog_event":
            return _occurred(change)
        case "fixversion_releasedate":
            return _release_date(source.get("selector"))
    return _nothing


def _texts(value: Any) -> list[str]:
    """Return the strings that a value of a rule is, or contains."""
    return [each for each in (value if isinstance(value, list) else [value]) if type(each) is str]


# --- filters -----------------------------------------------------------------------------------


def _filtered(filters: dict[str, Any], reader: Reader) -> Reader:
    if types := _texts(filters.get("issuetype")):
        reader = _where(_has(["issuetype", "name"], types), reader)
    environment = _texts(filters.get("environment_value"))
    if environment and (path := _texts(filters.get("environment_field"))):
        reader = _where(_has(path[0].split("."), environment), reader)
    return _within(_texts(filters.get("project")) or ["*"], reader)


def _within(projects: Iterable[str], reader: Reader) -> Reader:
    """Return the reader, limited to issues of projects."""
    wanted = {project.casefold() for project in projects}
    if "*" in wanted:
        return reader
    return _where(lambda issue: (issue.project or "").casefold() in wanted, reader)


def _where(condition: Reader, reader: Reader) -> Reader:
    return lambda issue: reader(issue) if condition(issue) else None


# --- fields ------------------------------------------------------------------------------------


def _field(path: list[str]) -> Reader:
    return lambda issue: follow(issue.fields, path)


def _has(path: list[str], values: Any) -> Reader:
    """Return a reader of whether a field, or one in its list, has one of the values."""
    given = values if isinstance(values, list) else [values]
    wanted = {*map(_comparable, scalars(given)), *map(to_number, _texts(given))} - {None}
    return lambda issue: not wanted.isdisjoint(_comparables(follow(issue.fields, path)))


def _contains(path: list[str], value: str) -> Reader:
    part = value.casefold()
    return lambda issue: any(
        part in each for each in _comparables(follow(issue.fields, path)) if isinstance(each, str)
    )


def _compare(path: list[str], operator: Any, value: Any) -> Reader:
    has = _has(path, value)
    match operator:
        case "equals" | "in":
            return has
        case "not_equals" | "not_in":
            return lambda issue: not has(issue)
        case "contains" if isinstance(value, str):
            return _contains(path, value)
    return _nothing


def _comparables(value: Any) -> list[Scalar]:
    return [_comparable(each) for each in scalars(value)]


def _comparable(value: Scalar) -> Scalar:
    """Return a string in lower case, a truth value as a string, and a number as it is."""
    return str(value).casefold() if isinstance(value, str | bool) else value


def _release_date(selector: Any) -> Reader:
    """Return a reader of the first, the last or all release dates of the versions."""

    def read(issue: Readable) -> Any:
        versions = issue.fields.get("fixVersions")
        dates = [
            day
            for version in (versions if isinstance(versions, list) else [])
            if (day := follow(version, ["releaseDate"]))
        ]
        if selector == "all":
            return dates
        return dates[-1 if selector == "last" else 0] if dates else None

    return read


# --- changes -----------------------------------------------------------------------------------


def _first_change(
    field: str, new: Iterable[str], old: Iterable[str]
) -> Callable[[Readable], Change | None]:
    """Return a function that finds the first change of a field to values, from some or from any."""
    to, since = {*map(_lower, new)}, {*map(_lower, old)}

    def find(issue: Readable) -> Change | None:
        for change in issue.history.changes(field):
            if _lower(change.new) in to and (not since or _lower(change.old) in since):
                return change
        return None

    return find


def _lower(name: str | None) -> str | None:
    return None if name is None else name.casefold()


def _time_of(find: Callable[[Readable], Change | None]) -> Reader:
    def read(issue: Readable) -> datetime | None:
        change = find(issue)
        return None if change is None else change.at

    return read


def _occurred(find: Callable[[Readable], Change | None]) -> Reader:
    return lambda issue: find(issue) is not None if issue.history.is_known else None
