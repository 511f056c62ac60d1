"""Chart of the time of each call over the amount of data."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from benchmarks.measuring import Row

__all__ = ["draw"]

_COLORS = {"read": "#1f6feb", "write": "#c2571a"}
_TITLES = {"read": "Reads", "write": "Writes"}
_TOO_MUCH, _USUAL = "#b00020", "#333333"
_GAP = 0.052
"""Distance between two labels, as a fraction of the height."""


def draw(rows: list[Row], path: Path) -> None:
    """Draw microseconds of each call over the amount of data, reads and writes side by side."""
    figure = Figure(figsize=(11, 5.4), layout="constrained")
    panels: list[Axes] = list(figure.subplots(1, 2, sharey=True))
    times = [time for row in rows for time in row["us"]]
    for panel, kind in zip(panels, _TITLES, strict=True):
        panel.set(xscale="log", yscale="log", ylim=(min(times) / 1.6, max(times) * 1.6))
        _draw_kind(panel, kind, [row for row in rows if row["kind"] == kind])
    panels[0].set_ylabel("microseconds of one call")
    figure.suptitle(
        "The same call on more data: microseconds, and the last size over the first",
        fontsize=12.5,
        fontweight="bold",
    )
    figure.supxlabel("profiles, queries, cached responses and weeks of metrics", fontsize=10)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=140)


def _draw_kind(panel: Axes, kind: str, rows: list[Row]) -> None:
    sizes = rows[0]["sizes"]
    for row, height in zip(rows, _label_heights(panel, rows), strict=True):
        panel.plot(sizes, row["us"], color=_COLORS[kind], marker="o", markersize=4, linewidth=1.4)
        panel.annotate(
            f"{row['operation']}  \N{MULTIPLICATION SIGN}{row['ratio']:.2f}",
            xy=(sizes[-1], row["us"][-1]),
            xytext=(1.06, height),
            textcoords="axes fraction",
            fontsize=8.5,
            va="center",
            color=_TOO_MUCH if row["ratio"] > 2 else _USUAL,
            arrowprops={
                "arrowstyle": "-",
                "color": "#bbbbbb",
                "linewidth": 0.7,
                "relpos": (0, 0.5),
                "shrinkA": 1,
                "shrinkB": 4,
            },
        )
    panel.set_title(_TITLES[kind], loc="left", fontsize=11, color=_COLORS[kind])
    panel.set_xticks(sizes, [f"{size:,}" for size in sizes])
    panel.xaxis.set_minor_formatter(NullFormatter())
    panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    panel.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    panel.yaxis.set_minor_formatter(NullFormatter())
    panel.tick_params(which="minor", length=0)
    panel.grid(axis="y", color="#e8e8e8", linewidth=0.7)
    panel.spines[["top", "right"]].set_visible(False)


def _label_heights(panel: Axes, rows: list[Row]) -> list[float]:
    """Return the heights of the labels, as fractions: near the ends of the lines, but apart."""
    ends = panel.transData.transform([(rows[0]["sizes"][-1], row["us"][-1]) for row in rows])
    wanted = [float(share) for share in panel.transAxes.inverted().transform(ends)[:, 1]]
    order = sorted(range(len(rows)), key=wanted.__getitem__)
    groups: list[list[int]] = []
    for each in order:
        groups.append([each])
        while len(groups) > 1 and _bottom(groups[-1], wanted) < _top(groups[-2], wanted) + _GAP:
            last = groups.pop()
            groups[-1] += last
    heights = dict.fromkeys(order, 0.0)
    for group in groups:
        for place, each in enumerate(group):
            heights[each] = _bottom(group, wanted) + place * _GAP
    return [heights[each] for each in range(len(rows))]


def _bottom(group: list[int], wanted: list[float]) -> float:
    """Return the height of the lowest label of a group, centred on their wanted heights."""
    return sum(wanted[each] for each in group) / len(group) - (len(group) - 1) * _GAP / 2


def _top(group: list[int], wanted: list[float]) -> float:
    return _bottom(group, wanted) + (len(group) - 1) * _GAP
