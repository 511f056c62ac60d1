"""The model of what expires: cached responses and changelogs."""

from collections.abc import Callable
from datetime import datetime, timedelta

from burndown.models import JiraCache, JiraChangelog
from burndown.testing.controlled_store import Document, in_utc
from burndown.testing.model.records import RecordModel
from burndown.testing.model.refusals import RefusedError

__all__ = ["ExpiryModel", "check_staleness"]


class ExpiryModel(RecordModel):
    """The expiry of entries, how stale they are, and which ones are cleaned up."""

    def _expiry(self, expires_at: datetime | timedelta) -> str:
        if isinstance(expires_at, timedelta):
            expires_at = self.clock() + expires_at
        return in_utc(expires_at)

    def _has_expired(self, entry: Document) -> bool:
        expires_at = entry["expires_at"]
        return expires_at is not None and datetime.fromisoformat(expires_at) <= self.clock()

    def _is_too_stale(self, entry: Document, max_stale: timedelta | None) -> bool:
        if max_stale is None or entry["expires_at"] is None:
            return False
        return self.clock() - datetime.fromisoformat(entry["expires_at"]) >= max_stale

    def _found(self, entry: Document, *names: str) -> Document:
        age = None
        if entry["created_at"] is not None:
            age = (self.clock() - datetime.fromisoformat(entry["created_at"])).total_seconds()
        state = "stale" if self._has_expired(entry) else "fresh"
        return {**{name: entry[name] for name in names}, "age": age, "state": state}

    def cleanup_expired_cache(self, max_stale: timedelta | None = timedelta()) -> int:
        check_staleness(max_stale)
        return self._delete_cached(lambda entry: self._is_too_stale(entry, max_stale))

    def cleanup(self, max_bytes: int | None = None, profile_id: str | None = None) -> int:
        if max_bytes is not None and max_bytes < 0:
            raise RefusedError("max_bytes")
        return self._delete_cached(
            lambda entry: max_bytes == 0 and profile_id in (None, entry["profile_id"])
        )

    def _delete_cached(self, is_deleted: Callable[[Document], bool]) -> int:
        dead = [
            (model, key)
            for model in (JiraCache, JiraChangelog)
            for key, entry in self.kept[model].items()
            if is_deleted(entry)
        ]
        for model, key in dead:
            del self.kept[model][key]
        return len(dead)


def check_staleness(max_stale: timedelta | None, argument: str = "max_stale") -> None:
    """Raise an error if the time is negative."""
    if max_stale is not None and max_stale < timedelta():
        raise RefusedError(argument)
