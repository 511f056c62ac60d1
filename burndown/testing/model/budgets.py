"""The model of budgets."""

from collections.abc import Mapping
from typing import Any

from burndown import Budget, BudgetNotFoundError, BudgetRevision
from burndown.testing.controlled_store import Document, in_utc
from burndown.testing.model.records import RecordModel
from burndown.testing.model.refusals import check

__all__ = ["BudgetModel"]

DEFAULTS: Mapping[str, Any] = {
    **dict.fromkeys(("time_allocated_weeks", "team_cost_per_week", "budget_total")),
    **dict.fromkeys(("baseline_velocity_items", "baseline_velocity_points")),
    "cost_rate_type": "weekly",
    "currency_symbol": "€",
    "effective_from": None,
}


class BudgetModel(RecordModel):
    """Budgets with their revisions."""

    def get_budget(self, profile_id: str, query_id: str) -> Any:
        return self._find(Budget, profile_id, query_id)

    def save_budget(
        self, profile_id: str, query_id: str, budget: Mapping[str, Any] | Budget
    ) -> None:
        assert isinstance(budget, Mapping)
        check("budget", budget)
        self._require(profile_id, query_id)
        before = self.get_budget(profile_id, query_id) or {}
        document = {
            **DEFAULTS,
            "created_at": before.get("created_at", self._now()),
            "revisions": before.get("revisions", []),
            **budget,
            "profile_id": profile_id,
            "query_id": query_id,
            "updated_at": self._now(),
        }
        document["created_at"] = in_utc(document["created_at"])
        document["revisions"] = list(map(self._revision, document["revisions"]))
        for amount in ("time_allocated_weeks", "budget_total"):
            document[amount] = None if document[amount] is None else abs(float(document[amount]))
        self._keep(Budget, document)

    def delete_budget(self, profile_id: str, query_id: str) -> None:
        if self.kept[Budget].pop((profile_id, query_id), None) is None:
            raise BudgetNotFoundError(profile_id, query_id)

    def add_budget_revision(
        self, profile_id: str, query_id: str, revision: Mapping[str, Any] | BudgetRevision
    ) -> None:
        assert isinstance(revision, Mapping)
        check("revision", revision)
        stored = self.get_budget(profile_id, query_id)
        if stored is None:
            raise BudgetNotFoundError(profile_id, query_id)
        now = {"revision_date": self._now(), "created_at": self._now()}
        revisions = [*stored["revisions"], self._revision({**now, **revision})]
        self._keep(Budget, {**stored, "revisions": revisions, "updated_at": self._now()})

    @staticmethod
    def _revision(document: Mapping[str, Any]) -> Document:
        """Return a revision with its times in UTC."""
        times = {key: document.get(key) for key in ("revision_date", "created_at")}
        return {**document, **{key: in_utc(time) for key, time in times.items() if time}}
