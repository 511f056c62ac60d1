"""Legacy workspaces with unexpected values, and the files and values of workspaces."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from burndown import SQLiteBackend
from burndown.database import SQLiteDatabase
from burndown.migration import run_migration_if_needed
from burndown.models import Entity
from burndown.testing.contract.drawn import json_values
from burndown.testing.controlled_store import stored_records
from burndown.testing.strategies import legacy_workspaces
from burndown.testing.strategies.workspaces import Files

unexpected_values: st.SearchStrategy[Any] = json_values | st.sampled_from(
    [0, 1, "1", "true", 100.0, "", " ", None, [], {}, ["x"], "a, b", "2026-03-31 00:00", "\0"]
)


@st.composite
def unexpected_workspaces(draw: st.DrawFn) -> Files:
    """Draw workspaces in which some values, of any file, are replaced by others."""
    files: Files = json.loads(json.dumps(draw(legacy_workspaces())))
    for _ in range(draw(st.integers(1, 4))):
        value = files[draw(st.sampled_from(sorted(files)))]
        while isinstance(value, dict) and value:
            key = draw(st.sampled_from(sorted(value)))
            if not value[key] or not isinstance(value[key], dict) or draw(st.booleans()):
                value[key] = draw(unexpected_values)
                break
            value = value[key]
    return files


def write(files: Files, root: Path) -> Path:
    """Write the files, escaped or as UTF-8, and return the folder of profiles."""
    for number, (path, value) in enumerate(files.items()):
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(value, indent=2, ensure_ascii=number % 2 == 0)
        target.write_text(text, encoding="utf-8")
    return root / "profiles"


# --- files and values of workspaces ----------------------------------------------------------


def files_without_database(folder: Path) -> dict[Path, bytes]:
    """Return the content of every file that belongs to the old dashboard."""
    return {
        path: path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith("burndown.db")
    }


def files_without_locks(folder: Path) -> dict[str, bytes]:
    """Return all files except locks."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }


def leaves(value: Any) -> Iterator[str]:
    """Yield the scalars in a JSON value that are set, timestamps in UTC.

    An empty string may be read as not set, which the report of a migration says.
    """
    if isinstance(value, dict):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, str) and value:
        yield in_utc_or_none(value) or repr(value)
    elif value not in (None, ""):
        yield repr(value)


def in_utc_or_none(text: str) -> str | None:
    """Return the timestamp of a string in UTC; in a column it has a blank and no offset."""
    try:
        timestamp = datetime.fromisoformat(text)
    except ValueError:
        return None
    in_column = " " in text
    return repr((timestamp.replace(tzinfo=UTC) if in_column else timestamp).astimezone(UTC))


def migrated_records(profiles_dir: Path) -> dict[type[Entity], list[str]]:
    """Return what a migration of the folder stores."""
    with tempfile.TemporaryDirectory() as elsewhere:
        path = Path(elsewhere) / "burndown.db"
        database = SQLiteDatabase(path)
        try:
            run_migration_if_needed(profiles_dir, database)
        finally:
            database.close()
            shutil.rmtree(profiles_dir.parent / "backups", ignore_errors=True)
        with SQLiteBackend(path) as backend:
            return stored_records(backend)
