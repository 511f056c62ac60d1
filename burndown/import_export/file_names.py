"""File names that survive on other disks, and those that other programs change or add.

A disk may ignore case, change the Unicode normalization of a name, or refuse characters and whole
names. Systems and editors put files of their own next to those of an export.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable

from burndown.naming_rules import free_id

__all__ = ["file_stems", "fold", "is_system_file", "match_names"]

_PORTABLE = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]{0,98}[a-z0-9_-])?")
"""A name that every disk can hold.

It is short enough for an encrypted home, which allows 143 bytes, and leaves room in the 260
characters that a path may have on Windows.
"""
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
)
"""Names that Windows reserves, with any extension."""
_SYSTEM_FILE = re.compile(
    r"\._.* | \.\#.* | \.ds_store | icon\r | \.localized | \.directory"
    r"| thumbs\.db | ehthumbs\.db | desktop\.ini | .*:zone\.identifier",
    re.DOTALL | re.VERBOSE,
)


def file_stems(query_ids: Collection[str]) -> dict[str, str]:
    """Return a file name without its extension for each query, in the order of the ids.

    It is the id itself where every disk can hold that: short, lower-case ASCII, and not a name that
    Windows reserves. For other ids it is derived from the id in the way ids are derived from names,
    with a number if another query has it (``bugs-2`` for ``BUGS`` next to ``bugs``). No two are
    equal, in whatever case and normalization. Equal sets of ids get equal names.
    """
    stems = {query_id: query_id for query_id in query_ids if _is_portable(query_id)}
    taken = {*_DEVICES, *stems}
    # Sorted, since the first of two ids that derive the same name gets it without a number.
    for query_id in sorted(set(query_ids) - stems.keys()):
        stems[query_id] = free_id(query_id, "query", taken)
        taken.add(stems[query_id])
    return {query_id: stems[query_id] for query_id in query_ids}


def fold(name: str) -> str:
    """Return the form of a name that is the same in all cases and normalizations."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def match_names(expected: Iterable[str], found: Collection[str]) -> dict[str, str]:
    """Return the file of each expected name.

    A file with exactly that name comes first, then the only one whose :func:`fold` is equal.
    A name is missing from the result if there is no such file, or more than one.
    """
    matched = {name: name for name in expected if name in found}
    others = defaultdict(list)
    for name in found:
        if name not in matched:
            others[fold(name)].append(name)
    for name in expected:
        if name not in matched and len(others[fold(name)]) == 1:
            matched[name] = others[fold(name)].pop()
    return matched


def is_system_file(name: str) -> bool:
    """Return whether systems or running editors put files of this name next to others.

    Such files hold the view of a folder, or attributes of the file next to them, and are created
    again when they are missing. No file of an export has such a name.
    """
    return _SYSTEM_FILE.fullmatch(name.rpartition("/")[2].casefold()) is not None


def _is_portable(query_id: str) -> bool:
    is_device = query_id.partition(".")[0] in _DEVICES
    return _PORTABLE.fullmatch(query_id) is not None and not is_device
