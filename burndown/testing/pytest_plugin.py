"""Fixtures of pytest, which finds them in every project in which the package is installed.

Nothing else of the package is imported until a test uses one of them. ``pytest -p no:burndown``
disables them.
"""

import os
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from burndown import PersistenceBackend
    from burndown.database import MemoryDatabase
    from burndown.testing.clocks import Clock

__all__ = [
    "burndown_backend",
    "burndown_clock",
    "burndown_demo",
    "burndown_store",
    "pytest_addoption",
    "pytest_generate_tests",
]

pytest.register_assert_rewrite("burndown.testing.contract", "burndown.testing.machine")

_OPTION = "--burndown-postgresql"
_VARIABLE = "BURNDOWN_TEST_DATABASE_URL"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option for the server."""
    parser.getgroup("burndown").addoption(
        _OPTION,
        metavar="URL",
        default=os.environ.get(_VARIABLE),
        help="also run tests with burndown_store on this PostgreSQL database, each in a schema of "
        f"its own, which is dropped at its end; by default that of {_VARIABLE}",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with ``burndown_store`` on each storage there is, or on those that it names."""
    if "burndown_store" in metafunc.fixturenames and not _names_storages(metafunc):
        has_server = metafunc.config.getoption(_OPTION) is not None
        storages = ["sqlite", "json", *(["postgresql"] if has_server else [])]
        metafunc.parametrize("burndown_store", storages, indirect=True)


def _names_storages(metafunc: pytest.Metafunc) -> bool:
    """Return whether the test is parametrized by storages itself."""
    for mark in metafunc.definition.iter_markers("parametrize"):
        names = mark.args[0] if mark.args else mark.kwargs["argnames"]
        if "burndown_store" in (
            names.replace(",", " ").split() if isinstance(names, str) else names
        ):
            return True
    return False


@pytest.fixture
def burndown_clock() -> "Clock":
    """Return the clock of the test's backends, and so of all that works on them.

    It stands still, at 2026-01-05 09:00 UTC at first: `burndown_clock.tick(hours=2)` moves it, and
    `burndown_clock.now` is its time.
    """
    from burndown.testing.clocks import Clock

    return Clock()


@pytest.fixture
def _burndown_database() -> Iterator["MemoryDatabase"]:
    """Open an empty database in memory."""
    from burndown.database import MemoryDatabase

    with closing(MemoryDatabase()) as database:
        yield database


@pytest.fixture
def burndown_backend(
    _burndown_database: "MemoryDatabase", burndown_clock: "Clock"
) -> Iterator["PersistenceBackend"]:
    """Open an empty store for this test, in memory, which `get_backend()` returns during it.

    After the test, that returns the backend that was in use before.
    """
    from burndown.persistence import backend_in_use
    from burndown.persistence.sql_backend import SQLBackend

    with backend_in_use(SQLBackend(_burndown_database, burndown_clock)) as backend:
        yield backend


@pytest.fixture
def burndown_store(
    request: pytest.FixtureRequest, burndown_clock: "Clock"
) -> Iterator["PersistenceBackend"]:
    """Open the same as `burndown_backend` on each storage: the test runs once on each of them.

    They are `sqlite`, `json` and, with `--burndown-postgresql URL`, `postgresql`;
    `@pytest.mark.parametrize("burndown_store", ["json"], indirect=True)` chooses some.
    """
    from burndown.persistence import backend_in_use
    from burndown.testing.stores import new_store

    storage = getattr(request, "param", None)
    server = request.config.getoption(_OPTION)
    if storage is None:
        pytest.fail(
            "burndown_store should be an argument of a test function or of its fixtures, so that "
            "the test can run on each storage; elsewhere, such as in a unittest.TestCase, use "
            "burndown_backend",
            pytrace=False,
        )
    if storage == "postgresql" and server is None:
        pytest.skip(f"needs a server: {_OPTION} URL, or {_VARIABLE}")
    with new_store(storage, burndown_clock, server) as new, backend_in_use(new) as backend:
        yield backend


@pytest.fixture
def burndown_demo(
    burndown_backend: "PersistenceBackend", _burndown_database: "MemoryDatabase"
) -> "PersistenceBackend":
    """Fill the store of `burndown_backend` with a sample workspace.

    It has the profiles `kafka` (active, of a Jira server) with the queries `12w` and `bugs`, and
    `p_b5d960ef1471` (of Jira Cloud) with `q_ac7ce01bbf50`; each query has a cached response,
    changelogs, project data and weeks of metrics with forecasts. The response of `12w` is fresh,
    and this query has a budget. The task `fetch-issues` is finished.
    """
    from burndown.testing.sample import sample_database

    _burndown_database.load(sample_database())
    return burndown_backend
