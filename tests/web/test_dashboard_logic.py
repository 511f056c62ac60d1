"""What the dashboard of the examples calculates, without a page."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burndown import PersistenceBackend, Profile, Week, open_backend
from burndown.jira import issues_of
from burndown.models import JiraConfig
from burndown.remaining_work import remaining_work
from burndown.testing.strategies import changelogs, jira_responses
from examples.dashboard import layout
from examples.dashboard.delivery import ACTIVE, read_delivery
from examples.dashboard.fetching import TASK, fetch, project_data, store
from examples.dashboard.forecast import HORIZON, LIKELIHOODS, forecast
from examples.dashboard.jira_client import search
from examples.dashboard.layout import charts
from examples.demo_jira import cached_issues

NOW = Week(2026, 10)
WORK = st.integers(0, 200)
THROUGHPUT = st.lists(st.integers(0, 20), max_size=12)


@given(WORK, THROUGHPUT)
def test_a_forecast_goes_down_to_zero_or_to_the_horizon(remaining: int, past: list[int]) -> None:
    """The likelier a value, the higher it is; a week is done if it is so in that many runs."""
    found = forecast(remaining, past, NOW)
    if not remaining or not any(past):
        assert found.weeks == []
        assert {found.done(each) for each in LIKELIHOODS} == {None}
        return
    assert found.weeks == [NOW + n for n in range(len(found.weeks))]
    for each in LIKELIHOODS:
        work = found.remaining[each]
        assert work[0] == remaining
        assert work == sorted(work, reverse=True)
        assert work[-1] == 0 or len(work) == HORIZON + 1 or each < max(LIKELIHOODS)
    assert found.remaining[15] <= found.remaining[50] <= found.remaining[85]
    if found.done(85):
        assert found.done(15) <= found.done(50) <= found.done(85)  # type: ignore[operator]


@given(st.integers(1, 60), st.integers(1, 20))
def test_a_steady_throughput_has_one_forecast(remaining: int, done: int) -> None:
    """Everything is done after the quotient of both, rounded up."""
    weeks = -(-remaining // done)
    expected = None if weeks > HORIZON else NOW + weeks
    assert {forecast(remaining, [done] * 3, NOW).done(each) for each in LIKELIHOODS} == {expected}


@given(jira_responses())
def test_statistics_agree_with_the_issues(response: dict[str, Any]) -> None:
    """The issues that remain are those that are not resolved, and the others were completed."""
    issues = issues_of(response)
    data = project_data(issues, NOW)
    left = [issue for issue in issues if not issue.resolved]
    assert data["project_scope"]["remaining_items"] == len(left)
    assert sum(row.get("created_items", 0) for row in data["statistics"]) == len(issues)
    completed = sum(row.get("completed_items", 0) for row in data["statistics"])
    assert completed == len(issues) - len(left)
    work = remaining_work(data)["items"]
    assert all(0 <= each <= len(issues) for each in work)
    assert work[-1] == len(left)
    weeks = [Week.of(row["date"]) for row in data["statistics"]]
    assert weeks == sorted(weeks)
    assert NOW in weeks


@given(st.lists(changelogs(), max_size=5, unique_by=lambda issue: issue["key"]))
def test_what_was_fetched_is_read(fetched: list[dict[str, Any]]) -> None:
    """Every issue is a dot of the cycle times, a row of those in progress, or not begun."""
    issues = issues_of(deepcopy(fetched))
    with open_backend("memory:") as backend:
        backend.save_profile({"id": "p"})
        backend.save_query("p", {"id": "q"})
        store(backend, Profile(id="p", name="p"), "q", "key", fetched)
        found = read_delivery(backend, "p", "q")
        assert found is not None
        assert [issue.key for issue, _ in found.cycle_times] == [
            issue.key for issue in issues if issue.resolved
        ]
        assert {issue.key for issue, _ in found.in_progress} == {
            issue.key for issue in issues if issue.status_category == "indeterminate"
        }
        now = backend.now()
        days = {issue.key: each for issue, each in (*found.cycle_times, *found.in_progress)}
        assert days == {
            issue.key: pytest.approx(
                issue.history.time_in(ACTIVE, now) / timedelta(days=1), abs=0.1
            )
            for issue in issues
            if issue.key in days
        }
        assert read_delivery(backend, "p", "other") is None


@contextmanager
def running(*responses: tuple[int, Any]) -> Iterator[tuple[str, list[str | None]]]:
    """Run a server with a response to each request: JSON, or the address of a redirect.

    Return its address, and the credentials that it gets.
    """
    rest, credentials = iter(responses), list[str | None]()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            credentials.append(self.headers["Authorization"])
            status, content = next(rest)
            self.send_response(status)
            if status == 302:
                self.send_header("Location", content)
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the base class
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}", credentials
        http.shutdown()


def test_a_redirect_does_not_get_the_token() -> None:
    """The token may end with a newline, which a header cannot contain."""
    empty = {"issues": [], "total": 0}
    with running((200, empty)) as (other, stolen), running((302, other)) as (address, sent):
        [page] = search(JiraConfig(base_url=address, token="canary\n"), "", "")
    assert page == empty
    assert (sent, stolen) == (["Bearer canary"], [None])


def test_without_a_token_jira_is_asked_anonymously() -> None:
    """A public server can refuse credentials that are empty."""
    with running((200, {"issues": [], "total": 0})) as (address, sent):
        list(search(JiraConfig(base_url=address), "", ""))
    assert sent == [None]


def test_issues_that_change_during_a_search_are_stored_once() -> None:
    """One is in two pages, and others leave, so that the total is below what was fetched."""
    pages = [
        {"issues": [{"key": "K-1"}, {"key": "K-2"}], "total": 4},
        {"issues": [{"key": "K-2"}], "total": 1},
    ]
    with running(*((200, page) for page in pages)) as (url, _), open_backend("memory:") as backend:
        backend.save_profile({"id": "p", "jira_config": {"base_url": url}})
        backend.save_query("p", {"id": "q"})
        fetch(backend, "p", "q")
        task, data = backend.get_task_progress(TASK), backend.get_project_data("p", "q")
    assert task is not None
    assert task["status"] == "completed"
    assert data is not None
    assert data["project_scope"]["total_items"] == 2


def figure_of(chart: Any) -> Any:
    """Return the figure of Plotly in a chart."""
    return chart.children.figure


@pytest.mark.parametrize(("years", "is_shown"), [(-9, False), (0, True), (9, False), (None, False)])
def test_a_deadline_far_away_is_not_drawn(years: int | None, is_shown: bool) -> None:
    """A chart up to there would show nothing else."""
    with open_backend("memory:") as backend:
        now = backend.now()
        deadline = None if years is None else str((now + timedelta(days=365 * years)).date())
        backend.save_profile({"id": "p", "forecast_settings": {"deadline": deadline}})
        backend.save_query("p", {"id": "q"})
        backend.save_project_data("p", "q", {"statistics": [{"date": str(now.date())}]})
        found = read_delivery(backend, "p", "q")
    assert found is not None
    assert len(figure_of(charts.burndown(found))["layout"]["shapes"]) == is_shown


def test_the_day_of_old_statistics_is_shown() -> None:
    """A change within four weeks of them says nothing about the past four weeks."""
    with open_backend("memory:") as backend:
        backend.save_profile({"id": "p"})
        backend.save_query("p", {"id": "q"})
        for weeks, note in ((0, "unchanged in 4 weeks"), (9, "as of ")):
            end = Week.of(backend.now()) - weeks
            rows = [{"date": str((end - n).monday)} for n in range(5)]
            backend.save_project_data("p", "q", {"statistics": rows})
            assert note in str(layout.delivery(read_delivery(backend, "p", "q")))


def shown(
    backend: PersistenceBackend, data: dict[str, Any], issues: list[dict[str, Any]]
) -> tuple[str, dict[str, Any]]:
    """Return the page of a new query with these data and issues, and the figures by their names."""
    backend.save_profile({"id": "p", "show_points": True})
    backend.save_query("p", {"id": "q"})
    backend.save_project_data("p", "q", data)
    backend.save_jira_cache("p", "q", "key", {"issues": issues}, timedelta(hours=1))
    page = layout.delivery(read_delivery(backend, "p", "q"))
    parts = (part for component in page for part in component._traverse())
    figures = {part.id: part.figure for part in parts if hasattr(part, "figure")}
    return str(page), figures


@pytest.mark.parametrize(
    ("weeks_ago", "remaining", "completed", "outlook"),
    [
        (0, 10, 5, "Half of 1,000 simulated futures are done by "),
        (0, 900, 5, "Less than half of 1,000 simulated futures are done within a year."),
        (0, 0, 5, "Nothing remains."),
        (0, 10, 0, "Nothing was completed in the past weeks"),
        (9, 10, 5, "for a forecast, fetch from Jira."),
    ],
)
def test_the_page_explains_the_forecast(
    weeks_ago: int, remaining: int, completed: int, outlook: str
) -> None:
    """Old statistics have none, and nor is it done by a day if nothing remains."""
    with open_backend("memory:") as backend:
        end = Week.of(backend.now()) - weeks_ago
        rows = [{"date": str((end - n).monday), "completed_items": completed} for n in range(3)]
        scope = {"remaining_items": remaining}
        page, _ = shown(backend, {"statistics": rows, "project_scope": scope}, [])
    assert outlook in page
    assert ("85 % likely" in page) == outlook.startswith("Half")


def test_issues_are_counted_if_none_has_points() -> None:
    """The profile shows points, but their sum of 0 would look as if nothing remained."""
    with open_backend("memory:") as backend:
        rows = [{"date": str(Week.of(backend.now()).monday)}]
        data = {"statistics": rows, "project_scope": {"remaining_items": 7}}
        shown(backend, data, [])
        found = read_delivery(backend, "p", "q")
    assert found is not None
    assert (found.unit, found.work[-1][1]) == ("issues", 7)


def test_without_values_there_is_no_chart() -> None:
    """Its axes would have made-up dates and values."""
    with open_backend("memory:") as backend:
        page, figures = shown(backend, {}, [{"key": "K-1"}])
    assert figures == {}
    assert page.count("Not measured yet.") == 8
    assert "No statistics yet." in page
    assert "No resolved issue has a known history." in page


def test_a_single_week_has_an_axis_of_weeks_and_of_whole_numbers() -> None:
    """Plotly would show hours, and halves of an issue."""
    with open_backend("memory:") as backend:
        rows = [{"date": str(Week.of(backend.now()).monday), "completed_items": 2}]
        _, figures = shown(backend, {"statistics": rows}, [])
    for name in ("burndown", "throughput"):
        axes = figures[name]["layout"]
        first, last = axes["xaxis"]["range"]
        assert last - first >= timedelta(weeks=8)
        assert axes["yaxis"]["dtick"] == 1


def test_labels_of_close_lines_do_not_overlap() -> None:
    with open_backend("memory:") as backend:
        backend.save_profile(
            {
                "id": "p",
                "forecast_settings": {
                    "deadline": str((backend.now() + timedelta(days=9)).date()),
                    "milestone": str((backend.now() + timedelta(days=8)).date()),
                },
                "show_milestone": True,
            }
        )
        backend.save_query("p", {"id": "q"})
        rows = [{"date": str(Week.of(backend.now()).monday)}]
        backend.save_project_data("p", "q", {"statistics": rows})
        found = read_delivery(backend, "p", "q")
    assert found is not None
    labels = figure_of(charts.burndown(found))["layout"]["annotations"]
    assert [(each["text"], each["xanchor"]) for each in labels] == [
        ("milestone", "right"),
        ("deadline", "left"),
    ]


def test_tags_in_a_summary_are_shown_as_they_are() -> None:
    """Plotly would interpret them."""
    fields = {"summary": "List<b>", "resolutiondate": "2026-01-07T10:00:00.000+0000"}
    issues = issues_of({"issues": [{"key": "K-1", "fields": fields}]})
    [dots] = figure_of(charts.cycle_times([(issues[0], 1.0)]))["data"]
    assert dots["text"] == ["K-1: List&lt;b&gt;"]


def test_the_jira_of_the_demo_finds_what_is_cached() -> None:
    """Also for a query that has never been fetched, and an issue whose changelog is not cached."""
    with open_backend("memory:") as backend:
        backend.save_profile({"id": "p"})
        backend.save_query("p", {"id": "q"})
        assert cached_issues(backend, "p", "q") == []
        issues = [{"key": "K-1"}, {"key": "K-2"}]
        backend.save_jira_cache("p", "q", "key", {"issues": issues}, timedelta(hours=1))
        changelog = {"total": 0, "histories": []}
        backend.save_jira_changelog("p", "q", "K-1", {"key": "K-1", "changelog": changelog})
        found = [{"key": "K-1", "changelog": changelog}, {"key": "K-2"}]
        assert cached_issues(backend, "p", "q") == found
