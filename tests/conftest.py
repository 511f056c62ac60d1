"""Shared by all tests: the Hypothesis profile, stores, and a working directory for each test."""

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings

import burndown
from burndown import SQLiteBackend
from tests.support.postgres import (
    CANNOT_RUN,
    GIVEN_URL,
    PostgresServer,
    running_server,
)
from tests.support.programs import skip_without

IN_MEMORY = "/dev/shm"
is_roomy = os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free > 2**32
if "TMPDIR" not in os.environ and is_roomy:
    # No test cuts the power, and a disk would take milliseconds for each of many thousand commits.
    tempfile.tempdir = os.environ["TMPDIR"] = IN_MEMORY

# Every change runs in CI as well, with twice as many.
settings.register_profile("default", max_examples=16 if "CI" in os.environ else 8, deadline=None)
settings.register_profile("thorough", max_examples=500, deadline=None)
# For tests that are expected to fail, with examples that nobody reads.
settings.register_profile(
    "unshrunk", max_examples=50, deadline=None, phases=[Phase.explicit, Phase.generate]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Spare the garbage collector the half million objects of what is collected, which all stay.

    Otherwise it looks through them several times while they are collected. They are not frozen:
    Hypothesis asks it what refers to an object, and it would not look there.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each process a part of the modules, and the rest of another one that takes longer.

    By default, each gets a few tests at a time, so that the fixtures of a module, such as a browser
    with an application, are made in all of them.
    """
    if config.getoption("dist") != "load":
        return None
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log)


@pytest.fixture(autouse=True)
def _workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run without settings of the caller, outside the checkout, and leave no backend in use."""
    for variable in list(os.environ):
        if variable.upper().startswith("BURNDOWN_"):
            monkeypatch.delenv(variable)
    # A test that runs pytest itself measures no coverage there.
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.chdir(tmp_path)
    yield
    burndown.set_backend(None)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create a database without records, to be copied, which takes a fraction of the time."""
    path = tmp_path_factory.mktemp("empty") / "burndown.db"
    with SQLiteBackend(path) as new:
        new.list_profiles()
    return path


@pytest.fixture
def backend(empty_database: Path, tmp_path: Path) -> Iterator[SQLiteBackend]:
    """A backend on a database without records."""
    with SQLiteBackend(shutil.copy(empty_database, tmp_path)) as new:
        yield new


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The PostgreSQL server of this run; a machine that cannot run one skips its tests."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(running_server())
        except CANNOT_RUN as error:
            if GIVEN_URL is not None:
                raise
            skip_without("PostgreSQL", error)
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The SQLAlchemy URL of an empty database on the server, dropped after the test."""
    with postgres_server.database() as url:
        yield url
