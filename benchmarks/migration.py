"""How long a migration takes, next to a hand-written script that does the least possible.

The script reads the same files with the standard ``json``, and inserts their content with
``sqlite3`` into the same tables in one transaction: no backup, no validation, no comparison. Both
run in turns on fresh copies of one sample workspace; the ratio is that of the medians.

    python -m benchmarks.migration --issues 1000 --rounds 5
"""

import argparse
import json
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from burndown.database import SQLiteDatabase
from burndown.demo import write_demo_workspace
from burndown.migration import run_migration_if_needed


def migrate(profiles_dir: Path) -> None:
    """What this package does, with backup and comparison."""
    database = SQLiteDatabase(profiles_dir / "burndown.db")
    run_migration_if_needed(profiles_dir, database)
    database.close()


def migrate_by_hand(profiles_dir: Path) -> None:
    """The floor: read, insert, commit."""
    database = SQLiteDatabase(profiles_dir / "burndown.db")
    with database.session():
        pass  # makes the schema
    database.close()
    connection = sqlite3.connect(profiles_dir / "burndown.db")
    connection.execute("PRAGMA synchronous=FULL")
    now = "2025-01-01 00:00:00.000000"
    for profile_path in profiles_dir.glob("*/profile.json"):
        profile, profile_id = json.loads(profile_path.read_text("utf-8")), profile_path.parent.name
        connection.execute(
            "INSERT INTO profiles (id, name, jira_config, field_mappings, forecast_settings)"
            " VALUES (?, ?, ?, ?, ?)",
            (
                profile_id,
                profile["name"],
                json.dumps(profile["jira_config"]),
                json.dumps(profile["field_mappings"]),
                json.dumps(profile["forecast_settings"]),
            ),
        )
        for folder in profile_path.parent.glob("queries/*"):
            query = json.loads((folder / "query.json").read_text("utf-8"))
            ids = profile_id, folder.name
            connection.execute(
                "INSERT INTO queries (profile_id, id, name, jql) VALUES (?, ?, ?, ?)",
                (*ids, query["name"], query["jql"]),
            )
            cache = json.loads((folder / "jira_cache.json").read_text("utf-8"))
            connection.execute(
                "INSERT INTO jira_cache (profile_id, query_id, cache_key, expires_at, created_at,"
                " response) VALUES (?, ?, ?, ?, ?, ?)",
                (*ids, "key", now, now, json.dumps(cache)),
            )
            changelogs = json.loads((folder / "jira_changelog_cache.json").read_text("utf-8"))
            connection.executemany(
                "INSERT INTO jira_changelog_cache VALUES (?, ?, ?, ?, ?)",
                [(*ids, key, None, json.dumps(entry)) for key, entry in changelogs.items()],
            )
            data = json.loads((folder / "project_data.json").read_text("utf-8"))
            connection.execute(
                "INSERT INTO project_data VALUES (?, ?, ?, ?)", (*ids, now, json.dumps(data))
            )
            weeks = json.loads((folder / "metrics_snapshots.json").read_text("utf-8"))
            connection.executemany(
                "INSERT INTO metrics_snapshots VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (*ids, "all", week, now, json.dumps(found), None)
                    for week, found in weeks.items()
                ],
            )
    connection.commit()
    connection.close()


def seconds(run: Callable[[Path], None], sample: Path) -> tuple[float, int]:
    """How long a run takes on a copy of the sample, and the size of its database."""
    with tempfile.TemporaryDirectory() as folder:
        profiles_dir = shutil.copytree(sample, Path(folder) / "profiles")
        start = time.perf_counter()
        run(profiles_dir)
        took = time.perf_counter() - start
        return took, (profiles_dir / "burndown.db").stat().st_size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--issues", type=int, default=1000, help="issues in the largest query")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print JSON, for keeping")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_demo_workspace(Path(folder), issues=options.issues)
        sample = Path(folder) / "profiles"
        runs = {"floor": migrate_by_hand, "burndown": migrate}
        times: dict[str, list[float]] = {name: [] for name in runs}
        sizes = {}
        for _ in range(options.rounds + 1):
            for name, run in runs.items():
                took, sizes[name] = seconds(run, sample)
                times[name].append(took)
    medians = {name: statistics.median(took[1:]) for name, took in times.items()}
    result = {
        "issues": options.issues,
        "rounds": options.rounds,
        "seconds": medians,
        "spread": {name: [min(took[1:]), max(took[1:])] for name, took in times.items()},
        "ratio": medians["burndown"] / medians["floor"],
        "bytes": sizes,
    }
    if options.json:
        print(json.dumps(result, indent=2))
        return
    for name in runs:
        low, high = result["spread"][name]
        print(f"{name:10} {medians[name]:7.3f} s ({low:.3f} to {high:.3f}), {sizes[name]:>11,} B")
    print(f"ratio      {result['ratio']:7.2f}")


if __name__ == "__main__":
    main()
