"""The budget of a query."""

from collections.abc import Callable

from burndown.errors import BudgetNotFoundError
from burndown.models import Budget, BudgetDocument, Document
from burndown.models.sealer import sealer_of
from burndown.repositories.base import Repository, save_documents
from burndown.repositories.deletion import delete_rows
from burndown.sql import Executor, Statement, key_conditions, select_documents

__all__ = ["BudgetRepository", "change_budget", "get_budget"]

_TABLE = Budget.__table__
_GET: Statement[BudgetDocument] = Statement(
    select_documents(_TABLE).where(*key_conditions(_TABLE)),
    Budget.UNKNOWN_KEYS,
    sealer_of(Budget).opened_value,
)


def get_budget(executor: Executor, profile_id: str, query_id: str) -> BudgetDocument | None:
    """Return the budget, unknown keys next to the known ones, or ``None``."""
    return _GET.first(executor, profile_id=profile_id, query_id=query_id)


def change_budget(
    executor: Executor,
    profile_id: str,
    query_id: str,
    change: Callable[[BudgetDocument | None], Document],
) -> None:
    """Save what a function makes of the stored budget."""
    stored = get_budget(executor, profile_id, query_id)
    save_documents(executor, Budget, [change(stored)])


class BudgetRepository(Repository[Budget]):
    """Budgets."""

    entity = Budget

    def get(self, profile_id: str, query_id: str) -> Budget | None:
        """Return the budget, or ``None``."""
        return self._typed(get_budget(self._executor, profile_id, query_id))

    def delete(self, profile_id: str, query_id: str) -> None:
        """Delete the budget with its revisions.

        Raises:
            BudgetNotFoundError: the query has none, or does not exist.
        """
        if not delete_rows(self._executor, Budget, profile_id, query_id):
            raise BudgetNotFoundError(profile_id, query_id)
