"""The rows of tables are the numbers and times that the package returns."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from burndown import PersistenceBackend, SQLiteBackend, Week, open_backend
from burndown.jira import Issue, issues_of
from burndown.models import ProfileDocument
from burndown.models.metric_series import MEASURES
from burndown.remaining_work import remaining_work
from burndown.tables import write_tables
from burndown.tables.issues import Workflow, issue_row, status_rows
from burndown.tables.rows import rows_of
from burndown.tables.sprints import sprint_rows
from burndown.testing import make_profile
from burndown.testing.contract.examples import given
from burndown.testing.controlled_store import HOUR
from burndown.testing.strategies import metrics_snapshots, words
from tests.tables.contents import contents, replace_content

DAY = timedelta(days=1)
MONDAY = datetime(2026, 1, 5, 9, tzinfo=UTC)
CANARY = "canary-5f3a"


def written(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_issues_are_those_of_the_newest_response(
    sample: SQLiteBackend, tables: sqlite3.Connection
) -> None:
    """Also if it has expired."""
    for profile in sample.list_profiles():
        for query in sample.list_queries(profile["id"]):
            ids = profile["id"], query["id"]
            newest = sample.list_jira_caches(*ids)[0]
            issues = issues_of(sample.find_jira_cache(*ids, newest["cache_key"]), profile)
            rows = tables.execute(
                "SELECT * FROM issues WHERE (profile_id, query_id) = (?, ?)", ids
            ).fetchall()
            by_key = {row["issue_key"]: row for row in rows}
            assert len(by_key) == len(issues) > 0
            for issue in issues:
                row = by_key[issue.key]
                for name in ("project", "type", "summary", "status", "status_category"):
                    assert row[name] == getattr(issue, name)
                for name in ("created", "updated", "resolved"):
                    assert row[f"{name}_at"] == written(getattr(issue, name))
                assert row["points"] == issue.points
                assert json.loads(row["components"]) == list(issue.components)


def test_the_time_in_statuses_is_that_of_the_history(
    sample: SQLiteBackend, tables: sqlite3.Connection
) -> None:
    newest = sample.list_jira_caches("kafka", "12w")[0]
    response = sample.get_jira_cache("kafka", "12w", newest["cache_key"])
    changelogs = sample.get_jira_changelogs("kafka", "12w")
    days = dict(
        tables.execute(
            "SELECT issue_key, sum(days) FROM status_changes WHERE query_id = '12w' "
            "AND status IN ('In Progress', 'In Review') AND days IS NOT NULL GROUP BY issue_key"
        ).fetchall()
    )
    assert days
    for issue in issues_of(response, None, changelogs):
        stays = [stay for stay in issue.history.stays if stay.left is not None]
        until = stays[-1].left if stays else MONDAY
        assert until is not None
        expected = issue.history.time_in(["in progress", "in review"], until) / DAY
        assert days.get(issue.key, 0) == pytest.approx(expected)


def test_weeks_are_those_of_the_burndown_chart(
    sample: SQLiteBackend, tables: sqlite3.Connection
) -> None:
    work = remaining_work(sample.get_project_data("kafka", "12w"))
    rows = tables.execute("SELECT * FROM weeks WHERE query_id = '12w' ORDER BY week").fetchall()
    assert [row["week"] for row in rows] == work["weeks"] != []
    assert [row["remaining_items"] for row in rows] == work["items"]
    assert [row["remaining_points"] for row in rows] == work["points"]
    for before, row in pairwise(rows):
        change = row["created_items"] - row["completed_items"]
        assert row["remaining_items"] == max(before["remaining_items"] + change, 0)
    assert {row["week_start"] for row in rows} == {
        str(Week.of(each).monday) for each in work["weeks"]
    }


def series_in(backend: PersistenceBackend, metric: str) -> dict[str, tuple[Any, ...]]:
    """Return what a series has in each week with a number."""
    series = backend.get_series("p", "q", metric)
    keys = ("values", "forecast", "lower", "upper")
    found = zip(*(series[key] for key in keys), strict=True)  # type: ignore[literal-required]
    return {
        week: (series["unit"], *numbers)
        for week, numbers in zip(series["weeks"], found, strict=True)
        if numbers != (None,) * 4
    }


@given(
    st.lists(
        metrics_snapshots(
            metric_type=st.sampled_from(["dora", "flow"]) | words(),
            snapshot_date=st.sampled_from(["2026-W01", "2026-W02", "2026-W05"]),
        ),
        min_size=1,
        max_size=4,
    ),
    divisor=2,
)
def test_metrics_and_forecasts_are_those_of_the_series(snapshots: list[dict[str, Any]]) -> None:
    """Each metric of a snapshot has the rows of its series, under one name."""
    with open_backend("memory:") as backend:
        backend.save_profile({"id": "p"})
        backend.save_query("p", {"id": "q"})
        for snapshot in snapshots:
            backend.save_metrics_snapshot("p", "q", **snapshot)
        rows: dict[str, dict[str, list[Any]]] = {}
        for row in rows_of(backend):
            match row._asdict():  # type: ignore[attr-defined]
                case {"metric": metric, "week": week, "value": value, "unit": unit}:
                    of_week = rows.setdefault(metric, {}).setdefault(week, [unit] + [None] * 4)
                    of_week[1] = value
                case {"metric": metric, "week": week, "forecast": _, "unit": unit} as forecast:
                    of_week = rows.setdefault(metric, {}).setdefault(week, [unit] + [None] * 4)
                    of_week[2:] = [forecast[each] for each in ("forecast", "lower", "upper")]
        metrics = {
            f"{each['metric_type']}.{name}"
            for each in backend.get_metrics_snapshots("p", "q", limit=None)
            for name in each["metrics"]
            if name
        }
        aliases = {measure.object: measure.name for measure in MEASURES}
        for metric in metrics:
            kind, _, name = metric.partition(".")
            found = rows.get(f"{kind}.{aliases.get(name, name)}", {})
            assert {week: tuple(each) for week, each in found.items()} == series_in(backend, metric)


def issue_with(statuses: list[str], **fields: Any) -> Issue:
    """Return an issue that was created on a Monday and changed its status on each next day."""
    histories = [
        {
            "created": (MONDAY + number * DAY).isoformat(),
            "items": [{"field": "status", "fromString": old, "toString": new}],
        }
        for number, (old, new) in enumerate(pairwise(statuses), start=1)
    ]
    document = {
        "key": "A-1",
        "fields": {
            "created": MONDAY.isoformat(),
            "status": {"name": statuses[-1]},
            **fields,
        },
        "changelog": {"histories": histories, "total": len(histories)},
    }
    return issues_of([document])[0]


def profile_with(**classification: list[str]) -> Any:
    return make_profile(project_classification=classification)


@pytest.mark.parametrize(
    ("statuses", "started", "finished"),
    [
        (["Open"], None, None),
        (["Open", "Doing"], 1, None),
        (["Open", "doing", "DONE"], 1, 2),
        (["Open", "Doing", "Done", "Closed"], 1, 2),
        (["Open", "Doing", "Done", "Doing"], 1, None),
        (["Open", "Doing", "Done", "Doing", "Closed"], 1, 4),
        (["Done"], None, 0),
    ],
)
def test_work_begins_and_ends_with_the_statuses_of_the_profile(
    statuses: list[str], started: int | None, finished: int | None
) -> None:
    """An issue that was opened again is finished when it was last done."""
    profile: ProfileDocument = profile_with(
        flow_start_statuses=["Doing"], flow_end_statuses=["Done", "Closed"]
    )
    row = issue_row("p", "q", issue_with(statuses), Workflow(profile))
    times = [None if day is None else MONDAY + day * DAY for day in (started, finished)]
    assert [row.started_at, row.finished_at] == times
    if started is not None and finished is not None:
        assert row.cycle_time_days == finished - started
    else:
        assert row.cycle_time_days is None


def test_a_profile_without_statuses_of_done_work_takes_the_resolution() -> None:
    profile = profile_with(flow_start_statuses=[], active_statuses=["Doing"], flow_end_statuses=[])
    issue = issue_with(["Open", "Doing", "Shipped"], resolutiondate="2026-01-09T09:00:00.000+0000")
    row = issue_row("p", "q", issue, Workflow(profile))
    assert (row.started_at, row.finished_at) == (MONDAY + DAY, issue.resolved)
    assert row.cycle_time_days == 3


def test_each_status_is_a_row_with_the_one_before() -> None:
    rows = list(status_rows("p", "q", issue_with(["Open", "Doing", "Done"])))
    assert [(row.number, row.previous_status, row.status, row.days) for row in rows] == [
        (1, None, "Open", 1),
        (2, "Open", "Doing", 1),
        (3, "Doing", "Done", None),
    ]


SERVER_SPRINT = (
    "com.atlassian.greenhopper.service.sprint.Sprint@1f2e[id=3,rapidViewId=2,state=CLOSED,"
    "name=Sprint 3, late,startDate=2026-01-05T09:00:00.000Z,endDate=2026-01-19T09:00:00.000Z,"
    "completeDate=2026-01-20T09:00:00.000Z,sequence=3,goal=]"
)
CLOUD_SPRINT = {
    "id": 3,
    "name": "Sprint 3, late",
    "state": "closed",
    "boardId": 2,
    "startDate": "2026-01-05T09:00:00.000Z",
    "endDate": "2026-01-19T09:00:00.000Z",
    "completeDate": "2026-01-20T09:00:00.000Z",
}


@pytest.mark.parametrize("sprint", [SERVER_SPRINT, CLOUD_SPRINT], ids=["server", "cloud"])
def test_sprints_are_read_from_their_field(sprint: Any) -> None:
    [row] = sprint_rows("p", "q", [issue_with(["Open"], customfield_10020=[sprint])])
    assert (row.sprint_id, row.sprint, row.state) == ("3", "Sprint 3, late", "closed")
    assert (row.starts_at, row.ends_at) == (MONDAY, MONDAY + 14 * DAY)
    assert row.completed_at == MONDAY + 15 * DAY
    assert (row.added_at, row.removed_at) == (None, None)


def test_sprints_have_the_times_at_which_the_issue_was_added_and_removed() -> None:
    changes = [("", "S1"), ("S1", ""), ("", "S1, S2"), ("S1, S2", "S2"), ("S2", ""), ("", "S2")]
    histories = [
        {
            "created": (MONDAY + day * DAY).isoformat(),
            "items": [{"field": "Sprint", "fromString": old, "toString": new}],
        }
        for day, (old, new) in enumerate(changes)
    ]
    document = {"key": "A-1", "changelog": {"histories": histories, "total": 6}}
    rows = sprint_rows("p", "q", issues_of([document]))
    assert {row.sprint_id: (row.added_at, row.removed_at) for row in rows} == {
        "S1": (MONDAY + 2 * DAY, MONDAY + 3 * DAY),
        "S2": (MONDAY + 5 * DAY, None),
    }


def in_sprints(key: str, field: list[Any], *changes: tuple[str, str, str, str]) -> dict[str, Any]:
    """Return an issue with a field, and with changes of it on the days from a Monday on."""
    keys = ("fromString", "from", "toString", "to")
    histories = [
        {
            "created": (MONDAY + day * DAY).isoformat(),
            "items": [{"field": "Sprint", **dict(zip(keys, change, strict=True))}],
        }
        for day, change in enumerate(changes)
    ]
    fields = {"customfield_1": field}
    return {"key": key, "fields": fields, "changelog": {"histories": histories, "total": 9}}


def test_a_sprint_is_the_same_after_it_was_renamed_and_for_removed_issues() -> None:
    """Its id tells; its name and times are those in the fields of other issues."""
    documents = [
        in_sprints("A-1", [CLOUD_SPRINT], ("", "", "Sprint 1", "3")),
        in_sprints("A-2", [], ("", "", "Sprint 1", "3"), ("Sprint 3, late", "3", "", "")),
        in_sprints("A-3", [], ("", "", "S 4, S 5", "4, 5"), ("S 4, S 5", "4, 5", "S 5", "5")),
        in_sprints("A-4", [], ("", "", "Sprint 3, late, S 5", "3, 5")),
    ]
    rows = sorted(
        sprint_rows("p", "q", issues_of(documents)), key=attrgetter("issue_key", "sprint_id")
    )
    assert [(row.issue_key, row.sprint_id, row.sprint, row.starts_at) for row in rows] == [
        ("A-1", "3", "Sprint 3, late", MONDAY),
        ("A-2", "3", "Sprint 3, late", MONDAY),
        ("A-3", "4", "S 4", None),
        ("A-3", "5", "S 5", None),
        ("A-4", "3", "Sprint 3, late", MONDAY),
        ("A-4", "5", "S 5", None),
    ]
    assert [(row.added_at, row.removed_at) for row in rows[:3]] == [
        (MONDAY, None),
        (MONDAY, MONDAY + DAY),
        (MONDAY, MONDAY + DAY),
    ]


def test_two_sprints_of_one_name_are_two_rows() -> None:
    """A change without ids, as the published dashboard stores it, is of a sprint in a field."""
    sprints = [{**CLOUD_SPRINT, "id": number, "name": "S 1"} for number in (7, 8)]
    rows = list(sprint_rows("p", "q", issues_of([in_sprints("A-1", sprints)])))
    assert [(row.sprint_id, row.sprint) for row in rows] == [("7", "S 1"), ("8", "S 1")]
    [row] = sprint_rows("p", "q", issues_of([in_sprints("A-1", sprints[:1], ("", "", "S 1", ""))]))
    assert (row.sprint_id, row.added_at) == ("7", MONDAY)


@pytest.mark.parametrize("sprint", [None, "Sprint 3", {"name": "1.0"}, [3], {"state": "closed"}])
def test_other_fields_are_no_sprints(sprint: Any) -> None:
    assert not list(sprint_rows("p", "q", [issue_with(["Open"], customfield_1=sprint)]))


@pytest.mark.parametrize("name", ["out.db", "out.csv"])
def test_no_table_has_a_secret(backend: SQLiteBackend, tmp_path: Path, name: str) -> None:
    """Not the token, another secret, a user in a URL, or a sealed secret."""
    url = f"https://ann:{CANARY}@jira.example.com/x"
    backend.save_profile(
        {
            "id": "p",
            "description": f"see {url}",
            "jira_config": {
                "base_url": f"https://jira.example.com?auth={CANARY}",
                "token": CANARY,
                "cookie": CANARY,
            },
            "password": CANARY,
        }
    )
    backend.save_query("p", {"id": "q", "jql": f"burndown:sealed:1:k:{CANARY}", "api_key": CANARY})
    issue = {"key": "A-1", "fields": {"summary": url}, "auth": CANARY}
    backend.save_jira_cache("p", "q", "k", {"issues": [issue], "token": CANARY}, HOUR)
    backend.save_budget("p", "q", {"secret": CANARY, "currency_symbol": "€"})
    write_tables(tmp_path / "tables" / name, backend=backend)
    files = [path for path in (tmp_path / "tables").rglob("*") if path.is_file()]
    assert len(files) > 1
    for file in files:
        content = file.read_bytes()
        assert CANARY.encode() not in content
        assert b"ann:" not in content
    assert any(b"see https://jira.example.com/x" in file.read_bytes() for file in files)


@given(contents(), divisor=3)
def test_every_store_has_tables(content: dict[str, Any]) -> None:
    """The values of each row have the types that its table declares."""
    with open_backend("memory:") as backend:
        replace_content(backend, content)
        rows = list(rows_of(backend))
    assert {type(row).__name__ for row in rows} >= {"ProfileRow", "QueryRow"}
