"""Names of files that other disks and other programs keep, change or add.

A disk may ignore case, change the Unicode normalization of a name, or refuse characters and whole
names. Systems and editors put files of their own beside those of an export.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable

from burndown.naming_rules import free_id

__all__ = ["file_stems", "fold", "is_system_file", "match_names"]

_PORTABLE = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]{0,98}[a-z0-9_-])?")
"""Short enough for 143 bytes of an encrypted home and for 260 characters of a path on Windows."""
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
    """Return a file name without its extension for each query.

    It is the id itself where every disk can hold that: short, lower-case ASCII, and no name that
    Windows reserves. For other ids it is made of the id as ids are made of names, with a number
    where another query has it (``bugs-2`` for ``BUGS`` beside ``bugs``). No two are equal, in
    whatever case and normalization. Equal sets of ids get equal names.
    """
    stems = {query_id: query_id for query_id in query_ids if _is_portable(query_id)}
    taken = {*_DEVICES, *stems}
    for query_id in sorted(set(query_ids) - stems.keys()):
        stems[query_id] = free_id(query_id, "query", taken)
        taken.add(stems[query_id])
    return stems


def fold(name: str) -> str:
    """Return what a name has in common with its forms in other cases and normalizations."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def match_names(expected: Iterable[str], found: Collection[str]) -> dict[str, str]:
    """Return for expected names the files that bear them, exactly or but for :func:`fold`.

    A name is not in the result if no file bears it or more than one does, none of them exactly.
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
    """Whether a system or a running editor puts a file of this name beside others.

    Such files hold how a folder is shown, or attributes of the file beside them; the system makes
    them anew. None of these names can be that of a file of an export.
    """
    return _SYSTEM_FILE.fullmatch(name.rpartition("/")[2].casefold()) is not None


def _is_portable(query_id: str) -> bool:
    is_device = query_id.partition(".")[0] in _DEVICES
    return _PORTABLE.fullmatch(query_id) is not None and not is_device
