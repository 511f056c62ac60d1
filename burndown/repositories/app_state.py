"""What the application remembers."""

from sqlalchemy import bindparam, delete, select

from burndown.models import AppState
from burndown.repositories.base import Repository
from burndown.repositories.statements import Statement, columns_of

__all__ = ["AppStateRepository"]

_C = columns_of(AppState)
_OF_KEY = _C.key == bindparam("key")
_GET = Statement(select(_C.value).where(_OF_KEY))
_DELETE = Statement(delete(_C.key.table).where(_OF_KEY))


class AppStateRepository(Repository[AppState]):
    """Remembered values."""

    model = AppState
    of_profile = None

    def get(self, key: str) -> str | None:
        """The value, or ``None``."""
        for value in _GET.values(self._connection, key=key):
            return str(value)
        return None

    def set(self, key: str, value: str | None) -> None:
        """Remember the value, or forget the key for ``None``.

        Raises:
            ValidationError: the key or the value is no text that can be stored.
        """
        if value is None:
            _DELETE.count(self._connection, key=key)
        else:
            self.save_document({"key": key, "value": value})
