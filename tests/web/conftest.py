"""The FastAPI application on a server, and the stores that it uses."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from burndown import PersistenceBackend, set_backend
from burndown.persistence import open_backend
from tests.support.chromium import Chromium, running_chromium
from tests.web.fastapi_app import app
from tests.web.gunicorn import running_gunicorn
from tests.web.service import Service, running


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The location of a new store."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return str(tmp_path / "burndown.db")


@pytest.fixture
def current(location: str) -> Iterator[PersistenceBackend]:
    """The backend of this store, in use."""
    new = open_backend(location)
    set_backend(new)
    new.list_profiles()
    yield new
    set_backend(None)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """The application, running."""
    with running(app) as new:
        yield new


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """A browser."""
    with running_chromium(tmp_path_factory.mktemp("chromium")) as running:
        yield running


@pytest.fixture(scope="module")
def dashboard_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the store of the dashboard."""
    return tmp_path_factory.mktemp("dashboard")


@pytest.fixture(scope="module")
def dashboard(dashboard_folder: Path) -> Iterator[str]:
    """The address of the dashboard, which runs with two workers."""
    app = "examples.dashboard.app:server"
    with running_gunicorn(app, dashboard_folder, workers=2) as address:
        yield address
