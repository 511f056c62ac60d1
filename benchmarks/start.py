"""How long the package takes to start, in new processes that time themselves."""

import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from benchmarks import tables
from benchmarks.measuring import Row
from benchmarks.options import Options
from benchmarks.sides import opened, settings, temporary

__all__ = ["measure", "table"]

_ROOT = Path(__file__).parents[1]
_TIMED = """
from time import perf_counter
{before}
start = perf_counter()
{then}
print(1000 * (perf_counter() - start))
"""


class _Start(NamedTuple):
    """Code that is timed, in a process that has run other code before."""

    what: str
    must: float
    aim: float
    before: str
    then: str


_STARTS = [
    _Start("import burndown, over Python", 30, 5, "", "import burndown"),
    _Start(
        "first call, over import sqlmodel",
        60,
        20,
        "import sqlmodel",
        "from burndown import get_backend; get_backend().get_app_state('theme')",
    ),
]


def measure(options: Options) -> list[Row]:
    """Milliseconds; a first process that compiles the modules is not counted."""
    with temporary(options.folder) as folder:
        path = folder / "burndown.db"
        with opened(path, "NORMAL") as backend:
            backend.set_app_state("theme", "dark")
        with settings(database_url=str(path), sqlite_synchronous="NORMAL"):
            environment = _compiling_once(folder / "bytecode")
            return [_row(start, environment, 2 * options.rounds) for start in _STARTS]


def _compiling_once(folder: Path) -> dict[str, str]:
    """An environment in which modules are compiled once, as those of an installed package are."""
    without = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {**without, "PYTHONPYCACHEPREFIX": str(folder)}


def _row(start: _Start, environment: dict[str, str], rounds: int) -> Row:
    code = _TIMED.format(before=start.before, then=start.then)
    command = [sys.executable, "-c", code]
    _, *found = (
        float(subprocess.check_output(command, cwd=_ROOT, env=environment))
        for _ in range(rounds + 1)
    )
    return {
        "what": start.what,
        "must": start.must,
        "aim": start.aim,
        "ms": statistics.median(found),
        "spread": [min(found), max(found)],
    }


def table(rows: list[Row]) -> str:
    """Milliseconds."""
    headings = ["what", "takes", "must", "aim", "holds"]
    lines = [
        [
            row["what"],
            "{:.1f} ({:.1f} to {:.1f}) ms".format(row["ms"], *row["spread"]),
            row["must"],
            row["aim"],
            tables.verdict(row["ms"], row["must"], row["aim"]),
        ]
        for row in rows
    ]
    return tables.markdown("Start", headings, lines)
