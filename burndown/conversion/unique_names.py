"""Names of the old dashboard that clash or are too long, and ids that are not valid."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import count

from burndown.conversion.findings import Findings, Report
from burndown.conversion.sources import Source
from burndown.errors import format_value
from burndown.models.field_types import MAX_NAME_LENGTH, is_identifier, slug
from burndown.models.timestamps import to_utc

__all__ = ["UniqueIds", "make_names_unique", "report_id"]

_LONGEST_BASE = MAX_NAME_LENGTH - 10
"""The part of a long name that is kept, to leave room for a number after it."""


class UniqueIds:
    """The ids of the profiles, or of the queries of one profile, each made valid and unique.

    Give it the valid ids first: an invalid one becomes another, which must not take theirs.

    Args:
        label: "profile" or "query", the id if nothing of a written one is valid.
    """

    def __init__(self, label: str) -> None:
        self._label = label
        self._taken: dict[str, int] = {}

    def add(self, written: str) -> str:
        """Return the id itself, or one made of it if it is not valid or taken."""
        identifier = written
        if not is_identifier(identifier) or identifier in self._taken:
            base = identifier = slug(written, self._label)
            while identifier in self._taken:
                self._taken[base] += 1
                identifier = f"{base}-{self._taken[base]}"
        self._taken[identifier] = 1
        return identifier


def report_id(written: str, identifier: str, report: Report) -> None:
    """Report the id that was made in place of a written one, if that was not valid or taken.

    Args:
        written: the id in the old store.
        identifier: the result of :meth:`UniqueIds.add`.
        report: takes a sentence on it.
    """
    if identifier != written:
        report(f"{format_value(written)} is not a valid id; now {identifier!r}")


def make_names_unique(items: Sequence[Source], label: str, findings: Findings) -> None:
    """Give each profile, or each query of a profile, a unique name of allowed length.

    Names that this package wrote are kept. Of others that share a name, the oldest keeps it. A name
    with a number is never that of another.

    Args:
        items: the profiles, or the queries of one profile; their documents are changed.
        label: "profile" or "query", for reports.
        findings: takes reports of changed names.
    """
    taken: set[str] = set()
    all_written = {item.document["name"] for item in items}
    numbers: defaultdict[str, Iterator[int]] = defaultdict(lambda: count(2))
    oldest_first = sorted(
        items,
        key=lambda item: (
            not item.has_marker,
            to_utc(item.document["created_at"]),
            item.document["id"],
        ),
    )
    for item in oldest_first:
        written = item.document["name"]
        base = written if written.strip() else item.document["id"]
        name = base if len(base) <= MAX_NAME_LENGTH else base[:_LONGEST_BASE]
        stem = base[:_LONGEST_BASE]
        # Another that is not reached yet may have the name as it is, and then keeps it.
        while name in taken or (name != written and name in all_written):
            name = f"{stem} ({next(numbers[stem])})"
        if name != written:
            why = f"another {label} has it" if written in taken else "it is blank or too long"
            item.document["name"] = name
            item.document.setdefault("legacy_name", written)
            report = findings.reporter(item.path, item.where)
            report(f"name: {format_value(name)} in place of {format_value(written)}, as {why}")
        taken.add(name)
