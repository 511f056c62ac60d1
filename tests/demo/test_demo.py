"""The sample workspace: what is calculated in it, and what is added once it is migrated."""

import re
from datetime import datetime
from pathlib import Path
from random import Random
from statistics import fmean

import pytest

from burndown import PersistenceBackend, Week
from burndown.demo import add_newer_data, write_demo_workspace
from burndown.demo.jira import summary
from burndown.models.metric_series import MEASURES
from burndown.testing.clocks import START
from tests.support.command_line import files_below

QUERIES = [("kafka", "12w"), ("kafka", "bugs"), ("p_b5d960ef1471", "q_ac7ce01bbf50")]
NAMES = [
    f"{'dora' if each.object.startswith('dora_') else 'flow'}.{each.name}" for each in MEASURES
]


def test_the_same_arguments_give_the_same_files(tmp_path: Path) -> None:
    written = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_demo_workspace(tmp_path / name, issues=9, now=START, seed=seed)
        found = files_below(tmp_path / name)
        written.append({path.relative_to(tmp_path / name): found[path] for path in found})
    assert written[0] == written[1] != written[2]


@pytest.mark.parametrize("query", QUERIES)
def test_a_forecast_is_calculated_from_the_weeks_before_it(
    query: tuple[str, str], burndown_demo: PersistenceBackend
) -> None:
    """From up to four that have a value; the last week of a query has a forecast as well."""
    for series in burndown_demo.get_series(*query, NAMES):
        known: list[float] = []
        columns = (series[key] for key in ("values", "forecast", "lower", "upper"))
        for value, forecast, lower, upper in zip(*columns, strict=True):
            before = known[-4:]
            assert (forecast is None) == (len(known) < 2)
            if forecast is not None:
                weights = [1, 2, 3, 4] if len(before) == 4 else None
                # The dashboard rounds to a tenth of its own unit, such as hours or percent.
                assert forecast == pytest.approx(fmean(before, weights), abs=0.06)
                assert (lower, upper) == (min(before), max(before))
            if value is not None:
                known.append(value)


def test_the_current_week_has_forecasts(burndown_demo: PersistenceBackend) -> None:
    for series in burndown_demo.get_series("kafka", "12w", NAMES):
        assert series["weeks"][-1] == str(Week.of(START))
        assert series["forecast"][-1] is not None


def test_the_budget_includes_its_revision(burndown_demo: PersistenceBackend) -> None:
    """The total is that of its weeks, before and after the revision."""
    budget = burndown_demo.get_budget("kafka", "12w")
    assert budget is not None
    [revision] = budget["revisions"]
    weeks, cost = budget["time_allocated_weeks"], budget["team_cost_per_week"]
    added = revision["time_allocated_weeks_delta"]
    assert weeks is not None
    assert cost is not None
    assert weeks > added > 0
    assert budget["budget_total"] == weeks * cost
    assert revision["budget_total_delta"] == added * cost
    revised_at = datetime.fromisoformat(revision["revision_date"] or "")
    assert revision["week_label"] == str(Week.of(revised_at))
    assert str(budget["effective_from"]) < str(revised_at) < START.isoformat()
    assert burndown_demo.get_budget("kafka", "bugs") is None


def test_the_task_has_fetched_the_cached_response(burndown_demo: PersistenceBackend) -> None:
    [cache] = burndown_demo.list_jira_caches("kafka", "12w")
    [task] = burndown_demo.list_task_progress()
    assert (task["task_name"], task["status"]) == ("fetch-issues", "completed")
    assert task["message"] == f"{cache['issue_count']} of {cache['issue_count']} issues"


def test_summaries_are_correct_english() -> None:
    rng = Random(0)
    assert not [
        each for each in (summary(rng) for _ in range(500)) if re.search(" a [aeiou]", each)
    ]


def test_the_same_store_gets_the_same_data(burndown_demo: PersistenceBackend) -> None:
    def found() -> object:
        return burndown_demo.get_budget("kafka", "12w"), burndown_demo.list_task_progress()

    before = found()
    burndown_demo.delete_budget("kafka", "12w")
    burndown_demo.clear_task_progress("fetch-issues")
    add_newer_data(burndown_demo)
    assert found() == before
