"""Charts of characters."""

import sys
from collections.abc import Sequence

from rich.text import Text

from burndown.persistence import Document
from burndown.printing.console import line, print_text

__all__ = ["remaining", "sparkline"]

_BLOCKS = " ▁▂▃▄▅▆▇█"
_ASCII = " .:-=+*%#"
_HEIGHT = 10
"""Lines of a chart."""


def sparkline(values: Sequence[float | None]) -> str:
    """Return a character for each value, the higher the larger, and a blank for none.

    The smallest one is the lowest character, whatever its value is.
    """
    known = [value for value in values if value is not None]
    levels = _levels()
    low, span = min(known, default=0), max(known, default=0) - min(known, default=0)

    def character(value: float | None) -> str:
        if value is None:
            return levels[0]
        steps = len(levels) - 2
        return levels[1 + (round((value - low) / span * steps) if span else steps // 2)]

    return "".join(map(character, values))


def remaining(found: Document) -> None:
    """Print a burndown chart: a column for the remaining work at the end of each week."""
    values, levels = found["values"], _levels()
    if not values:
        line(f"{found['title']}: there are no statistics of weeks")
        return
    line(f"{found['title']}: {values[-1]:g} {found['unit']} remain, of {max(values):g} at most")
    top = max(values) or 1
    width = len(f"{top:g}")
    # Two characters for a week, as long as they fit into 80.
    column = 2 if 2 * len(values) + width + 2 <= 80 else 1
    steps = len(levels) - 1
    eighths = [round(value / top * _HEIGHT * steps) for value in values]
    for row in range(_HEIGHT - 1, -1, -1):
        label = f"{top:g}" if row == _HEIGHT - 1 else "0" if row == 0 else ""
        of_row = (min(max(each - row * steps, 0), steps) for each in eighths)
        filled = "".join(levels[level] * column for level in of_row)
        print_text(Text(f"{label:>{width}} |").append(filled.rstrip(), style="cyan"))
    first, last = found["weeks"][0], found["weeks"][-1]
    axis = column * len(values)
    between = " " * max(axis - len(first) - len(last), 1)
    line(f"{'':{width}}  {first}{between}{last}")


def _levels() -> str:
    """Return a blank, and characters of growing height that the terminal can show."""
    try:
        _BLOCKS.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return _ASCII
    return _BLOCKS
