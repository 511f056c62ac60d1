"""Names of the old dashboard that clash or are too long, brought into what is allowed today."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import count

from burndown.errors import format_value
from burndown.legacy.contents import LegacyProfile, LegacyQuery
from burndown.legacy.findings import Findings
from burndown.models.values import MAX_NAME_LENGTH, to_utc

__all__ = ["make_names_fit"]

_LONGEST_BASE = MAX_NAME_LENGTH - 10
"""How much of a long name is taken, so that a number fits behind it."""


def make_names_fit(
    items: Sequence[LegacyProfile | LegacyQuery], kind: str, findings: Findings
) -> None:
    """Give each a name that the database takes: not too long, and nobody else's.

    Of those that share a name, the oldest keeps it; names that this package wrote are kept. What
    gets a number takes no name that another has.
    """
    taken: set[str] = set()
    all_written = {item.document["name"] for item in items}
    numbers: defaultdict[str, Iterator[int]] = defaultdict(lambda: count(2))
    oldest_first = sorted(
        items,
        key=lambda item: (
            not item.is_exact,
            to_utc(item.document["created_at"]),
            item.document["id"],
        ),
    )
    for item in oldest_first:
        written = item.document["name"]
        base = written if written.strip() else item.document["id"]
        name = base if len(base) <= MAX_NAME_LENGTH else base[:_LONGEST_BASE]
        stem = base[:_LONGEST_BASE]
        while name in taken or (name != written and name in all_written):
            name = f"{stem} ({next(numbers[stem])})"
        if name != written:
            why = f"another {kind} has it" if written in taken else "it is blank or too long"
            item.document["name"] = name
            item.document.setdefault("legacy_name", written)
            findings.add_converted(
                item.path,
                f"name: {format_value(name)} in place of {format_value(written)}, as {why}",
            )
        taken.add(name)
