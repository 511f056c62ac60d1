"""Measure burndown against hand-written sqlite3 and against naive SQLModel code."""

import json
import os
import platform
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, NamedTuple

from benchmarks import (
    concurrency,
    growth,
    large,
    migration,
    operations,
    peers,
    server,
    size,
    start,
    views,
)
from benchmarks.measuring import Row
from benchmarks.options import Options, read_options

__all__ = ["PARTS", "Part", "main"]


class Part(NamedTuple):
    """A part that can be measured alone; an optional one needs a server or packages of others."""

    measure: Callable[[Options], list[Row]]
    table: Callable[[list[Row]], str]
    is_optional: bool = False


PARTS = {
    "operations": Part(operations.measure, operations.table),
    "views": Part(views.measure, views.table),
    "size": Part(size.measure, size.table),
    "start": Part(start.measure, start.table),
    "migration": Part(migration.measure, migration.table),
    "concurrency": Part(concurrency.measure, concurrency.table),
    "growth": Part(growth.measure, growth.table),
    "peers": Part(peers.measure, peers.table, is_optional=True),
    "large": Part(large.measure, large.table, is_optional=True),
    "server": Part(server.measure, server.table, is_optional=True),
}


def _machine() -> dict[str, Any]:
    """Return the properties of the machine that the numbers depend on."""
    return {
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
    }


def main(arguments: list[str] | None = None) -> None:
    """Measure the selected parts, and print a table for each."""
    options = read_options(list(PARTS), arguments)
    wanted = list(options.only or (name for name, part in PARTS.items() if not part.is_optional))
    if options.peers:
        wanted = list(dict.fromkeys([*wanted, "peers"]))
    if options.plot is not None:
        from benchmarks.plot import draw  # fails before measuring if matplotlib is missing

        wanted = list(dict.fromkeys([*wanted, "growth"]))
    found: dict[str, list[Row]] = {}
    for name in wanted:
        print(f"measuring {name} ...", file=sys.stderr)
        found[name] = PARTS[name].measure(options)
        if not options.json:
            print(PARTS[name].table(found[name]), flush=True)
    if options.plot is not None:
        draw(found["growth"], options.plot)
    if options.json:
        kept = {"machine": _machine(), "options": asdict(options), **found}
        print(json.dumps(kept, indent=2, default=str))


if __name__ == "__main__":
    main()
