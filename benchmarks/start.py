"""Start time of the package, measured within new processes."""

import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from benchmarks import tables
from benchmarks.measuring import Row
from benchmarks.options import Options
from benchmarks.sides import temporary
from burndown import SQLiteBackend

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
    """Code that is timed, and code that runs before it."""

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
        30,
        "import sqlmodel",
        "from burndown import get_backend; get_backend().get_app_state('theme')",
    ),
    # Together with what it is over, the time of the command: 150 ms would be less than SQLModel's.
    _Start(
        "burndown show, over import typer and sqlmodel",
        200,
        150,
        "import sqlmodel, typer",
        "from burndown.cli import run; run(['show'])",
    ),
    *(
        _Start(
            f"burndown {option}, over import typer",
            80,  # what `import typer` itself takes: together, less than twice that
            40,
            "import typer",
            f"from burndown.cli import run; run(['{option}'])",
        )
        for option in ("--version", "--help")
    ),
]


def measure(options: Options) -> list[Row]:
    """Measure milliseconds; the first process, which compiles the modules, is not counted."""
    with temporary(options.folder) as folder:
        with SQLiteBackend(folder / "profiles" / "burndown.db") as backend:
            backend.set_app_state("theme", "dark")
            backend.save_profile({"id": "kafka"})
            backend.save_query("kafka", {"id": "12w"})
        return [_row(start, folder, 2 * options.rounds) for start in _STARTS]


def _row(start: _Start, folder: Path, rounds: int) -> Row:
    code = _TIMED.format(before=start.before, then=start.then)
    command, environment = [sys.executable, "-c", code], _as_installed(folder / "bytecode")
    _, *found = (
        # The last line: a command prints its output before.
        float(subprocess.check_output(command, cwd=folder, env=environment).split()[-1])
        for _ in range(rounds + 1)
    )
    return {
        "what": start.what,
        "must": start.must,
        "aim": start.aim,
        "ms": statistics.median(found),
        "spread": [min(found), max(found)],
    }


def _as_installed(bytecode: Path) -> dict[str, str]:
    """Return an environment without settings, in which modules are compiled once."""
    unset = ("BURNDOWN_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unset)}
    return {**kept, "PYTHONPATH": str(_ROOT), "PYTHONPYCACHEPREFIX": str(bytecode)}


def table(rows: list[Row]) -> str:
    """Return a table of milliseconds."""
    headings = ["what", "takes", "must", "aim", "meets"]
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
