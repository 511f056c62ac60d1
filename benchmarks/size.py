"""Size of a database that contains one cached response."""

from benchmarks import sample, tables
from benchmarks.measuring import Row
from benchmarks.options import Options
from benchmarks.sides import open_sides, temporary

__all__ = ["measure", "table"]

_MUST, _AIM = 0.16, 0.11


def measure(options: Options) -> list[Row]:
    """Measure the closed files of all sides."""
    response = sample.response(options)
    with temporary(options.folder) as folder:
        with open_sides(folder, "NORMAL") as sides:
            for side in sides.values():
                side.save_profile(sample.profile())
                side.save_query("profile-0", sample.query(0))
                side.save_jira_cache("profile-0", "query-0", "key", response, sample.LATER)
        sizes = {name: (folder / f"{name}.db").stat().st_size for name in sides}
    return [
        {
            "what": f"file of {options.issues:,} issues",
            "must": _MUST,
            "aim": _AIM,
            "bytes": sizes,
            "ratio": sizes["burndown"] / sizes["floor"],
            "naive": sizes["naive"] / sizes["floor"],
        }
    ]


def table(rows: list[Row]) -> str:
    """Return a table of bytes, and the ratios to the floor."""
    headings = ["what", "floor", "burndown", "naive", "must", "aim", "meets"]
    lines = [
        [
            row["what"],
            f"{row['bytes']['floor'] / 1e6:.2f} MB",
            f"{row['ratio']:.3f}",
            f"{row['naive']:.2f}",
            row["must"],
            row["aim"],
            tables.verdict(row["ratio"], row["must"], row["aim"]),
        ]
        for row in rows
    ]
    return tables.markdown("Size, as a multiple of the floor's file", headings, lines)
