"""Time of a migration, compared with a hand-written script that does the minimum.

The script reads the same files with the standard ``json``, and inserts their content with
``sqlite3`` into the same tables in one transaction: no backup, no validation, no comparison.
"""

import json
import shutil
from contextlib import closing
from functools import partial
from pathlib import Path

from benchmarks import tables
from benchmarks.floor import connect
from benchmarks.issues import random_issues
from benchmarks.measuring import Row, Times, interleaved, medians, ratio
from benchmarks.options import Options
from benchmarks.sides import settings, temporary
from burndown.database import SQLiteDatabase
from burndown.demo import write_demo_workspace
from burndown.migration import run_migration_if_needed

__all__ = ["measure", "table"]

_MUST, _AIM = 1.5, 0.8


def _write_workspace(folder: Path, issues: int) -> Path:
    """Write a workspace of the old dashboard, with issues that compress like real ones."""
    write_demo_workspace(folder, issues=issues)
    fresh = random_issues(issues + 50)
    for path in (folder / "profiles").rglob("jira_cache.json"):
        cached = json.loads(path.read_text("utf-8"))
        keys = [issue["key"] for issue in cached["issues"]]
        cached["issues"] = [{**issue, "key": key} for issue, key in zip(fresh, keys, strict=False)]
        path.write_text(json.dumps(cached, indent=2, ensure_ascii=False), "utf-8")
    return folder / "profiles"


def _migrate(profiles_dir: Path) -> None:
    """Migrate with this package, which backs up and compares."""
    with closing(SQLiteDatabase(profiles_dir / "burndown.db")) as database:
        run_migration_if_needed(profiles_dir, database)


def _migrate_manually(profiles_dir: Path, synchronous: str) -> None:
    """Migrate with the script: read, insert, commit."""
    connection = connect(profiles_dir / "burndown.db", synchronous)
    connection.execute("BEGIN")
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
            response = json.loads((folder / "jira_cache.json").read_text("utf-8"))
            connection.execute(
                "INSERT INTO jira_cache (profile_id, query_id, cache_key, expires_at, created_at,"
                " response) VALUES (?, ?, ?, ?, ?, ?)",
                (*ids, "key", now, now, json.dumps(response)),
            )
            changelogs = json.loads((folder / "jira_changelog_cache.json").read_text("utf-8"))
            connection.executemany(
                "INSERT INTO jira_changelog_cache (profile_id, query_id, issue_key, changelog)"
                " VALUES (?, ?, ?, ?)",
                [(*ids, key, json.dumps(entry)) for key, entry in changelogs.items()],
            )
            data = json.loads((folder / "project_data.json").read_text("utf-8"))
            connection.execute(
                "INSERT INTO project_data (profile_id, query_id, updated_at, data)"
                " VALUES (?, ?, ?, ?)",
                (*ids, now, json.dumps(data)),
            )
            weeks = json.loads((folder / "metrics_snapshots.json").read_text("utf-8"))
            connection.executemany(
                "INSERT INTO metrics_snapshots (profile_id, query_id, metric_type, snapshot_date,"
                " created_at, metrics) VALUES (?, ?, ?, ?, ?, ?)",
                [(*ids, "all", week, now, json.dumps(found)) for week, found in weeks.items()],
            )
    connection.execute("COMMIT")
    connection.close()


def measure(options: Options) -> list[Row]:
    """Measure both on fresh copies of one workspace; the time for copying is not counted."""
    with temporary(options.folder) as folder:
        workspace = _write_workspace(folder / "workspace", options.migrate)
        at_normal, sizes = _times(workspace, folder / "copy", "NORMAL", options.few_rounds)
        at_full, _ = _times(workspace, folder / "copy", "FULL", options.few_rounds)
    return [
        {
            "what": f"migrating {options.migrate:,} issues",
            "must": _MUST,
            "aim": _AIM,
            "floor_ms": medians(at_normal)["floor"] * 1e3,
            "normal": ratio(at_normal, "burndown", "floor"),
            "full": ratio(at_full, "burndown", "floor"),
            "bytes": sizes,
        }
    ]


def _times(
    workspace: Path, copy: Path, synchronous: str, rounds: int
) -> tuple[Times, dict[str, int]]:
    """Return the seconds, and the sizes of the databases."""
    sizes: dict[str, int] = {}

    def prepare() -> None:
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(workspace, copy / "profiles")

    def run(side: str, _: int) -> None:
        if side == "burndown":
            _migrate(copy / "profiles")
        else:
            _migrate_manually(copy / "profiles", synchronous)
        sizes[side] = (copy / "profiles" / "burndown.db").stat().st_size

    sides = ("floor", "burndown")
    with settings(sqlite_synchronous=synchronous):
        calls = {side: partial(run, side) for side in sides}
        return interleaved(calls, rounds, dict.fromkeys(sides, prepare)), sizes


def table(rows: list[Row]) -> str:
    """Return a table of the ratios to the script."""
    headings = ["what", "floor", "burndown", "at FULL", "file", "must", "aim", "meets"]
    lines = [
        [
            row["what"],
            f"{row['floor_ms']:,.0f} ms",
            tables.spread(row["normal"]),
            tables.spread(row["full"]),
            f"{row['bytes']['burndown'] / row['bytes']['floor']:.2f}",
            row["must"],
            row["aim"],
            tables.verdict(row["normal"]["ratio"], row["must"], row["aim"]),
        ]
        for row in rows
    ]
    return tables.markdown("Migration, as a multiple of the floor's time", headings, lines)
