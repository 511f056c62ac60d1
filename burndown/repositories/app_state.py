"""The app state: values that the application remembers."""

from sqlalchemy import select

from burndown.models import AppState
from burndown.repositories.base import Repository, save_documents
from burndown.repositories.deletion import delete_keys
from burndown.sql import Executor, Statement, key_conditions

__all__ = ["AppStateRepository", "get_app_state", "set_app_state"]

_TABLE = AppState.__table__
_KEY = key_conditions(_TABLE)
_GET = Statement(select(_TABLE.c.value).where(*_KEY))


def get_app_state(executor: Executor, key: str) -> str | None:
    """Return the value, or ``None``."""
    found = _GET.first(executor, key=key)
    return None if found is None else found["value"]


def set_app_state(executor: Executor, key: str, value: str | None) -> None:
    """Save the value, or delete the key for ``None``.

    Raises:
        ValidationError: the key or the value is not a string that can be stored.
    """
    if value is None:
        delete_keys(executor, AppState, [(key,)])
    else:
        save_documents(executor, AppState, [{"key": key, "value": value}])


class AppStateRepository(Repository[AppState]):
    """The app state: a string for each key."""

    entity = AppState

    def get(self, key: str) -> str | None:
        """Return the value, or ``None``."""
        return get_app_state(self._executor, key)

    def set(self, key: str, value: str | None) -> None:
        """Save the value, or delete the key for ``None``.

        Raises:
            ValidationError: the key or the value is not a string that can be stored.
        """
        set_app_state(self._executor, key, value)
