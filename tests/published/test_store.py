"""Databases of all shapes, with any odd values: each value of each row is found again."""

import json
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from burndown.conversion import Findings
from burndown.models import (
    Budget,
    JiraCache,
    JiraChangelog,
    MetricsSnapshot,
    Profile,
    ProjectData,
    Query,
)
from burndown.models.codec import codec_of
from burndown.published import OF_PROFILE, REBUILT, PublishedQuery, PublishedStore
from burndown.testing.contract.examples import given
from tests.published import found
from tests.support.published_databases import (
    SAMPLE,
    SHAPES,
    Content,
    Undecodable,
    opened,
    write_database,
)
from tests.support.published_rows import TOKEN, contents

Documents = dict[type[Any], list[dict[str, Any]]]

shapes = st.sampled_from(SHAPES)


class Opened:
    """A database that was written, its store, and its findings."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.findings = Findings(path.parent)
        self.store = PublishedStore(connection, path, self.findings)

    def rows(self, table: str, query: PublishedQuery | None = None) -> list[found.Row]:
        rows = found.raw_rows(self.connection, table)
        owner = None if query is None else {"profile_id": query.profile_key, "query_id": query.key}
        return [row for row in rows if owner is None or owner.items() <= row.items()]

    def queries(self) -> list[PublishedQuery]:
        return [query for profile in self.store.profiles for query in profile.queries]

    def documents(self, query: PublishedQuery) -> Documents:
        return {data.model: data.documents for data in self.store.data(query)}

    def reports(self) -> list[str]:
        return [each.what for each in (*self.findings.converted, *self.findings.skipped)]


@contextmanager
def database(content: Content, shape: str = "S6") -> Iterator[Opened]:
    """Write a database and open it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "burndown.db")
        write_database(path, content, shape)
        with opened(path) as connection:
            yield Opened(path, connection)


@given(content=contents(), shape=shapes, divisor=2)
def test_every_profile_and_query_is_found_again(content: Content, shape: str) -> None:
    with database(content, shape) as read:
        profiles = {profile.key: profile for profile in read.store.profiles}
        rows = read.rows("profiles")
        assert len(rows) == len(profiles)
        for row in rows:
            profile = profiles[row["id"]]
            require_named(row, profile.document)
            kept = {
                **profile.document.get("legacy_values", {}),
                **profile.document.get("legacy_secret", {}),
            }
            for section in ("jira_config", "field_mappings", "flow_type_mappings"):
                require_section(row[section], section, profile.document, kept)
            of_profile = [each for each in read.rows("queries") if each["profile_id"] == row["id"]]
            queries = {query.key: query.document for query in profile.queries}
            assert queries.keys() == {each["id"] for each in of_profile}
            for each in of_profile:
                require_named(each, queries[each["id"]])
                assert each["jql"] in (
                    queries[each["id"]]["jql"],
                    queries[each["id"]].get("legacy_values", {}).get("jql"),
                )


def require_named(row: found.Row, document: found.Row) -> None:
    kept = document.get("legacy_values", {})
    assert row["id"] == document.get("legacy_id", document["id"])
    assert row["name"] in (document["name"], document.get("legacy_name"), kept.get("name"))
    for column in ("created_at", "last_used"):
        places = (document.get(column), kept.get(column))
        assert is_unset(row[column]) or row[column] in places
    written = row.get("description")
    assert written is None or written in (document.get("description", ""), kept.get("description"))


def is_unset(value: Any) -> bool:
    """Return whether a value means that nothing is set."""
    return value is None or (isinstance(value, str) and not value.strip())


def require_section(written: Any, section: str, document: found.Row, kept: found.Row) -> None:
    """Check a section: equal, or as JSON that holds no object, or value by value in both places."""
    try:
        expected = found.parsed(written)
    except found.NotJsonError:
        expected = written
    if isinstance(expected, dict):
        stored = document.get(section, {})
        for key, value in expected.items():
            is_unset = value is None or value in ("", [], {})
            assert is_unset or key in stored or any(k.startswith(f"{section}.{key}") for k in kept)
    elif expected not in (None, [], "") and str(expected).strip():
        assert found.same(kept[section], expected)


@given(content=contents(), shape=shapes, divisor=2)
def test_every_issue_and_change_is_found_again(content: Content, shape: str) -> None:
    with database(content, shape) as read:
        for query in read.queries():
            documents = read.documents(query)
            rows = read.rows("jira_issues", query)
            assert len(documents.get(JiraCache, [])) == bool(rows)
            for document in documents.get(JiraCache, []):
                assert document["response"].keys() == {"issues", REBUILT}
                found.require_issues(rows, document["response"]["issues"])
            changes = found.changes_in(documents.get(JiraChangelog, []))
            assert changes == found.expected_changes(read.rows("jira_changelog_entries", query))


@given(content=contents(), shape=shapes, divisor=2)
def test_every_week_and_metric_is_found_again(content: Content, shape: str) -> None:
    with database(content, shape) as read:
        for query in read.queries():
            documents = read.documents(query)
            data = documents.get(ProjectData, [{"data": {}}])[0]["data"]
            weeks = sorted(read.rows("project_statistics", query), key=lambda row: row["stat_date"])
            expected = [
                {"date": row["stat_date"]}
                | {k: v for k, v in row.items() if k not in found.IDS | {"stat_date"}}
                for row in weeks
            ]
            assert found.same(data.get("statistics", []), expected)
            for row in read.rows("project_scope", query):
                require_scope(row["scope_data"], data)
            unplaced = data.get("legacy_values", {}).get("metrics_data_points", [])
            found.require_metrics(
                read.rows("metrics_data_points", query),
                documents.get(MetricsSnapshot, []),
                unplaced,
            )


def require_scope(written: Any, data: found.Row) -> None:
    try:
        scope = found.parsed(written)
    except found.NotJsonError:
        scope = None
        assert data["legacy_values"]["scope_data"] == written
    if isinstance(scope, dict):
        assert found.same(data["project_scope"], scope)
    elif scope is not None:
        assert data["legacy_values"]["scope_data"] == written


BUDGET = {
    "time_allocated_weeks": "time_allocated_weeks",
    "team_cost_per_week_eur": "team_cost_per_week",
    "budget_total_eur": "budget_total",
    "cost_rate_type": "cost_rate_type",
    "currency_symbol": "currency_symbol",
    "baseline_velocity_items": "baseline_velocity_items",
}


@given(content=contents(), shape=st.sampled_from(["S4", "S5", "S6"]), divisor=2)
def test_every_amount_of_a_budget_is_found_again(content: Content, shape: str) -> None:
    with database(content, shape) as read:
        for query in read.queries():
            settings = read.rows("budget_settings", query)
            revisions = read.rows("budget_revisions", query)
            [budget] = read.documents(query).get(Budget, [{}])
            assert bool(budget) == bool(settings or revisions)
            kept = budget.get("legacy_values", {})
            for row in settings:
                for column, field in BUDGET.items():
                    written = row.get(column)
                    assert is_unset(written) or written in (budget.get(field), kept.get(field))
            assert len(budget.get("revisions", [])) == len(revisions)
            for number, row in enumerate(revisions):
                revision = budget["revisions"][number]
                for column in ("time_allocated_weeks_delta", "team_cost_delta"):
                    places = (revision.get(column), kept.get(f"revisions[{number}].{column}"))
                    assert is_unset(row[column]) or row[column] in places
                reason = row["revision_reason"]
                assert reason is None or reason == revision["reason"]


@given(content=contents(), shape=shapes, divisor=2)
def test_everything_can_be_stored_and_no_report_holds_a_token(content: Content, shape: str) -> None:
    with database(content, shape) as read:
        for profile in read.store.profiles:
            codec_of(Profile).complete([profile.document])
            for query in profile.queries:
                ids = {"profile_id": profile.document["id"]}
                codec_of(Query).complete([{**query.document, **ids}])
                ids["query_id"] = query.document["id"]
                for model, documents in read.documents(query).items():
                    codec_of(model).rows([{**document, **ids} for document in documents])
        assert not read.findings.problems
        assert not any(TOKEN in what for what in read.reports())
        assert TOKEN not in json.dumps(read.store.app_state)


@given(content=contents(), shape=shapes, divisor=2)
def test_ids_and_names_are_unique(content: Content, shape: str) -> None:
    with database(content, shape) as read:
        scopes: list[list[Any]] = [each.queries for each in read.store.profiles]
        for items in [list(read.store.profiles), *scopes]:
            for key in ("id", "name"):
                values = [item.document[key] for item in items]
                assert len(set(values)) == len(values)


@given(content=contents(), shape=shapes, divisor=2)
def test_rows_of_no_query_are_counted(content: Content, shape: str) -> None:
    with database(content, shape) as read:
        queries = {(query.profile_key, query.key) for query in read.queries()}
        for table in ("jira_issues", "metrics_data_points", "project_statistics"):
            others = [
                row
                for row in read.rows(table)
                if (row["profile_id"], row["query_id"]) not in queries
            ]
            what = f"{table}: of a profile or query that does not exist: "
            assert bool(others) == any(each.startswith(what) for each in read.reports())


@pytest.mark.parametrize("shape", SHAPES)
def test_the_sample_is_read_in_each_shape(shape: str) -> None:
    with database(SAMPLE, shape) as read:
        assert [profile.document["id"] for profile in read.store.profiles] == [
            "p_111111111111",
            "team-a-b",
        ]
        query = read.queries()[0]
        models = {JiraCache, JiraChangelog, MetricsSnapshot, ProjectData}
        has_budget = shape not in ("S1", "S2")
        documents = read.documents(query)
        assert documents.keys() == (models | {Budget} if has_budget else models)
        assert read.store.app_state == {
            "active_profile_id": "p_111111111111",
            "active_query_id": "q_222222222222",
        }


def test_the_budget_of_a_profile_is_given_to_each_of_its_queries() -> None:
    with database(SAMPLE, "S3") as read:
        first, second, other = read.queries()
        assert read.documents(first)[Budget] == read.documents(second)[Budget]
        assert read.documents(first)[Budget][0][OF_PROFILE] is True
        assert Budget not in read.documents(other)
        assert any("the budget of the profile" in what for what in read.reports())


def test_a_valid_id_is_kept_by_its_owner() -> None:
    profiles = [{"id": "Team/A", "name": "One"}, {"id": "team-a", "name": "Two"}]
    with database({"profiles": profiles}) as read:
        ids = {profile.key: profile.document["id"] for profile in read.store.profiles}
        assert ids == {"team-a": "team-a", "Team/A": "team-a-2"}


def test_columns_and_tables_of_a_later_release_are_kept_or_reported(tmp_path: Path) -> None:
    path = tmp_path / "burndown.db"
    write_database(path)
    with sqlite3.connect(path) as connection:
        for table in ("profiles", "queries", "jira_issues", "project_statistics"):
            connection.execute(f"ALTER TABLE {table} ADD COLUMN new DEFAULT 7")
        connection.execute("ALTER TABLE metrics_data_points ADD COLUMN empty")
        connection.execute("CREATE TABLE sprints (id)")
        connection.execute("INSERT INTO sprints VALUES (1)")
    with opened(path) as connection:
        read = Opened(path, connection)
        query = read.queries()[0]
        assert (query.profile.document["new"], query.document["new"]) == (7, 7)
        [data] = read.documents(query)[ProjectData]
        assert data["data"]["statistics"][0]["new"] == 7
        later = [what for what in read.reports() if "this release does not know" in what]
        assert later == [
            "jira_issues: 3 values of new, which this release does not know",
            "sprints: 1 rows of a table that this release does not know",
        ]


def test_an_active_query_of_another_profile_is_reported() -> None:
    state = [
        {"key": "active_profile_id", "value": "Team A/B"},
        {"key": "active_query_id", "value": "q_111111111111"},
    ]
    with database({**SAMPLE, "app_state": state}) as read:
        assert read.store.app_state == {"active_profile_id": "team-a-b"}
        assert any("no query 'q_111111111111'" in what for what in read.reports())
    state[0]["value"] = "p_deleted"
    with database({**SAMPLE, "app_state": state}) as read:
        assert read.store.app_state == {}
        assert any("no profile 'p_deleted'" in what for what in read.reports())


def test_a_file_without_tables_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "burndown.db"
    path.touch()
    with opened(path) as connection:
        read = Opened(path, connection)
        assert (read.store.profiles, read.store.app_state, read.reports()) == ([], {}, [])


def test_a_damaged_file_raises_its_error(tmp_path: Path) -> None:
    path = tmp_path / "burndown.db"
    write_database(path)
    damaged = bytearray(path.read_bytes())
    damaged[4096:] = b"\xff" * (len(damaged) - 4096)
    path.write_bytes(damaged)
    with opened(path) as connection, pytest.raises(sqlite3.DatabaseError):
        Opened(path, connection)


def test_the_connection_is_left_as_it_was() -> None:
    undecodable = {"id": "p_111111111111", "description": Undecodable(b"latin \xe9")}
    with database({**SAMPLE, "profiles": [undecodable]}) as read:
        assert read.store.profiles[0].document["description"] == "latin \\xe9"
        for query in read.queries():
            read.documents(query)
        assert read.connection.text_factory is str
        assert read.connection.in_transaction
