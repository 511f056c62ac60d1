"""The place where one case happens, and what must hold there."""

import json
import logging
import shutil
import sqlite3
import traceback
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from burndown import PersistenceError, SQLiteBackend
from burndown.escaping import escaped
from burndown.models import ENTITIES, Entity
from burndown.persistence import PersistenceBackend
from tests.fuzz.material import CANARY
from tests.fuzz.trees import seen

BAIT = "bait-that-no-store-may-hold"

_BAIT = {
    "id": "bait",
    "name": BAIT,
    "jql": BAIT,
    "format": "burndown export",
    "issues": [{"key": BAIT}],
    "timestamp": "2025-11-24T08:00:00+00:00",
    "statistics": [BAIT],
}
_BAIT_FILES = (
    "bait.json",
    "profile.json",
    "query.json",
    "project_data.json",
    "12w/query.json",
    "queries/12w/query.json",
    "queries/12w/jira_cache.json",
)


class Box:
    """A folder of its own for a case: what is read, the store, and an outside that is no target.

    Args:
        root: the folder to make.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.outside = root / "outside"
        self.input = root / "input"
        self.database = root / "store" / "burndown.db"
        self.told: list[str] = []
        """What was done to the input."""
        self.problems: list[str] = []
        """What does not hold."""
        self.database.parent.mkdir(parents=True)
        for name in _BAIT_FILES:
            (self.outside / name).parent.mkdir(parents=True, exist_ok=True)
            (self.outside / name).write_text(json.dumps(_BAIT))

    def remove(self) -> None:
        """Leave nothing."""
        shutil.rmtree(self.root)

    @property
    def links(self) -> tuple[str, ...]:
        """What links can point to."""
        outside = [f"{self.outside}/{name}" for name in ("bait.json", "12w", "queries", "none")]
        return (*outside, str(self.outside), "nowhere", ".", "..", "/", "/dev/zero", "profile.json")

    def attempt(self, call: Callable[[], Any]) -> tuple[Any, PersistenceError | None]:
        """What the call gives, or the refusal that it raises; neither may hold a secret."""
        heard = _Heard()
        logger = logging.getLogger("burndown")
        logger.addHandler(heard)
        try:
            found = call()
        except PersistenceError as error:
            self.check_told("".join(traceback.format_exception(error)) + repr(error))
            self.check_harmless(str(error).split("\n"))
            return None, error
        finally:
            logger.removeHandler(heard)
            self.check_told("\n".join(heard.messages))
            self.check_harmless(heard.messages)
        self.check_told(repr(found))
        return found, None

    def check(self, holds: bool, what: str) -> None:
        """Note a problem if it does not hold."""
        if not holds:
            self.problems.append(what)

    def check_told(self, text: str) -> None:
        """No secret stands in what people are told."""
        self.check(CANARY not in text, f"the token is told: {_around(text, CANARY)}")
        self.check(BAIT not in text, f"what lies outside is told: {_around(text, BAIT)}")

    def check_harmless(self, lines: list[str]) -> None:
        """No line holds what ends it, moves a cursor or turns the writing direction."""
        for line in lines:
            self.check(escaped(line) == line, f"not escaped: {line!r}")

    def check_store(self, backend: SQLiteBackend) -> None:
        """It is whole, can be read, and holds nothing from outside."""
        is_whole, errors = backend.check_integrity()
        self.check(is_whole, f"the store is damaged: {errors}")
        for model in ENTITIES:
            self.check_records(backend, model)
        for profile in backend.list_profiles():
            for query in backend.list_queries(profile["id"]):
                backend.get_metrics_snapshots(profile["id"], query["id"], limit=None)
                backend.get_jira_changelogs(profile["id"], query["id"])
                backend.list_jira_caches(profile["id"], query["id"])

    def check_records(self, backend: PersistenceBackend, model: type[Entity]) -> None:
        """None is from outside."""
        for record in backend.records(model):
            self.check(BAIT not in repr(record), f"a {model.__name__} is from outside")

    def rows(self) -> dict[str, Any]:
        """All rows of all tables as they lie there, read without the code under test."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as connection:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            return {
                name: connection.execute(f"SELECT * FROM {name}").fetchall()
                for (name,) in tables.fetchall()
            }

    def check_rows(self, before: dict[str, Any]) -> None:
        """The store holds what it held."""
        after = self.rows()
        for table in before.keys() | after.keys():
            self.check(before.get(table) == after.get(table), f"rows of {table} have changed")

    def check_files(
        self, before: dict[str, bytes | str], may_change: Callable[[str], bool] = lambda name: False
    ) -> None:
        """All files are as they were, but for those that may change."""
        after = self.files()
        for name in sorted(before.keys() | after.keys()):
            if before.get(name) != after.get(name) and not may_change(name):
                what = (
                    "made" if name not in before else "removed" if name not in after else "changed"
                )
                self.problems.append(f"{name!r} was {what}")

    def files(self) -> dict[str, bytes | str]:
        """All that lies in the box but the store."""
        return seen(self.root, without=("store",))


class _Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def _around(text: str, found: str) -> str:
    at = text.find(found)
    return text[max(0, at - 200) : at + 60]
