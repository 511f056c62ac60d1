"""Charts of characters."""

import sys
from collections.abc import Sequence

from rich.text import Text

from burndown.persistence import Document
from burndown.printing.console import line, print_text, width

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
    """Print a burndown chart: a column for the remaining work at the end of each week.

    If there are more weeks than fit into the terminal, it has a column for every second one, or
    third one and so on, back from the last one.
    """
    values, weeks, levels = found["values"], found["weeks"], _levels()
    if not values:
        line(f"{found['title']}: there are no statistics of weeks")
        return
    line(f"{found['title']}: {values[-1]:g} {found['unit']} remain, of {max(values):g} at most")
    top = max(values) or 1
    margin = len(f"{top:g}")
    room = max(width() - margin - len(" |"), 1)
    every = -(-len(values) // room)
    values, weeks = values[::-every][::-1], weeks[::-every][::-1]
    column = 2 if 2 * len(values) <= room else 1
    steps = len(levels) - 1
    # What remains is seen, however little it is.
    eighths = [max(round(each / top * _HEIGHT * steps), 1) if each else 0 for each in values]
    for row in range(_HEIGHT - 1, -1, -1):
        label = f"{top:g}" if row == _HEIGHT - 1 else "0" if row == 0 else ""
        of_row = (min(max(each - row * steps, 0), steps) for each in eighths)
        filled = "".join(levels[level] * column for level in of_row)
        print_text(Text(f"{label:>{margin}} |").append(filled.rstrip(), style="cyan"))
    ends = weeks[:1] if len(weeks) == 1 else [weeks[0], weeks[-1]]
    between = " " * max(column * len(values) - len("".join(ends)), 1)
    line(f"{'':{margin}}  {between.join(ends)}")


def _levels() -> str:
    """Return a blank, and characters of growing height that the terminal can show."""
    try:
        _BLOCKS.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return _ASCII
    return _BLOCKS
