"""The part of a backend that stores the budget of a query, in terms of records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from burndown import models
from burndown.errors import BudgetNotFoundError
from burndown.models import Document
from burndown.persistence.arguments import document_of_section, updating_document
from burndown.persistence.record_store import RecordStore

__all__ = ["BudgetChange", "BudgetStore"]

BudgetChange = Callable[[Mapping[str, Any] | None], Document]
"""Takes the stored budget, or ``None``; returns the one to save."""


class BudgetStore(RecordStore):
    """A store of the budget of each query."""

    def get_budget(self, profile_id: str, query_id: str) -> models.BudgetDocument | None:
        """Return the budget of the query, or ``None`` if it has none.

        It always has ``profile_id``, ``query_id``, ``time_allocated_weeks``,
        ``team_cost_per_week``, ``budget_total``, ``baseline_velocity_items`` and
        ``baseline_velocity_points`` (numbers of 0 or more, or ``None``), ``cost_rate_type``,
        ``currency_symbol``, ``effective_from`` (a date such as ``2026-01-05``, or ``None``),
        ``created_at``, ``updated_at`` and ``revisions``, in the order in which they were added, and
        all other keys that were saved. A revision holds only what was set;
        :class:`~burndown.models.BudgetRevision` has the defaults.
        """
        found = next(self.records(models.Budget, profile_id, query_id), None)
        return cast("models.BudgetDocument | None", found)

    def save_budget(
        self, profile_id: str, query_id: str, budget: Mapping[str, Any] | models.Budget
    ) -> None:
        """Save the budget of the query, in place of an earlier one.

        Args:
            profile_id: the profile of the query.
            query_id: the query.
            budget: an entity, or a document, in which every key can be absent. Without
                ``created_at`` or ``revisions``, an earlier budget keeps its own, and a new one gets
                the current time and no revisions; an empty list removes the revisions.
                ``updated_at`` is the current time, whatever is given.
        """
        given, now = updating_document(models.Budget, budget), self.now()
        ids = {"profile_id": profile_id, "query_id": query_id}

        def saved(stored: Mapping[str, Any] | None) -> Document:
            earlier = stored or {}
            preserved = {
                key: earlier[key] for key in models.Budget.PRESERVED_ON_UPDATE & earlier.keys()
            }
            return {"created_at": now, **preserved, **given, **ids, "updated_at": now}

        self._change_budget(profile_id, query_id, saved)

    def delete_budget(self, profile_id: str, query_id: str) -> None:
        """Delete the budget of the query with its revisions.

        Raises:
            BudgetNotFoundError: the query has none, or does not exist.
        """
        if not self.delete_records(models.Budget, profile_id, query_id):
            raise BudgetNotFoundError(profile_id, query_id)

    def add_budget_revision(
        self, profile_id: str, query_id: str, revision: Mapping[str, Any] | models.BudgetRevision
    ) -> None:
        """Add a revision to the budget of the query, after the others.

        It records a change; the amounts are changed with :meth:`save_budget`. Of revisions that are
        added concurrently, none is lost.

        Args:
            profile_id: the profile of the query.
            query_id: the query.
            revision: an instance, or a document, in which every key can be absent; without
                ``revision_date`` and ``created_at``, these are the current time.

        Raises:
            BudgetNotFoundError: the query has no budget, or does not exist.
        """
        added, now = document_of_section(models.BudgetRevision, revision), self.now()
        added = {"revision_date": now, "created_at": now, **added}

        def extended(stored: Mapping[str, Any] | None) -> Document:
            if stored is None:
                raise BudgetNotFoundError(profile_id, query_id)
            return {**stored, "revisions": [*stored["revisions"], added], "updated_at": now}

        self._change_budget(profile_id, query_id, extended)

    def _change_budget(self, profile_id: str, query_id: str, change: BudgetChange) -> None:
        """Save what a function makes of the stored budget, in one transaction."""
        with self.transaction():
            self.save_records(models.Budget, [change(self.get_budget(profile_id, query_id))])
