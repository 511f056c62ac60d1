"""A picture of how times grow with the data."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.measuring import Row

__all__ = ["draw"]

_COLORS = {"read": "#1f6feb", "write": "#c2571a"}
_TITLES = {"read": "Reads", "write": "Writes"}
_LEAST_GAP = 0.05
"""Between two labels, as a share of the height."""


def draw(rows: list[Row], path: Path) -> None:
    """Microseconds of each call over the size of the data, reads and writes side by side."""
    figure = Figure(figsize=(11, 5.6), layout="constrained")
    panels: list[Axes] = list(figure.subplots(1, 2, sharey=True))
    highest = 2 * max(max(row["us"]) for row in rows)
    lowest = min(min(row["us"]) for row in rows) / 2
    for panel, kind in zip(panels, _TITLES, strict=True):
        panel.set_xscale("log")
        panel.set_yscale("log")
        panel.set_ylim(lowest, highest)
        _draw_kind(panel, kind, [row for row in rows if row["kind"] == kind])
    panels[0].set_ylabel("microseconds of one call")
    figure.suptitle(
        "Calls whose answer has the same size, as the data grow", fontsize=13, fontweight="bold"
    )
    figure.supxlabel("profiles, queries, cached answers and weeks of metrics", fontsize=10)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=140)


def _draw_kind(panel: Axes, kind: str, rows: list[Row]) -> None:
    sizes = rows[0]["sizes"]
    for row in rows:
        panel.plot(sizes, row["us"], color=_COLORS[kind], marker="o", markersize=4, linewidth=1.4)
    for row, height in zip(rows, _label_heights(panel, rows), strict=True):
        panel.annotate(
            f"{row['operation']}  \N{MULTIPLICATION SIGN}{row['ratio']:.2f}",
            xy=(sizes[-1], row["us"][-1]),
            xytext=(1.06, height),
            textcoords="axes fraction",
            fontsize=8.5,
            va="center",
            color="#b00020" if row["ratio"] > 2 else "#333333",
            arrowprops={"arrowstyle": "-", "color": "#bbbbbb", "linewidth": 0.7},
        )
    panel.set_title(_TITLES[kind], loc="left", fontsize=11, color=_COLORS[kind])
    panel.set_xticks(sizes, [f"{size:,}" for size in sizes])
    panel.minorticks_off()
    panel.grid(axis="y", color="#e4e4e4", linewidth=0.7)
    panel.spines[["top", "right"]].set_visible(False)


def _label_heights(panel: Axes, rows: list[Row]) -> list[float]:
    """Where the labels stand, as shares of the height: beside their lines, but apart."""
    wanted = panel.transScale.transform([(1, row["us"][-1]) for row in rows])[:, 1]
    low, high = panel.transScale.transform([(1, each) for each in panel.get_ylim()])[:, 1]
    shares = {place: float((y - low) / (high - low)) for place, y in enumerate(wanted)}
    heights = [0.0] * len(rows)
    at_least = 0.0
    for place in sorted(shares, key=lambda each: shares[each]):
        heights[place] = at_least = max(shares[place], at_least)
        at_least += _LEAST_GAP
    return heights
