"""What can be chosen on the command line."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Options", "read_options"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """Which parts run, how often, and with how much data."""

    only: tuple[str, ...] = ()
    operation: str = ""
    rounds: int = 9
    issues: int = 1000
    queries: int = 100
    weeks: int = 520
    answers: int = 20_000
    sizes: tuple[int, ...] = (1, 100, 10_000)
    migrate: int = 10_000
    workers: tuple[int, ...] = (1, 4, 8)
    seconds: float = 2
    at: str | None = None
    folder: Path | None = None
    plot: Path | None = None
    json: bool = False

    @property
    def few_rounds(self) -> int:
        """For what takes long."""
        return max(1, self.rounds // 3)


def read_options(parts: list[str], arguments: list[str] | None = None) -> Options:
    """The options of the command line, or of these arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="How fast burndown is, next to hand-written sqlite3 and to naive SQLModel.",
    )
    default = Options()
    add = parser.add_argument
    add("--only", nargs="+", choices=parts, default=[], metavar="PART", help=", ".join(parts))
    add("--operation", default="", metavar="TEXT", help="operations whose names hold this")
    add("--rounds", type=int, default=default.rounds, help="of all sides in turn")
    add("--issues", type=int, default=default.issues, help="issues in a large answer")
    add("--queries", type=int, default=default.queries, help="queries of a profile")
    add("--weeks", type=int, default=default.weeks, help="weeks with metrics")
    add("--answers", type=int, default=default.answers, help="answers of which half have expired")
    add("--sizes", nargs="+", type=int, default=default.sizes, help="how much there is of each")
    add("--migrate", type=int, default=default.migrate, help="issues that a migration moves")
    add("--workers", nargs="+", type=int, default=default.workers, help="at the same time")
    add("--seconds", type=float, default=default.seconds, help="that they work for")
    add("--at", metavar="WHERE", help="a store that the workers write to, not new files")
    add("--folder", type=Path, help="where the files are made, such as on another disk")
    add("--plot", type=Path, help="a picture of how times grow")
    add("--json", action="store_true", help="print JSON, for keeping")
    values: dict[str, Any] = vars(parser.parse_args(arguments))
    lists = {name: tuple(found) for name, found in values.items() if isinstance(found, list)}
    return Options(**{**values, **lists})
