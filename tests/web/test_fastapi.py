"""A FastAPI service loses nothing acknowledged, in whichever threads its steps run."""

import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from burndown import PersistenceBackend, set_backend
from burndown.persistence import open_backend

uvicorn = pytest.importorskip("uvicorn")
pytest.importorskip("fastapi")

REQUESTS = 200


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PersistenceBackend]:
    where = str(tmp_path / "burndown.db")
    if request.param == "postgresql":
        where = request.getfixturevalue("postgres_url")
    new = open_backend(where)
    set_backend(new)
    new.list_profiles()
    yield new
    set_backend(None)


@pytest.fixture
def address(backend: PersistenceBackend) -> Iterator[str]:
    """Run a server on loopback that uses the backend."""
    from tests.web.fastapi_app import app

    with closing(socket.create_server(("127.0.0.1", 0), backlog=REQUESTS)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
        serving = threading.Thread(target=server.run, args=([listening],))
        serving.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            serving.join()


def post(url: str) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=60) as got:
            return int(got.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize("ways", [("session", "transaction", "call", "failing"), ("async", "call")])
def test_two_hundred_parallel_requests_are_answered_and_stored(
    address: str, backend: PersistenceBackend, ways: tuple[str, ...]
) -> None:
    wanted = [f"{ways[n % len(ways)]}/{n}" for n in range(REQUESTS)]
    with ThreadPoolExecutor(REQUESTS) as pool:
        found = list(pool.map(post, (f"{address}/{path}" for path in wanted)))
    expected = [500 if path.startswith("failing") else 200 for path in wanted]
    assert found == expected
    stored = {profile["id"] for profile in backend.list_profiles()}
    assert stored == {path.partition("/")[2] for path in wanted if not path.startswith("failing")}


def test_transactions_of_the_event_loop_are_stored_or_refused(
    address: str, backend: PersistenceBackend
) -> None:
    """They cannot wait for each other; a request that would is refused, and stores nothing."""
    with ThreadPoolExecutor(20) as pool:
        urls = [f"{address}/async-transaction/{n}" for n in range(20)]
        found = list(pool.map(post, urls))
    assert set(found) <= {200, 500}
    assert 200 in found
    stored = {profile["id"] for profile in backend.list_profiles()}
    assert stored == {str(n) for n, status in enumerate(found) if status == 200}
    backend.save_profile({"id": "afterwards"})
