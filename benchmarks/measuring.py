"""Interleaved measurement of several implementations, and ratios of their times."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

__all__ = ["Call", "Row", "Times", "interleaved", "medians", "ratio"]

Row = dict[str, Any]
"""A row of a table, as JSON values."""

Call = Callable[[int], object]
"""The measured call; it gets a different number each time, so that every write is a change."""

Times = dict[str, list[float]]
"""Seconds of one call for each side, with one value for each round."""

_BLOCK_SECONDS = 0.025
"""Duration of a turn: long for the clock, and short enough that a disturbance hits all sides."""
_MOST_CALLS = 10_000
_numbers = count(1)


def interleaved(
    calls: Mapping[str, Call],
    rounds: int,
    before: Mapping[str, Callable[[], object]] | None = None,
) -> Times:
    """Measure the sides in turns, starting with a different one in each round.

    A fast call is repeated, so that a turn takes about 25 ms; the first calls of each side are not
    counted. A function in ``before`` runs before a turn, is not timed, and limits the turn to one
    call.
    """
    before = before or {}
    names = list(calls)
    repeats = {name: _repeats(calls[name], before.get(name)) for name in names}
    times: Times = {name: [] for name in names}
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            if name in before:
                before[name]()
            # A collection of garbage from the previous turn would be measured in this one.
            gc.collect()
            times[name].append(_block(calls[name], repeats[name]))
    return times


def _repeats(call: Call, before: Callable[[], object] | None) -> int:
    if before is not None:
        before()
        call(next(_numbers))
        return 1
    took = _block(call, 1)
    if took < _BLOCK_SECONDS:
        took = min(_block(call, 1) for _ in range(3))
    return max(1, min(_MOST_CALLS, round(_BLOCK_SECONDS / took)))


def _block(call: Call, repeats: int) -> float:
    """Return the average seconds of one call."""
    numbers = [next(_numbers) for _ in range(repeats)]
    start = time.perf_counter()
    for number in numbers:
        call(number)
    return (time.perf_counter() - start) / repeats


def medians(times: Times) -> dict[str, float]:
    """Return the median of each side."""
    return {name: statistics.median(found) for name, found in times.items()}


def ratio(times: Times, side: str, floor: str) -> Row:
    """Return the median and the range of the ratios of a side to the floor in each round."""
    by_round = [one / other for one, other in zip(times[side], times[floor], strict=True)]
    return {"ratio": statistics.median(by_round), "spread": [min(by_round), max(by_round)]}
