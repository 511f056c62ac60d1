"""Cached responses with the issues that have changed since.

Issues are the same if they have the same key, or the same id: an issue that was moved to another
project has a new key.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from itertools import accumulate, chain
from typing import Any, TypeVar

from pydantic_core import PydanticCustomError

from burndown.errors import ValidationError
from burndown.models.completeness import (
    Identity,
    count_identities,
    identity_of,
    is_complete,
    response_counts,
)
from burndown.models.compression import compress, decompress_object
from burndown.models.documents import Document
from burndown.models.issue_frames import (
    FramedResponse,
    IssueFrame,
    ResponseEncoder,
    frames_of,
    is_framed,
    join_frames,
)
from burndown.models.json_codec import check_storable
from burndown.models.json_values import copy_containers, to_json_value
from burndown.models.zstd import compress_frame

__all__ = ["check_changes", "merge", "merge_stored"]

T = TypeVar("T")

_SUBJECT = "Merge"
_TOTALS = ("total", "total_issues")

_Changes = dict[int, list[int]]
"""The changed issues in place of a stored one, by its position: none if it is dropped. New issues
have the position after the last one."""


def merge(
    response: Mapping[str, Any], changed: Iterable[Mapping[str, Any]], removed: Iterable[str] = ()
) -> Document:
    """Return a response with the issues that have changed since.

    Args:
        response: the response, with a list of ``issues``. It is not changed.
        changed: issues as Jira gave them later. Each replaces the same issue in its place; new ones
            are added at the end, in their order. Of two that are the same, the last one counts.
        removed: keys or ids of issues that the search no longer finds. One that is also in
            ``changed`` is there again.

    Returns:
        A new response, with the issues and all else of the old one. ``total`` and ``total_issues``,
        if they are numbers, are raised or lowered by the change of the number of issues, so that a
        complete response remains complete.

    Raises:
        ValidationError: the response has no list of issues, or a changed issue has no key.
    """
    return _merge(response, *check_changes(changed, removed))


def check_changes(changed: Any, removed: Any) -> tuple[list[Document], set[str]]:
    """Return the changed issues and the removed keys of a merge.

    Raises:
        ValidationError: a changed issue is not an object with a key that can be stored exactly, or
            a removed key is not a string.
    """
    if isinstance(changed, Mapping | str | bytes):
        raise _invalid("changed", "input should be a list of issues", changed)
    if isinstance(removed, str | bytes):
        raise _invalid("removed", "input should be a list of keys", removed)
    issues = _storable(list(changed))
    for position, issue in enumerate(issues):
        if not isinstance(issue, dict):
            raise _invalid(f"changed[{position}]", "input should be an issue as an object", issue)
        if identity_of(issue) == (None, None):
            path = f"changed[{position}].key"
            raise _invalid(path, "input should be the key of an issue", issue.get("key"))
    keys = list(removed)
    for position, key in enumerate(keys):
        if not isinstance(key, str):
            raise _invalid(f"removed[{position}]", "input should be the key of an issue", key)
    return issues, set(keys)


def merge_stored(
    stored: bytes, changed: list[Document], removed: set[str]
) -> tuple[bytes, dict[str, Any]]:
    """Return a stored response as :func:`merge`, and its counts.

    Of a response in frames, only those of changed or removed issues are read and compressed: of
    1,350 issues to parse all, replace 2 and encode them takes ten times as long.

    Args:
        stored: the response as :func:`~burndown.models.compression.compress` returned it.
        changed: as of :func:`check_changes`.
        removed: as of :func:`check_changes`.

    Returns:
        The response, compressed, and what
        :func:`~burndown.models.completeness.response_counts` returns of it.

    Raises:
        ValidationError: the response has no list of issues.
        zstandard.ZstdError, ValueError, TypeError: it is damaged, as far as it was read.
    """
    if not is_framed(stored):
        whole = _merge(decompress_object(stored), changed, removed)
        return compress(whole), response_counts(whole)
    response = FramedResponse.read(stored)
    before, new = response.identities(), list(map(identity_of, changed))
    changes = _find_changes(before, new, removed)
    page, counts = _counted(response.page, before, _applied(changes, before, new))
    encoder = ResponseEncoder(response.fits_64_bits)
    lines = list(encoder.lines(changed))
    frames = list(_merged_frames(response.frames, changes, lines, new))
    encoded = encoder.page(page)
    return join_frames(encoded, frames, fits_64_bits=encoder.fits_64_bits), counts


def _merge(response: Mapping[str, Any], changed: list[Document], removed: Set[str]) -> Document:
    issues = response.get("issues")
    if not isinstance(issues, list):
        raise _invalid("issues", "input should be a list of issues", issues)
    before, new = list(map(identity_of, issues)), list(map(identity_of, changed))
    changes = _find_changes(before, new, removed)
    page, _ = _counted(response, before, _applied(changes, before, new))
    return {**page, "issues": _applied(changes, issues, changed)}


def _merged_frames(
    frames: list[IssueFrame], changes: _Changes, lines: list[bytes], identities: list[Identity]
) -> Iterator[IssueFrame]:
    """Yield the frames after a merge; one in which nothing changes as it is.

    Args:
        frames: the frames before.
        changes: what :func:`_find_changes` returned.
        lines: the JSON of each changed issue.
        identities: the key and the id of each changed issue.
    """
    frames = frames or [IssueFrame([], compress_frame(b""))]
    begins = list(accumulate((len(frame.identities) for frame in frames[:-1]), initial=0))
    of_frames: defaultdict[int, _Changes] = defaultdict(dict)
    for place, numbers in changes.items():
        frame_number = bisect_right(begins, place) - 1
        of_frames[frame_number][place - begins[frame_number]] = numbers
    for frame_number, frame in enumerate(frames):
        of_frame = of_frames.get(frame_number)
        if of_frame is None:
            yield frame
        else:
            yield from frames_of(
                _applied(of_frame, frame.lines(), lines),
                _applied(of_frame, frame.identities, identities),
            )


def _find_changes(stored: list[Identity], changed: list[Identity], removed: Set[str]) -> _Changes:
    """Return what a merge changes.

    Args:
        stored: the key and the id of each stored issue.
        changed: the same of each changed issue.
        removed: keys and ids of stored issues that are dropped.
    """
    wanted = {*removed, *chain.from_iterable(changed)} - {None}
    places: defaultdict[Any, set[int]] = defaultdict(set)
    for place, identity in enumerate(stored):
        for name in identity:
            if name in wanted:
                places[name].add(place)
    changes: _Changes = {place: [] for name in removed for place in places[name]}
    merged = [*stored]
    for number, identity in enumerate(changed):
        same = {each for name in identity for each in places[name] if changes.get(each) != []}
        place, *others = sorted(same) or [len(merged)]
        if same:
            for name in merged[place]:  # which another issue may have now
                places[name].discard(place)
            merged[place] = identity
        else:
            merged.append(identity)
        changes.update({other: [] for other in others})
        changes[place] = [number]
        for name in wanted.intersection(identity):  # for a later one that is the same
            places[name].add(place)
    new = [changes.pop(place) for place in range(len(stored), len(merged))]
    if new:
        changes[len(stored)] = list(chain.from_iterable(new))
    return changes


def _applied(changes: _Changes, stored: list[T], changed: list[T]) -> list[T]:
    """Return what is stored of each issue, in any form, after the changes."""
    applied = []
    for place, item in enumerate(stored):
        if place in changes:
            applied += [changed[number] for number in changes[place]]
        else:
            applied.append(item)
    return applied + [changed[number] for number in changes.get(len(stored), ())]


def _counted(
    page: Mapping[str, Any], before: list[Identity], after: list[Identity]
) -> tuple[Document, dict[str, Any]]:
    """Return a page whose totals count the issues that were added, and its counts."""
    count = count_identities(after)
    added = count - count_identities(before)
    totals = {name: page[name] + added for name in _TOTALS if type(page.get(name)) is int}
    counted = {**page, **{name: max(total, 0) for name, total in totals.items()}}
    return counted, {"issue_count": count, "is_complete": is_complete(counted, count)}


def _storable(changed: list[Any]) -> list[Any]:
    """Return the changed issues, with values of other libraries as JSON values.

    Raises:
        ValidationError: one holds what cannot be stored exactly.
    """
    try:
        check_storable(changed, depth=1)
    except PydanticCustomError:
        changed = copy_containers(changed, to_json_value)
    try:
        check_storable(changed, depth=1)
    except PydanticCustomError as error:
        found: Any = error.context
        path = f"changed{found['path']}"
        raise _invalid(path, found["expected"], found["value"]) from None
    return changed


def _invalid(path: str, expected: str, got: object) -> ValidationError:
    return ValidationError.of(_SUBJECT, path, expected, got)
