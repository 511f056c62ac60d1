"""How long the package takes to start, in new processes."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

from benchmarks import tables
from benchmarks.measuring import Row, interleaved, medians
from benchmarks.options import Options
from benchmarks.sides import opened, settings, temporary

__all__ = ["measure", "table"]

_ROOT = Path(__file__).parents[1]
_COMMANDS = {
    "Python": "pass",
    "import burndown": "import burndown",
    "import sqlmodel": "import sqlmodel",
    "first call": "from burndown import get_backend; get_backend().get_app_state('theme')",
}
_COMPARED = [
    ("import burndown", "Python", 30, 5),
    ("first call", "import sqlmodel", 60, 20),
]


def _run(command: str, environment: dict[str, str], number: int) -> None:
    subprocess.run([sys.executable, "-c", command], check=True, cwd=_ROOT, env=environment)


def _compiled(folder: Path) -> dict[str, str]:
    """An environment in which modules are compiled once, as an installed package is."""
    without = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {**without, "PYTHONPYCACHEPREFIX": str(folder)}


def measure(options: Options) -> list[Row]:
    """What a command takes beyond what it is compared with."""
    with temporary(options.folder) as folder:
        path = folder / "burndown.db"
        with opened(path, "NORMAL") as backend:
            backend.set_app_state("theme", "dark")
        with settings(database_url=str(path), sqlite_synchronous="NORMAL"):
            compiled = _compiled(folder / "bytecode")
            calls = {name: partial(_run, text, compiled) for name, text in _COMMANDS.items()}
            times = interleaved(calls, 2 * options.rounds)
    middle = medians(times)
    rows = []
    for what, base, must, aim in _COMPARED:
        by_round = [
            1000 * (one - other) for one, other in zip(times[what], times[base], strict=True)
        ]
        rows.append(
            {
                "what": f"{what}, over {base}",
                "must": must,
                "aim": aim,
                "base_ms": 1000 * middle[base],
                "more_ms": 1000 * (middle[what] - middle[base]),
                "spread": [min(by_round), max(by_round)],
            }
        )
    return rows


def table(rows: list[Row]) -> str:
    """Milliseconds."""
    headings = ["what", "base", "more", "must", "aim", "holds"]
    lines = [
        [
            row["what"],
            f"{row['base_ms']:.0f} ms",
            "{:.1f} ({:.1f} to {:.1f}) ms".format(row["more_ms"], *row["spread"]),
            row["must"],
            row["aim"],
            tables.verdict(row["more_ms"], row["must"], row["aim"]),
        ]
        for row in rows
    ]
    return tables.markdown("Start", headings, lines)
