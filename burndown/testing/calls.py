"""Calls that every backend refuses with the same message, and that change nothing."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from burndown import PersistenceBackend
from burndown.testing.controlled_store import GOOD, HOUR

DAY = timedelta(days=1)

Save = Callable[[PersistenceBackend], Any]

SAVES_OF_A_VALUE: dict[str, Callable[[PersistenceBackend, Any], None]] = {
    "profile": lambda store, value: store.save_profile({"id": "new", "unknown": value}),
    "existing profile": lambda store, value: store.save_profile({"id": "p", "unknown": value}),
    "section": lambda store, value: store.save_profile(
        {"id": "new", "jira_config": {"unknown": value}}
    ),
    "field": lambda store, value: store.save_profile(
        {"id": "new", "field_mappings": {"dora": {"severity_level": {"k": value}}}}
    ),
    "query": lambda store, value: store.save_query("p", {"id": "new", "unknown": value}),
    "answer": lambda store, value: store.save_jira_cache("p", "q", "k", {"k": value}, HOUR),
    "changelog": lambda store, value: store.save_jira_changelog("p", "q", "K-1", {"k": value}),
    "changelogs": lambda store, value: store.save_jira_changelogs(
        "p", "q", {"K-1": {}, "K-2": {"k": value}}
    ),
    "data": lambda store, value: store.save_project_data("p", "q", {"k": value}),
    "metrics": lambda store, value: store.save_metrics_snapshot(
        "p", "q", "2025-W12", "dora", {"k": value}
    ),
    "forecast": lambda store, value: store.save_metrics_snapshot(
        "p", "q", "2025-W12", "dora", {}, {"k": value}
    ),
    "forecasts": lambda store, value: store.save_metrics_snapshot(
        "p", "q", "2025-W12", "dora", {}, forecasts={"k": value}
    ),
    "patched metric": lambda store, value: store.patch_metrics(
        "p", "q", "2025-W12", "dora", {"k": value}
    ),
    "patched forecast": lambda store, value: store.patch_metrics(
        "p", "q", "2025-W12", "dora", {}, {"k": value}
    ),
    "budget": lambda store, value: store.save_budget("p", "q", {"unknown": value}),
    "revision": lambda store, value: store.add_budget_revision("p", "q", {"unknown": value}),
    "metadata": lambda store, value: store.save_budget(
        "p", "q", {"revisions": [{"metadata": {"k": value}}]}
    ),
    "snapshots": lambda store, value: store.save_metrics_snapshots(
        "p", "q", [GOOD, {**GOOD, "metric_type": "flow", "metrics": {"k": value}}]
    ),
}
"""Every call that stores a JSON value."""

SAVES_OF_A_LINE: dict[str, Callable[[PersistenceBackend, str], Any]] = {
    "id of a profile": lambda store, text: store.save_profile({"id": text}),
    "name of a profile": lambda store, text: store.save_profile({"id": "new", "name": text}),
    "description": lambda store, text: store.save_profile({"id": "new", "description": text}),
    "profile of a query": lambda store, text: store.save_query(text, {"id": "new"}),
    "id of a query": lambda store, text: store.save_query("p", {"id": text}),
    "name of a query": lambda store, text: store.save_query("p", {"id": "new", "name": text}),
    "jql": lambda store, text: store.save_query("p", {"id": "new", "jql": text}),
    "profile of an answer": lambda store, text: store.save_jira_cache(text, "q", "k", {}, HOUR),
    "query of an answer": lambda store, text: store.save_jira_cache("p", text, "k", {}, HOUR),
    "key of an answer": lambda store, text: store.save_jira_cache("p", "q", text, {}, HOUR),
    "issue key": lambda store, text: store.save_jira_changelog("p", "q", text, {}),
    "query of data": lambda store, text: store.save_project_data("p", text, {}),
    "week": lambda store, text: store.save_metrics_snapshot("p", "q", text, "dora", {}),
    "metric type": lambda store, text: store.save_metrics_snapshot("p", "q", "2025-W12", text, {}),
    "week of a patch": lambda store, text: store.patch_metrics("p", "q", text, "dora", {}),
    "type of a patch": lambda store, text: store.patch_metrics("p", "q", "2025-W12", text, {}),
    "query of a budget": lambda store, text: store.save_budget("p", text, {}),
    "currency": lambda store, text: store.save_budget("p", "q", {"currency_symbol": text}),
    "task": lambda store, text: store.save_task_progress(text, 0, "running"),
    "status": lambda store, text: store.save_task_progress("task", 0, text),
    "message": lambda store, text: store.save_task_progress("task", 0, "running", text),
    "state": lambda store, text: store.set_app_state(text, "value"),
    "value of a state": lambda store, text: store.set_app_state("key", text),
}
"""Every call that stores a string in a column of its own."""

REFUSED: dict[str, Callable[[Any], object]] = {
    "no id": lambda store: store.save_profile({}),
    "no object": lambda store: store.save_profile(["id"]),
    "bad id": lambda store: store.save_profile({"id": "../p"}),
    "bad name": lambda store: store.save_profile({"id": "new", "name": " "}),
    "bad section": lambda store: store.save_profile({"id": "new", "jira_config": []}),
    "bad number": lambda store: store.save_profile(
        {"id": "p", "forecast_settings": {"pert_factor": 0}}
    ),
    "surrogate": lambda store: store.save_profile({"id": "new", "name": "\ud800"}),
    "surrogate in token": lambda store: store.save_profile(
        {"id": "new", "jira_config": {"token": "\ud800"}}
    ),
    "surrogate in list": lambda store: store.save_profile(
        {"id": "new", "project_classification": {"bug_types": ["\ud800"]}}
    ),
    "name taken": lambda store: store.save_profile(
        {"id": "new", "name": "the profile of the query"}
    ),
    "query name taken": lambda store: store.save_query("p", {"id": "new", "name": "the query"}),
    "bad query": lambda store: store.save_query("p", {"id": "new", "jql": None}),
    "query that is no object": lambda store: store.save_query("p", "q"),
    "query of another": lambda store: store.save_query("p", {"id": "new", "profile_id": "x"}),
    "bad week": lambda store: store.save_metrics_snapshot("p", "q", "2025-W60", "dora", {}),
    "bad type": lambda store: store.save_metrics_snapshot("p", "q", "2025-W12", "DORA", {}),
    "second week bad": lambda store: store.save_metrics_snapshots(
        "p", "q", [GOOD, {**GOOD, "snapshot_date": "2025-W53"}]
    ),
    "snapshot without metrics": lambda store: store.save_metrics_snapshots(
        "p", "q", [GOOD, {"snapshot_date": "2025-W12", "metric_type": "flow"}]
    ),
    "snapshot with more": lambda store: store.save_metrics_snapshots(
        "p", "q", [GOOD, {**GOOD, "unknown": 1}]
    ),
    "snapshot with self": lambda store: store.save_metrics_snapshots(
        "p", "q", [GOOD, {**GOOD, "self": 1}]
    ),
    "snapshot with a number as key": lambda store: store.save_metrics_snapshots(
        "p", "q", [GOOD, dict[Any, Any](GOOD) | {3: 1}]
    ),
    "snapshot that is no object": lambda store: store.save_metrics_snapshots("p", "q", [GOOD, 3]),
    "bad answer": lambda store: store.save_jira_cache("p", "q", "k", [], HOUR),
    "bad expiry": lambda store: store.save_jira_cache("p", "q", "k", {}, "soon"),
    "bad key": lambda store: store.save_jira_cache("p", "q", "", {}, HOUR),
    "second issue bad": lambda store: store.save_jira_changelogs("p", "q", {"K-1": {}, "": {}}),
    "bad budget": lambda store: store.save_budget("p", "q", {"budget_total": -1}),
    "budget that is no object": lambda store: store.save_budget("p", "q", 12),
    "bad revision": lambda store: store.save_budget("p", "q", {"revisions": [{}, {"reason": 1}]}),
    "bad revision of no budget": lambda store: store.add_budget_revision("p", "q", {"reason": 1}),
    "revision that is no object": lambda store: store.add_budget_revision("p", "q", "scope"),
    "bad percent": lambda store: store.save_task_progress("task", 101, "running"),
    "bad status": lambda store: store.save_task_progress("task", 1, "Running"),
    "bad task": lambda store: store.task("../up").__enter__(),
    "bad lease": lambda store: store.task("task", 30),
    "bad message of a task": lambda store: store.task("task", message="\0").__enter__(),
    "bad state": lambda store: store.set_app_state("key", 3),
    "NUL in state": lambda store: store.set_app_state("key", "a\0b"),
    "surrogate in state": lambda store: store.set_app_state("key", "\ud800"),
    "staleness that is a number": lambda store: store.find_jira_cache("p", "q", "k", 60),
    "staleness below 0": lambda store: store.find_jira_changelogs("p", "q", None, -DAY),
    "staleness of one changelog": lambda store: store.find_jira_changelog("p", "q", "K-1", -DAY),
    "expired for less than 0": lambda store: store.cleanup_expired_cache(-DAY),
    "bytes below 0": lambda store: store.cleanup(-1),
    "half a byte": lambda store: store.cleanup(0.5, "p"),
    "patch of no week": lambda store: store.patch_metrics("p", "q", "2025-W53", "dora", {}),
    "patch that is no object": lambda store: store.patch_metrics("p", "q", "2025-W12", "dora", []),
    "series of no type": lambda store: store.get_series("p", "q", "lead_time_days"),
    "series from no week": lambda store: store.get_series("p", "q", "dora.k", "soon"),
    "no limit": lambda store: store.get_metrics_snapshots("p", "q", limit=0),
    "no week to begin with": lambda store: store.get_metrics_snapshots("p", "q", since="2025-W53"),
    "no week to end with": lambda store: store.delete_metrics_snapshots("p", until="soon"),
    "negative limit": lambda store: store.get_metrics_snapshots("p", "q", limit=-1),
}
"""Calls with invalid arguments, some of them of a type that the signature forbids."""

ORPHANS: dict[str, Callable[[PersistenceBackend, str, str], None]] = {
    "answer": lambda store, p, q: store.save_jira_cache(p, q, "k", {}, HOUR),
    "changelog": lambda store, p, q: store.save_jira_changelog(p, q, "K-1", {}),
    "changelogs": lambda store, p, q: store.save_jira_changelogs(p, q, {"K-1": {}, "K-2": {}}),
    "data": lambda store, p, q: store.save_project_data(p, q, {}),
    "snapshot": lambda store, p, q: store.save_metrics_snapshot(p, q, "2025-W12", "dora", {}),
    "snapshots": lambda store, p, q: store.save_metrics_snapshots(p, q, [GOOD]),
    "patch": lambda store, p, q: store.patch_metrics(p, q, "2025-W12", "dora", {}),
    "budget": lambda store, p, q: store.save_budget(p, q, {}),
    "delete": lambda store, p, q: store.delete_query(p, q),
}
"""Calls that need a query."""
