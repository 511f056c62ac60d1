"""Tables in Markdown, aligned so that their source is readable."""

from collections.abc import Iterable, Sequence

from benchmarks.measuring import Row

__all__ = ["markdown", "spread", "verdict"]


def markdown(title: str, headings: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    """Return a table; all columns but the first are aligned to the right."""
    cells = [list(headings), *([str(cell) for cell in line] for line in lines)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    text = [_line(line, widths) for line in (cells[0], rule, *cells[1:])]
    return "\n".join([f"### {title}", "", *text, ""])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    aligned = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
    return f"| {' | '.join(aligned)} |"


def spread(found: Row) -> str:
    """Return a ratio, with the smallest and the largest of all rounds."""
    low, high = found["spread"]
    return f"{found['ratio']:.2f} ({low:.2f} to {high:.2f})"


def verdict(value: float, must: float, aim: float) -> str:
    """Return which target a value meets; less is better if ``aim`` is less than ``must``."""
    sign = 1 if aim < must else -1
    if sign * value <= sign * aim:
        return "aim"
    return "must" if sign * value <= sign * must else "MISSED"
