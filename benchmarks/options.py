"""Options of the command line."""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Options", "read_options"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """The parts to run, the number of rounds, and the amount of data."""

    only: tuple[str, ...] = ()
    operation: str = ""
    rounds: int = 9
    issues: int = 1000
    material: Path | None = None
    queries: int = 100
    weeks: int = 520
    responses: int = 20_000
    sizes: tuple[int, ...] = (1, 100, 10_000)
    large: tuple[int, ...] = (1_000, 10_000, 100_000)
    migrate: int = 10_000
    workers: tuple[int, ...] = (1, 4, 8)
    seconds: float = 2
    clients: tuple[int, ...] = (1, 8, 32)
    schemas: tuple[int, ...] = (1, 50)
    delays_ms: tuple[float, ...] = (0, 2)
    at: str | None = None
    folder: Path | None = None
    plot: Path | None = None
    peers: bool = False
    json: bool = False

    @property
    def few_rounds(self) -> int:
        """Return the number of rounds for slow parts."""
        return max(1, self.rounds // 3)


def read_options(parts: list[str], arguments: list[str] | None = None) -> Options:
    """Return the options from the arguments, by default those of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure burndown against hand-written sqlite3 and against naive SQLModel.",
    )
    default = Options()
    add = parser.add_argument
    add("--only", nargs="+", choices=parts, default=[], metavar="PART", help=", ".join(parts))
    add("--operation", default="", metavar="TEXT", help="only operations whose names contain this")
    add("--rounds", type=int, default=default.rounds, help="rounds, in which all sides take turns")
    add("--issues", type=int, default=default.issues, help="issues in a large response")
    add(
        "--material",
        type=Path,
        metavar="FILE",
        help="a recorded response of Jira, as JSON, in place of generated issues",
    )
    add("--queries", type=int, default=default.queries, help="queries of a profile")
    add("--weeks", type=int, default=default.weeks, help="weeks with metrics")
    add(
        "--responses",
        type=int,
        default=default.responses,
        help="cached, half of them expired",
    )
    add(
        "--sizes",
        nargs="+",
        type=int,
        default=default.sizes,
        help="records of each type",
    )
    add(
        "--large",
        nargs="+",
        type=int,
        default=default.large,
        help="cached responses in each large store; 100,000 take 1 GB, and up to 3 GB meanwhile",
    )
    add("--migrate", type=int, default=default.migrate, help="issues in the migrated workspace")
    add(
        "--workers",
        nargs="+",
        type=int,
        default=default.workers,
        help="concurrent workers",
    )
    add("--seconds", type=float, default=default.seconds, help="seconds for which the workers run")
    add(
        "--clients",
        nargs="+",
        type=int,
        default=default.clients,
        help="clients of one server",
    )
    add(
        "--schemas",
        nargs="+",
        type=int,
        default=default.schemas,
        help="schemas on the server, one for each team",
    )
    add(
        "--delays-ms",
        nargs="+",
        type=float,
        default=default.delays_ms,
        help="milliseconds that a round trip to the server takes longer",
    )
    add("--at", metavar="WHERE", help="store for the workers, in place of new files")
    add("--folder", type=Path, help="folder for the files, such as on another disk")
    add("--plot", type=Path, help="write the chart of the growth part to this file")
    add("--peers", action="store_true", help="measure other libraries as well")
    add("--json", action="store_true", help="print JSON")
    values: dict[str, Any] = vars(parser.parse_args(arguments))
    lists = {name: tuple(found) for name, found in values.items() if isinstance(found, list)}
    if values["material"] is not None:
        values["issues"] = len(json.loads(values["material"].read_bytes())["issues"])
    return Options(**{**values, **lists})
