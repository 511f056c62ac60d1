"""The environment of one case, and the rules to check in it."""

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
from tests.fuzz.trees import snapshot

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
    """A folder for one case: the input, the store, and files outside that must not change.

    Args:
        root: the folder to create.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.outside = root / "outside"
        self.input = root / "input"
        self.database = root / "store" / "burndown.db"
        self.told: list[str] = []
        """The changes of the input."""
        self.problems: list[str] = []
        """The rules that were broken."""
        self.database.parent.mkdir(parents=True)
        for name in _BAIT_FILES:
            (self.outside / name).parent.mkdir(parents=True, exist_ok=True)
            (self.outside / name).write_text(json.dumps(_BAIT))

    def remove(self) -> None:
        """Remove all files."""
        shutil.rmtree(self.root)

    @property
    def links(self) -> tuple[str, ...]:
        """Return the targets that links can have."""
        outside = [f"{self.outside}/{name}" for name in ("bait.json", "12w", "queries", "none")]
        return (*outside, str(self.outside), "nowhere", ".", "..", "/", "/dev/zero", "profile.json")

    def attempt(self, call: Callable[[], Any]) -> tuple[Any, PersistenceError | None]:
        """Return the result of the call, or the error that it raises, without any secret."""
        heard = _LogHandler()
        logger = logging.getLogger("burndown")
        logger.addHandler(heard)
        try:
            found = call()
        except PersistenceError as error:
            self.check_messages("".join(traceback.format_exception(error)) + repr(error))
            self.check_harmless(str(error).split("\n"))
            return None, error
        finally:
            logger.removeHandler(heard)
            self.check_messages("\n".join(heard.messages))
            self.check_harmless(heard.messages)
        self.check_messages(repr(found))
        return found, None

    def check(self, holds: bool, what: str) -> None:
        """Note a problem if the rule is broken."""
        if not holds:
            self.problems.append(what)

    def check_messages(self, text: str) -> None:
        """Check that no message contains a secret."""
        self.check(CANARY not in text, f"the token is told: {_around(text, CANARY)}")
        self.check(BAIT not in text, f"what lies outside is told: {_around(text, BAIT)}")

    def check_harmless(self, lines: list[str]) -> None:
        """Check that no line has a line end, moves a cursor or changes the direction."""
        for line in lines:
            self.check(escaped(line) == line, f"not escaped: {line!r}")

    def check_store(self, backend: SQLiteBackend) -> None:
        """Check that the store is intact, can be read, and has nothing from outside."""
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
        """Check that no record is from outside."""
        for record in backend.records(model):
            self.check(BAIT not in repr(record), f"a {model.__name__} is from outside")

    def rows(self) -> dict[str, Any]:
        """Return all rows of all tables, read without the code under test."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as connection:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            return {
                name: connection.execute(f"SELECT * FROM {name}").fetchall()
                for (name,) in tables.fetchall()
            }

    def check_rows(self, before: dict[str, Any]) -> None:
        """Check that the store has not changed."""
        after = self.rows()
        for table in before.keys() | after.keys():
            self.check(before.get(table) == after.get(table), f"rows of {table} have changed")

    def check_files(
        self, before: dict[str, bytes | str], may_change: Callable[[str], bool] = lambda name: False
    ) -> None:
        """Check that all files are unchanged, except those that may change."""
        after = self.files()
        for name in sorted(before.keys() | after.keys()):
            if before.get(name) != after.get(name) and not may_change(name):
                what = (
                    "made" if name not in before else "removed" if name not in after else "changed"
                )
                self.problems.append(f"{name!r} was {what}")

    def files(self) -> dict[str, bytes | str]:
        """Return all files of the box except the store."""
        return snapshot(self.root, without=("store",))


class _LogHandler(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def _around(text: str, found: str) -> str:
    at = text.find(found)
    return text[max(0, at - 200) : at + 60]
