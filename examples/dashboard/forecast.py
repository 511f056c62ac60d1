"""A forecast of the remaining work, by the Monte Carlo method."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from burndown import Week

__all__ = ["HORIZON", "LIKELIHOODS", "RUNS", "Forecast", "forecast"]

LIKELIHOODS = (15, 50, 85)
"""The percentages of runs for which a forecast states the remaining work."""
RUNS = 1000
HORIZON = 52
"""Weeks after which a forecast ends."""


@dataclass(frozen=True)
class Forecast:
    """The remaining work in the weeks to come.

    Args:
        weeks: the weeks, from the current one on, at whose end the work remains.
        remaining: by likelihood, the work that remains at most in as many percent of the runs.
    """

    weeks: list[Week]
    remaining: dict[int, list[float]]

    def done(self, likelihood: int) -> Week | None:
        """Return the week at whose end nothing remains; ``None`` if it is beyond the horizon."""
        work = zip(self.weeks, self.remaining[likelihood], strict=True)
        return next((week for week, left in work if left == 0), None)


def forecast(remaining: float, throughput: Sequence[float], now: Week) -> Forecast:
    """Return how fast the work gets done, if the weeks to come are like past ones.

    Each of 1,000 runs draws the throughput of each week from that of the past weeks. The scope
    does not change.

    Args:
        remaining: the issues, or points, that are not done now.
        throughput: what was done in each of the past weeks.
        now: the current week.

    Returns:
        The forecast, up to the week in which 85 % of the runs are done, or for a year. It has no
        weeks if nothing remains, or nothing was done.
    """
    if not remaining or not any(throughput):
        return Forecast([], {each: [] for each in LIKELIHOODS})
    random = Random(0)  # noqa: S311 - every worker shows the same
    runs = [remaining] * RUNS
    work = {each: [remaining] for each in LIKELIHOODS}
    while any(work[max(LIKELIHOODS)][-1:]) and len(work[50]) <= HORIZON:
        drawn = random.choices(throughput, k=RUNS)
        runs = sorted(max(left - done, 0) for left, done in zip(runs, drawn, strict=True))
        for each in LIKELIHOODS:
            work[each].append(runs[RUNS * each // 100 - 1])
    return Forecast([now + n for n in range(len(work[50]))], work)
