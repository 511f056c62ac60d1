"""A fresh process loads no more than its first call needs."""

import subprocess
import sys
from pathlib import Path

import pytest

import burndown
from burndown import SQLiteBackend

FIRST_CALL = "from burndown import get_backend; assert get_backend().get_app_state('k') == 'v'"
NOT_NEEDED = [
    "alembic",
    "psycopg",
    "burndown.legacy",
    "burndown.migration",
    "burndown.import_export",
    "burndown.cli",
    "burndown.database.postgresql",
    "burndown.persistence.json_backend",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.dialects.mysql",
    "sqlalchemy.dialects.oracle",
    "sqlalchemy.dialects.mssql",
    "pydantic_settings",
    "rich",
    "typer",
]


def output_of(code: str) -> list[str]:
    """Return what a new process prints that runs this code."""
    root = Path(burndown.__file__).parents[1]
    found = subprocess.run(
        [
            sys.executable,
            "-S",
            "-c",
            f"import sys; sys.path[:0] = {[str(root), *sys.path]}; {code}",
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    return found.stdout.split()


@pytest.fixture
def _stored(tmp_path: Path) -> None:
    """Create a database where the settings expect it."""
    with SQLiteBackend(tmp_path / "profiles" / "burndown.db") as backend:
        backend.set_app_state("k", "v")


def test_import_burndown_loads_nothing_else() -> None:
    loaded = output_of("before = {*sys.modules}; import burndown; print(*{*sys.modules} - before)")
    assert "burndown" in loaded
    assert not {"typing", "sqlalchemy", "pydantic", "re", "pathlib"} & set(loaded)
    assert [name for name in loaded if name.startswith("burndown.")] == []


@pytest.mark.usefixtures("_stored")
def test_a_first_call_loads_no_more_than_it_needs() -> None:
    loaded = output_of(f"{FIRST_CALL}; print(*sys.modules)")
    assert "burndown.persistence.sql_backend" in loaded
    assert [name for name in NOT_NEEDED if name in loaded] == []


@pytest.mark.usefixtures("_stored")
def test_a_first_call_builds_no_schema_of_a_model() -> None:
    built = output_of(
        f"{FIRST_CALL}; from burndown.models.entity import Entity;"
        "from burndown.models.submodel import Submodel;"
        "kinds = [*Entity.__subclasses__(), *Submodel.__subclasses__()];"
        "print(len(kinds), *(k.__name__ for k in kinds if k.__pydantic_complete__))"
    )
    assert int(built[0]) > 8
    assert built[1:] == []


@pytest.mark.parametrize("name", burndown.__all__)
def test_every_public_name_is_loaded_from_its_module(name: str) -> None:
    module = burndown._MODULE_OF[name]
    assert getattr(burndown, name) is getattr(sys.modules[module], name)


def test_modules_for_json_files_are_loaded_when_a_folder_is_opened() -> None:
    [kind] = output_of(
        "from burndown.persistence import open_backend;"
        "print(type(open_backend('json:nowhere')).__name__)"
    )
    assert kind == "JSONBackend"
