"""Measure burndown, next to the same by hand and to SQLModel written naively."""

import json
import os
import platform
import sqlite3
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks import concurrency, growth, migration, operations, size, start
from benchmarks.measuring import Row
from benchmarks.options import Options, read_options

__all__ = ["PARTS", "Part", "main"]


class Part(NamedTuple):
    """What can be measured alone."""

    measure: Callable[[Options], list[Row]]
    table: Callable[[list[Row]], str]


PARTS = {
    "operations": Part(operations.measure, operations.table),
    "size": Part(size.measure, size.table),
    "start": Part(start.measure, start.table),
    "migration": Part(migration.measure, migration.table),
    "concurrency": Part(concurrency.measure, concurrency.table),
    "growth": Part(growth.measure, growth.table),
}


def _machine() -> dict[str, Any]:
    """What the numbers depend on."""
    return {
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
    }


def main(arguments: list[str] | None = None) -> None:
    """Measure the parts that were chosen, and print a table of each."""
    options = read_options(list(PARTS), arguments)
    found: dict[str, list[Row]] = {}
    for name in options.only or PARTS:
        print(f"measuring {name} ...", file=sys.stderr)
        found[name] = PARTS[name].measure(options)
        if not options.json:
            print(PARTS[name].table(found[name]), flush=True)
    if options.plot is not None and "growth" in found:
        from benchmarks.plot import draw

        draw(found["growth"], options.plot)
    if options.json:
        print(json.dumps({"machine": _machine(), **found}, indent=2))


if __name__ == "__main__":
    main()
