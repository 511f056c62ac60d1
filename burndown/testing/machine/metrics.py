"""Rules for project data, metrics and budgets."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from burndown.testing.controlled_store import Document
from burndown.testing.machine.comparison import ComparingMachine
from burndown.testing.machine.values import (
    METRIC_TYPES,
    Ids,
    bounds,
    objects,
    of_query,
    single_snapshots,
    some_budgets,
    some_revisions,
    sometimes_invalid,
)

__all__ = ["MetricsRules"]


class MetricsRules(ComparingMachine):
    """Calls of project data, metrics and budgets."""

    @rule(ids=of_query, is_of_query=st.booleans())
    def delete_project_data(self, ids: Ids, is_of_query: bool) -> None:
        self.ask("delete_project_data", *(ids if is_of_query else ids[:1]))

    @rule(ids=of_query)
    def get_project_data(self, ids: Ids) -> None:
        self.ask("get_project_data", *ids)

    @rule(ids=of_query, data=objects | st.just([]))
    def save_project_data(self, ids: Ids, data: Any) -> None:
        self.ask("save_project_data", *ids, data)

    @rule(
        ids=of_query,
        metric_type=st.none() | st.sampled_from([*METRIC_TYPES, "other"]),
        limit=st.sampled_from([1, 2, None, 10**30, 0, -1]),
        since=bounds,
        until=bounds,
    )
    def get_metrics_snapshots(
        self, ids: Ids, metric_type: str | None, limit: int | None, since: Any, until: Any
    ) -> None:
        self.ask("get_metrics_snapshots", *ids, metric_type, limit, since, until)

    @rule(
        ids=of_query,
        is_of_query=st.booleans(),
        metric_type=st.none() | st.sampled_from([*METRIC_TYPES, "other"]),
        since=bounds,
        until=bounds,
    )
    def delete_metrics_snapshots(
        self, ids: Ids, is_of_query: bool, metric_type: str | None, since: Any, until: Any
    ) -> None:
        owners = ids if is_of_query else (ids[0], None)
        self.ask("delete_metrics_snapshots", *owners, metric_type, since=since, until=until)

    @rule(
        ids=of_query,
        metric=st.sampled_from(["dora.k", "other.k", "dora", ["dora.k", "flow.k.k"], []]),
        since=bounds,
        until=bounds,
    )
    def get_series(self, ids: Ids, metric: Any, since: Any, until: Any) -> None:
        self.ask("get_series", *ids, metric, since, until)

    @rule(ids=of_query, snapshot=sometimes_invalid("snapshot", single_snapshots))
    def patch_metrics(self, ids: Ids, snapshot: Document) -> None:
        given = ("snapshot_date", "metric_type", "metrics", "forecasts")
        self.ask("patch_metrics", *ids, **{key: snapshot[key] for key in given if key in snapshot})

    @rule(ids=of_query, snapshot=sometimes_invalid("snapshot", single_snapshots))
    def save_metrics_snapshot(self, ids: Ids, snapshot: Document) -> None:
        given = {key: snapshot[key] for key in snapshot if key not in ("unknown", "created_at")}
        self.ask("save_metrics_snapshot", *ids, **given)

    @rule(
        ids=of_query,
        snapshots=st.lists(sometimes_invalid("snapshot", single_snapshots), max_size=4),
    )
    def save_metrics_snapshots(self, ids: Ids, snapshots: list[Document]) -> None:
        self.ask("save_metrics_snapshots", *ids, snapshots)

    @rule(ids=of_query)
    def get_budget(self, ids: Ids) -> None:
        self.ask("get_budget", *ids)

    @rule(ids=of_query, budget=sometimes_invalid("budget", some_budgets))
    def save_budget(self, ids: Ids, budget: Document) -> None:
        self.ask("save_budget", *ids, budget)

    @rule(ids=of_query)
    def delete_budget(self, ids: Ids) -> None:
        self.ask("delete_budget", *ids)

    @rule(ids=of_query, revision=sometimes_invalid("revision", some_revisions))
    def add_budget_revision(self, ids: Ids, revision: Document) -> None:
        self.ask("add_budget_revision", *ids, revision)
