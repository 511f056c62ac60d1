"""Throughput, and what follows from it. Nothing here knows where issues are stored."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from burndown import Week
from burndown.jira import Issue

__all__ = ["Forecast", "forecast_from", "open_issues", "throughput"]


@dataclass(frozen=True)
class Forecast:
    """When a number of open issues will be done.

    Args:
        open_issues: the number of issues.
        likely: in how many weeks they are done at the mean throughput, rounded up; ``None`` for
            never.
        late: the same at the mean throughput of the slower half of the weeks.
    """

    open_issues: int
    likely: int | None
    late: int | None


def open_issues(issues: Iterable[Issue]) -> int:
    """Return how many issues are not done."""
    return sum(issue.status_category != "done" for issue in issues)


def throughput(issues: Iterable[Issue], before: Week, weeks: int) -> list[int]:
    """Return how many issues were resolved in each of the weeks before a week, oldest first."""
    resolved = Counter(Week.of(issue.resolved) for issue in issues if issue.resolved)
    return [resolved[week] for week in Week.span(before - weeks, before - 1)]


def forecast_from(remaining: int, resolved: Sequence[int]) -> Forecast:
    """Return when the remaining issues are done, from how many were resolved in past weeks."""
    slower_half = sorted(resolved)[: ceil(len(resolved) / 2)]
    return Forecast(remaining, _weeks(remaining, resolved), _weeks(remaining, slower_half))


def _weeks(remaining: int, resolved: Sequence[int]) -> int | None:
    """Return the weeks to resolve the remaining issues at the mean throughput, rounded up."""
    if remaining == 0:
        return 0
    return ceil(Fraction(remaining * len(resolved), sum(resolved))) if any(resolved) else None
