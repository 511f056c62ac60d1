"""A fresh process loads no more than its first call needs."""

import ast
import subprocess
import sys
from pathlib import Path

import jedi  # type: ignore[import-untyped]
import pytest

import burndown
from burndown import SQLiteBackend

FIRST_CALL = "from burndown import get_backend; assert get_backend().get_app_state('k') == 'v'"
NOT_NEEDED = [
    "alembic",
    "cryptography",
    "keyring",
    "numpy",
    "pandas",
    "psycopg",
    "burndown.legacy",
    "burndown.migration",
    "burndown.import_export",
    "burndown.cli",
    "burndown.database.memory",
    "burndown.database.postgresql",
    "burndown.database.writing_session",
    "burndown.models.profile",
    "burndown.models.query_data",
    "burndown.models.registry",
    "burndown.persistence.json_backend",
    "burndown.repositories.profile",
    "sqlalchemy.dialects.sqlite",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.dialects.mysql",
    "sqlalchemy.dialects.oracle",
    "sqlalchemy.dialects.mssql",
    "pydantic_settings",
    "rich",
    "typer",
]


LATE_IMPORTS = {
    "burndown/__init__.py": ["import_module"],
    "burndown/__main__.py": ["burndown.cli"],
    "burndown/cli/app.py": ["burndown", "burndown.errors", "importlib.metadata"],
    "burndown/cli/exit_codes.py": ["burndown"],
    "burndown/cli/charts.py": [
        "burndown",
        "burndown.cli.stores",
        "burndown.profile_manager",
        "burndown.query_manager",
        "burndown.remaining_work",
    ],
    "burndown/cli/deletion.py": ["burndown", "burndown.cli.stores", "burndown.errors"],
    "burndown/cli/operation.py": [
        "burndown",
        "burndown.cli.stores",
        "burndown.models",
        "burndown.overview",
    ],
    "burndown/cli/secrets.py": ["burndown", "burndown.cli.stores", "burndown.sealing"],
    "burndown/cli/tables.py": ["burndown", "burndown.cli.stores", "burndown.tables"],
    "burndown/cli/transfer.py": [
        "burndown",
        "burndown.cli.stores",
        "burndown.copying",
        "burndown.errors",
        "burndown.import_export",
        "burndown.legacy",
        "burndown.persistence",
        "burndown.salvage",
        "burndown.sealing",
    ],
    "burndown/cli/versions.py": [
        "burndown",
        "burndown.cli.stores",
        "burndown.database",
        "burndown.errors",
        "burndown.schema",
    ],
    "burndown/cli/workspace.py": [
        "burndown",
        "burndown.cli.stores",
        "burndown.demo",
        "burndown.errors",
        "burndown.migration",
        "burndown.overview",
        "burndown.sealing",
        "burndown.settings",
    ],
    "burndown/database/__init__.py": [
        "burndown.database.database_url",
        "burndown.database.memory",
        "burndown.database.postgresql",
        "import_module",
    ],
    "burndown/database/base.py": ["burndown.database.writing_session"],
    "burndown/database/postgresql.py": ["burndown.database.postgresql_channel"],
    "burndown/database/sqlite_connections.py": ["ctypes"],
    "burndown/import_export/exported_secrets.py": ["burndown.secrets.passphrases"],
    "burndown/lazy_names.py": ["import_module"],
    "burndown/persistence/__init__.py": ["burndown.persistence.json_backend"],
    "burndown/schema/__init__.py": ["burndown.schema"],
    "burndown/secrets/sources.py": ["burndown.secrets.keys", "keyring", "keyring.errors"],
    "burndown/settings/__init__.py": ["burndown.settings.environment"],
    "burndown/tables/files.py": ["pyarrow", "pyarrow.parquet"],
    "burndown/testing/__init__.py": ["import_module"],
    "burndown/testing/pytest_plugin.py": [
        "burndown.database",
        "burndown.persistence",
        "burndown.persistence.sql_backend",
        "burndown.testing.clocks",
        "burndown.testing.sample",
        "burndown.testing.stores",
    ],
    "burndown/testing/stores.py": ["psycopg"],
    "burndown/testing/hypothesis_plugin.py": [
        "burndown.models",
        "burndown.testing.strategies",
        "burndown.testing.strategies.entities",
        "burndown.testing.strategies.results",
        "hypothesis",
    ],
}
"""The imports that functions make, or that are made by name. Each has its reason next to it; that
of the commands is in ``burndown.cli``."""


def late_imports(path: Path) -> list[str]:
    found = set()
    for function in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(function, ast.FunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.ImportFrom):
                    found.add(str(node.module))
                elif isinstance(node, ast.Import):
                    found.update(name.name for name in node.names)
                elif isinstance(node, ast.Name) and node.id in ("import_module", "__import__"):
                    found.add(node.id)
    return sorted(found)


def test_only_listed_modules_import_late() -> None:
    package = Path(burndown.__file__).parent
    found = {
        path.relative_to(package.parent).as_posix(): late_imports(path)
        for path in package.rglob("*.py")
    }
    assert {path: names for path, names in found.items() if names} == LATE_IMPORTS


def imported_by(path: Path, modules: set[str]) -> set[str]:
    """Return the modules of the package that a module imports, at any place in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            for name in node.names:
                full = f"{node.module}.{name.name}"
                found.add(full if full in modules else str(node.module))
    return found & modules


def test_no_modules_import_each_other() -> None:
    """Not even late: a reader can understand a module without those that use it."""
    package = Path(burndown.__file__).parent
    paths = {
        ".".join(path.relative_to(package.parent).with_suffix("").parts).removesuffix(
            ".__init__"
        ): path
        for path in package.rglob("*.py")
    }
    imports = {name: imported_by(path, set(paths)) for name, path in paths.items()}
    while imports:
        last = [name for name, used in imports.items() if not used & imports.keys()]
        assert last, f"in a circle, or above one: {sorted(imports)}"
        for name in last:
            del imports[name]


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


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_help_and_version_load_little_more_than_typer(option: str) -> None:
    typer = set(output_of("import typer; print(*sys.modules)"))
    printed = output_of(
        f"from burndown.cli import run; assert run(['{option}']) == 0;"
        "print('loaded:', *sys.modules)"
    )
    loaded = printed[printed.index("loaded:") + 1 :]
    ours = [name for name in loaded if name.partition(".")[0] == "burndown"]
    assert {name for name in ours if not name.startswith("burndown.cli")} == {
        "burndown",
        "burndown.distribution",
    }
    others = {name.partition(".")[0] for name in {*loaded} - typer - {*ours}}
    assert others <= {*sys.stdlib_module_names, "typer"}


@pytest.mark.usefixtures("_stored")
def test_a_first_call_loads_no_more_than_it_needs() -> None:
    loaded = output_of(f"{FIRST_CALL}; print(*sys.modules)")
    assert "burndown.persistence.sql_backend" in loaded
    assert [name for name in NOT_NEEDED if name in loaded] == []


@pytest.mark.usefixtures("_stored")
def test_a_first_call_builds_no_schema_of_a_model() -> None:
    built = output_of(
        f"{FIRST_CALL}; from burndown.models import ENTITIES, Submodel;"
        "kinds = [*ENTITIES, *Submodel.__subclasses__()];"
        "print(len(kinds), *(k.__name__ for k in kinds if k.__pydantic_complete__))"
    )
    assert int(built[0]) > 8
    assert built[1:] == []


@pytest.mark.parametrize("name", burndown.__all__)
def test_every_public_name_is_loaded_from_its_module(name: str) -> None:
    module = burndown._MODULE_OF[name]
    assert getattr(burndown, name) is getattr(sys.modules[module], name)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import burndown\nburndown.", {*burndown.__all__}),
        ("from burndown import ", {*burndown.__all__}),
        ("import burndown\nburndown.get_backend().get_", {"get_profile", "get_jira_cache"}),
    ],
)
def test_editors_complete_the_public_names(code: str, expected: set[str]) -> None:
    """Without running the code, as Jedi does for IPython and many editors."""
    completed = {each.name for each in jedi.Script(code).complete()}
    assert expected <= completed


def test_modules_for_json_files_are_loaded_when_a_folder_is_opened() -> None:
    [kind] = output_of(
        "from burndown.persistence import open_backend;"
        "print(type(open_backend('json:nowhere')).__name__)"
    )
    assert kind == "JSONBackend"
