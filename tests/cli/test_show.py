"""The command show."""

import re
from collections import defaultdict
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from burndown import (
    SQLiteBackend,
    ValidationError,
    get_backend,
    set_backend,
)
from burndown.models.version import VERSIONS
from tests.support.command_line import (
    ODD_ID,
    ODD_NAME,
    Capture,
    files_below,
    in_json,
    many_queries,
    printed,
    refused,
    without_ages,
)
from tests.support.legacy_workspaces import write


def summary(query: dict[str, Any]) -> dict[str, Any]:
    """Return the expected summary of a query, from the data of the backend."""
    backend, ids = get_backend(), (query["profile_id"], query["id"])
    weeks = [found["snapshot_date"] for found in backend.get_metrics_snapshots(*ids, limit=None)]
    return {
        "id": query["id"],
        "name": query["name"],
        "cached_responses": backend.list_jira_caches(*ids),
        "changelog_count": len(backend.list_jira_changelogs(*ids)),
        "has_project_data": backend.get_project_data(*ids) is not None,
        "has_budget": backend.get_budget(*ids) is not None,
        "week_count": len(set(weeks)),
        "latest_week": max(weeks) if weeks else None,
    }


def test_show_prints_the_workspace_as_json(capsys: Capture, workspace: Path) -> None:
    """It has the database, all profiles with their queries, the selection and the tasks."""
    backend = get_backend()
    backend.save_profile({"id": "empty"})
    backend.save_query("kafka", {"id": "bare"})
    backend.save_task_progress("fetch", 12.5, "running", "page 3")
    set_backend(None)
    found = in_json(capsys, "show")
    backend = get_backend()
    history = found["database"].pop("schema_history")
    assert [each["version"] for each in history] == list(VERSIONS)
    assert without_ages(found) == {
        "database": backend.describe(),
        "active_profile_id": "kafka",
        "active_query_id": "12w",
        "profiles": [
            {
                "id": profile["id"],
                "name": profile["name"],
                "last_used": profile["last_used"],
                "queries": [summary(query) for query in backend.list_queries(profile["id"])],
            }
            for profile in backend.list_profiles()
        ],
        "tasks": backend.list_task_progress(),
    }
    assert len(found["profiles"]) == 4


def test_show_prints_a_profile_as_json(capsys: Capture, workspace: Path) -> None:
    """Of the token it only prints whether there is one."""
    get_backend().save_profile({"id": "empty"})
    set_backend(None)
    for profile_id, has_token in (("kafka", True), ("empty", False)):
        found = in_json(capsys, "show", profile_id)
        backend = get_backend()
        profile = backend.get_profile(profile_id)
        assert profile is not None
        assert without_ages(found) == {
            **profile,
            "jira_config": {**profile["jira_config"], "token": {"is_set": has_token}},
            "queries": [summary(query) for query in backend.list_queries(profile_id)],
        }
        set_backend(None)


def test_show_prints_a_query_as_json(capsys: Capture, workspace: Path) -> None:
    """It has all that belongs to the query, in every format of project data."""
    get_backend().save_query("kafka", {"id": "bare"})
    budget = {"budget_total": 48_000, "effective_from": "2026-01-05", "own": 1}
    get_backend().save_budget("kafka", "12w", {**budget, "revisions": [{"reason": "scope"}]})
    set_backend(None)
    scopes = []
    for ids in (("kafka", "12w"), ("kafka", "bare"), ("zh", "offen")):
        found = in_json(capsys, "show", *ids)
        backend = get_backend()
        query = backend.get_query(*ids)
        assert query is not None
        data = backend.get_project_data(*ids) or {}
        scope = data.get("project_scope", data)
        del found["trends"]  # see test_charts.py
        assert without_ages(found) == {
            **summary(query),
            **{key: query[key] for key in ("jql", "description", "created_at", "last_used")},
            "project_scope": {
                key: scope.get(key)
                for key in ("total_items", "completed_items", "total_points", "completed_points")
            },
            "budget": None
            if ids != ("kafka", "12w")
            else {
                "time_allocated_weeks": None,
                "team_cost_per_week": None,
                "budget_total": 48_000,
                "currency_symbol": "€",
                "effective_from": "2026-01-05",
                "revision_count": 1,
            },
            "snapshots": [
                {
                    "snapshot_date": snapshot["snapshot_date"],
                    "metric_type": snapshot["metric_type"],
                    "metrics": sorted(snapshot["metrics"]),
                }
                for snapshot in backend.get_metrics_snapshots(*ids, limit=None)
            ],
        }
        scopes.append(found["project_scope"]["total_items"])
        set_backend(None)
    assert scopes == [12, None, 40]


def test_show_marks_what_is_active(capsys: Capture, workspace: Path) -> None:
    """That is one profile and one of its queries."""
    output = printed(capsys, "show")
    assert "Kafka (kafka), active" in output
    assert "Last 12 weeks, active" in output
    assert output.count(", active") == 2


def test_show_marks_expired_responses(capsys: Capture, workspace: Path) -> None:
    backend = get_backend()
    backend.save_query("kafka", {"id": "new"})
    timestamp = datetime.now(UTC)
    backend.save_jira_cache("kafka", "new", "a", {"issues": [{}]}, timestamp + timedelta(days=9))
    backend.save_jira_cache("kafka", "new", "b", {"issues": []}, timestamp - timedelta(days=9))
    set_backend(None)
    for arguments in (["show"], ["show", "kafka"], ["show", "kafka", "new"]):
        output = printed(capsys, *arguments)
        assert re.search(r"\b1\b.*\bvalid\b", output)
        assert re.search(r"\b0\b.*\bexpired\b", output)


def test_show_of_a_profile_prints_its_settings(capsys: Capture, workspace: Path) -> None:
    output = printed(capsys, "show", "kafka")
    assert output.startswith("Kafka (kafka)\n")
    assert "Jira: https://jira.example.com, with a token\n" in output
    assert "pert_factor 1.2" in output
    for text in ("Last 12 weeks", "Bugs", "Delivery of the project KAFKA"):
        assert text in output


def test_show_of_a_query_prints_all_that_belongs_to_it(capsys: Capture, workspace: Path) -> None:
    """The weeks of its metrics, each response with its age, and the progress of the project."""
    output = printed(capsys, "show", "kafka", "12w")
    assert output.startswith("Last 12 weeks (12w)\n")
    assert "JQL: project = KAFKA AND updated >= -12w\n" in output
    assert re.search(r"^Scope: total_items 12, ", output, re.MULTILINE)
    assert "Changelogs: 12 issues\n" in output
    backend = get_backend()
    weeks = defaultdict(list)
    for snapshot in backend.get_metrics_snapshots("kafka", "12w", limit=None):
        weeks[snapshot["metric_type"]].append(snapshot["snapshot_date"])
    for metric_type, dates in weeks.items():
        row = rf"^[│|] {metric_type} +[│|] {len(dates)} +[│|] {dates[-1]} to {dates[0]} +[│|]"
        assert re.search(row, output, re.MULTILINE)


def test_show_prints_a_row_for_all_weeks_with_the_same_metrics(
    capsys: Capture, workspace: Path
) -> None:
    backend = get_backend()
    backend.save_query("kafka", {"id": "new", "jql": "project = KAFKA"})
    for week, metrics in (("2025-W10", "ab"), ("2025-W11", "a"), ("2025-W12", "ab")):
        backend.save_metrics_snapshot("kafka", "new", week, "dora", dict.fromkeys(metrics, 1))
    lines = printed(capsys, "show", "kafka", "new").partition("Snapshots")[2].splitlines()
    rows = [re.findall(r"[^│| ]+(?: [^│| ]+)*", each) for each in lines if "2025" in each]
    assert rows == [
        ["dora", "2", "2025-W10 to 2025-W12", "a, b"],
        ["dora", "1", "2025-W11", "a"],
    ]


def test_show_prints_the_forecasts_of_the_last_week(capsys: Capture, workspace: Path) -> None:
    """Next to what was measured in it, as far as there is anything to print."""
    backend = get_backend()
    backend.save_query("kafka", {"id": "new"})
    forecasts = {
        "lead_time_days": {"predicted_value": 9.87, "confidence_interval": [0.5, 12.345]},
        "mttr_hours": 7,
    }
    for week in ("2025-W11", "2025-W12"):
        values = {"lead_time_days": 3.14159, "mttr_hours": 5 if week == "2025-W11" else None}
        backend.save_metrics_snapshot("kafka", "new", week, "dora", values, forecasts=forecasts)
    backend.save_metrics_snapshot("kafka", "new", "2025-W12", "flow", {"flow_load": 4})
    set_backend(None)
    output = printed(capsys, "show", "kafka", "new")
    [table] = re.findall(r"^Forecasts, 2025-W12\s*\n(.*?)^\w", output, re.DOTALL | re.MULTILINE)
    rows = [[cell.strip() for cell in re.split("[│|]", line)[1:-1]] for line in table.splitlines()]
    assert [row for row in rows if row and "." in row[0]] == [
        ["dora.lead_time_days", "3.14", "9.87", "0.5 to 12.3", "days"],
        ["dora.mttr_hours", "-", "7", "-", "hours"],
    ]
    backend = get_backend()
    backend.save_metrics_snapshot("kafka", "new", "2025-W13", "dora", {"lead_time_days": 1})
    set_backend(None)
    assert "Forecasts" not in printed(capsys, "show", "kafka", "new")


def test_show_prints_the_amounts_of_a_budget(capsys: Capture, workspace: Path) -> None:
    assert "Budget" not in printed(capsys, "show", "kafka", "12w")
    backend = get_backend()
    backend.save_budget("kafka", "12w", {"time_allocated_weeks": 12.5, "budget_total": 48_000})
    backend.add_budget_revision("kafka", "12w", {"budget_total_delta": 3})
    set_backend(None)
    line = "Budget: 12.5 weeks, 48,000.00 € in total, 1 revision\n"
    assert line in printed(capsys, "show", "kafka", "12w")
    backend = get_backend()
    backend.add_budget_revision("kafka", "12w", {"budget_total_delta": 4})
    more = {"team_cost_per_week": 0, "currency_symbol": "[b]", "effective_from": "2026-01-05"}
    backend.save_budget("kafka", "12w", more)
    set_backend(None)
    line = "Budget: 0.00 [b] a week, from 2026-01-05, 2 revisions\n"
    assert line in printed(capsys, "show", "kafka", "12w")


def test_an_empty_database_is_reported_as_empty(capsys: Capture, tmp_path: Path) -> None:
    with SQLiteBackend(tmp_path / "profiles/burndown.db") as backend:
        backend.set_app_state("key", "value")
    assert printed(capsys, "show").splitlines()[-1] == "No profiles"
    found = in_json(capsys, "show")
    assert found["profiles"] == found["tasks"] == []
    assert found["active_profile_id"] is None


@pytest.mark.parametrize("command", ["show", "check"])
def test_show_creates_no_file(capsys: Capture, command: str, tmp_path: Path) -> None:
    """Without a database, an error says how to create one, and there is still none."""
    for options in ([], ["--json"], ["--profiles", "other"]):
        line = refused(capsys, command, *options)
        assert "There is no database at " in line
        assert "burndown migrate" in line
    assert not files_below(tmp_path)


def test_show_changes_nothing(capsys: Capture, workspace: Path) -> None:
    before = files_below(workspace)
    for arguments in (["show"], ["show", "kafka"], ["show", "kafka", "12w"], ["check"]):
        printed(capsys, *arguments)
    after = files_below(workspace)
    assert after.keys() == before.keys()
    assert after == before


def test_strings_like_markup_are_printed_unchanged(capsys: Capture, tmp_path: Path) -> None:
    """Brackets, emoji codes and links in any stored string and in a requested id."""
    with SQLiteBackend(tmp_path / "profiles/burndown.db") as backend:
        odd = {"id": ODD_ID, "name": ODD_NAME, "description": ODD_NAME}
        backend.save_profile(odd)
        backend.save_query(ODD_ID, {**odd, "jql": ODD_NAME})
        backend.save_jira_cache(ODD_ID, ODD_ID, "[b]k[/b]", {}, datetime.now(UTC))
        backend.save_metrics_snapshot(ODD_ID, ODD_ID, "2025-W12", "dora", {ODD_NAME: 1})
        backend.save_task_progress(ODD_ID, 1, "running", ODD_NAME)
        backend.set_app_state("active_profile_id", ODD_ID)
    everywhere = printed(capsys, "show")
    assert f"{ODD_NAME} ({ODD_ID}), active" in everywhere
    assert everywhere.count(ODD_NAME) == 3
    assert everywhere.count(ODD_ID) == 3
    profile = printed(capsys, "show", ODD_ID)
    assert profile.startswith(f"{ODD_NAME} ({ODD_ID})\n{ODD_NAME}\n")
    assert profile.count(ODD_NAME) == 3
    query = printed(capsys, "show", ODD_ID, ODD_ID)
    assert query.startswith(f"{ODD_NAME} ({ODD_ID})\n{ODD_NAME}\nJQL: {ODD_NAME}\n")
    assert query.count(ODD_NAME) == 4
    assert "[b]k[/b]" in query
    assert refused(capsys, "show", ODD_NAME) == f"Profile '{ODD_NAME}' not found"


POWER = "FAKE".join("\n\r\x1b\x9b\x85\u2028\u2029\u202e\u2066\u200f\t.")
SHOWN = POWER.encode("unicode_escape").decode("ascii")


def test_stored_strings_cannot_control_the_terminal(capsys: Capture, tmp_path: Path) -> None:
    """No string moves the cursor, changes the direction of others or forges a line."""
    with SQLiteBackend(tmp_path / "profiles/burndown.db") as backend:
        url = f"https://jira.example.com/{POWER}"
        strings = {"name": f"N{POWER}", "description": f"D{POWER}"}
        settings = {"data_points_count": 12, f"unknown{POWER}": f"value{POWER}"}
        backend.save_profile({**strings, "id": "p", "forecast_settings": settings})
        with suppress(ValidationError):
            profile: Any = backend.get_profile("p") or {}
            backend.save_profile({**profile, "jira_config": {"base_url": url}})
        backend.save_query("p", {**strings, "id": "q", "jql": f"J{POWER}"})
        backend.save_query("p", {"id": "r\u202e", "name": f"R{POWER}"})
        backend.save_jira_cache("p", "q", f"k{POWER}", {}, datetime.now(UTC))
        backend.save_metrics_snapshot("p", "q", "2025-W12", "dora", {f"m{POWER}": 1})
        scope = {"total_items": f"S{POWER}"}
        backend.save_project_data("p", "q", {"project_scope": scope})
        backend.save_task_progress("t\u202e", 1, "running", f"M{POWER}")
        backend.set_app_state("active_profile_id", "p")
    outputs = [
        printed(capsys, *arguments)
        for arguments in (["show"], ["show", "p"], ["show", "p", "q"], ["show", "p", "r\u202e"])
    ]
    for output in outputs:
        assert all(line.isprintable() for line in output.split("\n"))
        assert not re.search(r"^\W*FAKE", output.replace(SHOWN, ""), re.MULTILINE)
    assert f"Forecast: data_points_count 12, unknown{SHOWN} value{SHOWN}\n" in outputs[1]
    for text in ("D", "JQL: J", "Scope: total_items S"):
        assert f"{text}{SHOWN}" in outputs[2]
    assert f"R{SHOWN} (r\\u202e)\n" in outputs[3]
    assert SHOWN in refused(capsys, "show", f"x{POWER}")
    assert SHOWN in refused(capsys, "show", "p", f"x{POWER}")
    assert SHOWN in refused(capsys, "show", "--profiles", f"x{POWER}")


def test_file_names_like_markup_are_printed_unchanged(capsys: Capture, tmp_path: Path) -> None:
    """In the tables, in the lines below them and in an error."""
    root = tmp_path / "[red]root[b]"
    write(many_queries(1), root)
    left_out = root / "profiles/p/[i]:smile:.json.tmp"
    left_out.write_text("")
    output = printed(capsys, "migrate", "--profiles", str(root / "profiles"))
    assert "profiles/p/[i]:smile:.json.tmp" in output
    assert f"Moved into {root / 'profiles/burndown.db'}\n" in output
    assert str(tmp_path / "[red]none") in refused(capsys, "show", "--profiles", "[red]none")
