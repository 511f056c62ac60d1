"""The documented questions have the answers of the package, and the documented columns exist."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from statistics import fmean, median
from typing import Any

import pytest

from burndown import SQLiteBackend, Week
from burndown.jira import issues_of
from burndown.persistence import backend_in_use
from burndown.tables import TABLES, write_tables

PAGE = (Path(__file__).parents[2] / "docs/tables.md").read_text("utf-8")
TYPES: dict[type[Any], str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    date: "date",
    datetime: "timestamp",
}


def answer(tables: sqlite3.Connection, question: str) -> list[tuple[Any, ...]]:
    """Return the rows of the statement below a heading."""
    section = PAGE.partition(f"### {question}\n")[2]
    statement = section.partition("```sql\n")[2].partition("```")[0]
    return [tuple(row) for row in tables.execute(statement)]


def known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def test_the_throughput_is_that_of_the_series(
    sample: SQLiteBackend, tables: sqlite3.Connection
) -> None:
    series = sample.get_series("kafka", "12w", "flow.flow_velocity")
    expected = zip(series["weeks"], series["values"], strict=True)
    rows = answer(tables, "Throughput by week")
    assert rows == [each for each in expected if each[1] is not None]
    assert len(rows) > 20


def test_dora_metrics_by_month_are_those_of_the_series(
    sample: SQLiteBackend, tables: sqlite3.Connection
) -> None:
    names = ("deployment_frequency", "lead_time_days", "change_failure_rate", "mttr_hours")
    months: dict[str, dict[str, list[float | None]]] = defaultdict(lambda: defaultdict(list))
    for series in sample.get_series("kafka", "12w", [f"dora.{name}" for name in names]):
        for week, value in zip(series["weeks"], series["values"], strict=True):
            months[str(Week.of(week).monday)[:7]][series["metric"]].append(value)
    rows = answer(tables, "DORA metrics by month")
    assert len(rows) == len(months) > 3
    for month, deployments, *means in rows:
        of_month = months[month]
        assert deployments == sum(known(of_month["dora.deployment_frequency"]))
        for name, mean in zip(names[1:], means, strict=True):
            values = known(of_month[f"dora.{name}"])
            assert mean == (pytest.approx(fmean(values)) if values else None)


def cycle_times(sample: SQLiteBackend) -> dict[str, list[float]]:
    """Return the days of each finished issue, by month.

    In the sample, work begins once it is in progress, and ends in two statuses.
    """
    profile = sample.get_profile("kafka")
    newest = sample.list_jira_caches("kafka", "12w")[0]
    response = sample.get_jira_cache("kafka", "12w", newest["cache_key"])
    months: dict[str, list[float]] = defaultdict(list)
    for issue in issues_of(response, profile, sample.get_jira_changelogs("kafka", "12w")):
        stays = issue.history.stays
        started = next((stay.entered for stay in stays if stay.status == "In Progress"), None)
        if issue.status in ("Resolved", "Closed") and started is not None:
            finished = next(s.entered for s in reversed(stays) if s.status == "Resolved")
            assert finished is not None
            months[f"{finished:%Y-%m}"].append((finished - started).total_seconds() / 86400)
    return months


def test_cycle_times_are_those_of_the_histories(
    sample: SQLiteBackend, tables: sqlite3.Connection
) -> None:
    months = cycle_times(sample)
    rows = answer(tables, "Cycle time by month")
    assert [row[0] for row in rows] == sorted(months) != []
    for month, issues, mean_days, longest_days in rows:
        days = months[month]
        assert (issues, mean_days) == (len(days), pytest.approx(fmean(days)))
        assert longest_days == pytest.approx(max(days))


def test_percentiles_in_pandas_are_those_of_the_histories(sample: SQLiteBackend) -> None:
    names: dict[str, Any] = {}
    with backend_in_use(sample):
        for part in PAGE.split("```python\n")[1:]:
            exec(part.partition("```")[0], names)
    found = names["percentiles"]["50 %"].dropna().to_dict()
    expected = {month: median(days) for month, days in cycle_times(sample).items()}
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(
    "question", ["Time in status", "Scope change by week", "Scope change of sprints"]
)
def test_other_questions_are_answered(tables: sqlite3.Connection, question: str) -> None:
    rows = answer(tables, question)
    assert (rows != []) == (question != "Scope change of sprints")  # the sample has no sprints


def test_the_page_describes_every_column() -> None:
    """In the words of the declaration, and no other columns."""
    expected = []
    for table in TABLES:
        expected += [f"### {table.name}", "", table.title, ""]
        expected += ["| column | type | content |", "|---|---|---|"]
        for column in table.columns:
            name = f"`{column.name}`" + (", key" if column.described.is_key else "")
            expected.append(f"| {name} | {TYPES[column.type]} | {column.description} |")
        expected.append("")
    documented = PAGE.partition("`key` marks the columns that identify a row.\n\n")[2]
    assert documented.splitlines() == expected[:-1]


def test_the_metadata_describe_every_column(sample: SQLiteBackend, tmp_path: Path) -> None:
    """For a database, next to it, under its name in Datasette."""
    for name, file in (("a.b.db", "a.b.metadata.json"), ("out.csv", "out.csv/metadata.json")):
        write_tables(tmp_path / name, backend=sample)
        [(database, found)] = json.loads((tmp_path / file).read_text())["databases"].items()
        assert database == Path(name).stem
        assert {
            table: list(each["columns"].items()) for table, each in found["tables"].items()
        } == {
            table.name: [(each.name, each.description) for each in table.columns]
            for table in TABLES
        }


def test_the_columns_of_sqlite_have_the_declared_types(tables: sqlite3.Connection) -> None:
    names = {"INTEGER": (int, bool), "REAL": (float,), "TEXT": (str, date, datetime)}
    for table in TABLES:
        found = tables.execute(f"PRAGMA table_info({table.name})").fetchall()
        assert [row["name"] for row in found] == [each.name for each in table.columns]
        for row, column in zip(found, table.columns, strict=True):
            assert column.type in names[row["type"]]
        assert {row["name"] for row in found if row["pk"]} == set(table.key)
