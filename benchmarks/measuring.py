"""Times of several sides that do the same, taken in turns, and what they come to."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

__all__ = ["Call", "Row", "Times", "interleaved", "medians", "ratio"]

Row = dict[str, Any]
"""A line of a table, as it is kept in JSON."""

Call = Callable[[int], object]
"""Does what is measured; takes a number that is another one each time."""

Times = dict[str, list[float]]
"""Seconds of one call by side, a value each round."""

_BLOCK_SECONDS = 0.025
_MOST_CALLS = 10_000
_numbers = count(1)


def interleaved(
    calls: Mapping[str, Call],
    rounds: int,
    before: Mapping[str, Callable[[], object]] | None = None,
) -> Times:
    """Have the sides do it in turns, in each round another one first.

    A side repeats what is quick, so that a turn takes some 25 ms; the first calls of all are not
    counted. What is done ``before`` a turn is not timed, and done for one call only.
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
    """Seconds of one call, on average."""
    numbers = [next(_numbers) for _ in range(repeats)]
    start = time.perf_counter()
    for number in numbers:
        call(number)
    return (time.perf_counter() - start) / repeats


def medians(times: Times) -> dict[str, float]:
    """The median of each side."""
    return {name: statistics.median(found) for name, found in times.items()}


def ratio(times: Times, side: str, floor: str) -> Row:
    """How much longer a side takes: the median of the ratios of each round, and their range."""
    by_round = [one / other for one, other in zip(times[side], times[floor], strict=True)]
    return {"ratio": statistics.median(by_round), "spread": [min(by_round), max(by_round)]}
