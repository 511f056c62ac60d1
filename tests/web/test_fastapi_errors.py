"""A FastAPI service responds to errors with their status, and without secrets and paths."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from burndown import PersistenceBackend, set_backend
from burndown.persistence import open_backend
from tests.web.service import Service

CANARY = "canary-5f3a"
PROFILE = {"id": "kafka", "name": "Kafka", "jira_config": {"token": CANARY}}


def test_a_stale_revision_is_a_conflict(service: Service, current: PersistenceBackend) -> None:
    """The second of two clients that change the same profile learns of the first."""
    current.save_profile(PROFILE)
    one, other = (service.request("GET", "/profiles/kafka").body for _ in range(2))
    assert service.request("PUT", "/profiles/kafka", {**one, "description": "one"}).status == 200
    expected = {"given": 1, "current": 2}
    for response in (
        service.request("PUT", "/profiles/kafka", {**other, "description": "other"}),
        service.request("PATCH", "/profiles/kafka", {"description": "other", "revision": 1}),
    ):
        assert response.status == 409
        assert response.body.pop("detail").startswith("Profile 'kafka' has revision 2, not 1")
        assert response.body.items() >= expected.items()
    assert service.request("GET", "/profiles/kafka").body["description"] == "one"


@pytest.mark.parametrize("path", ["/profiles/kafka", "/typed/kafka"])
def test_one_of_many_changes_of_a_revision_wins(
    service: Service, current: PersistenceBackend, path: str
) -> None:
    """The others change nothing."""
    current.save_profile(PROFILE)
    got = service.request("GET", path).body
    changed = [{**got, "description": f"change {number}"} for number in range(20)]
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda body: service.request("PUT", path, body).status, changed))
    assert sorted(found) == [200] + [409] * 19
    stored = current.get_profile("kafka")
    assert stored is not None
    assert stored["description"] == changed[found.index(200)]["description"]
    assert stored["revision"] == 2


def test_a_task_that_runs_is_a_conflict(service: Service, current: PersistenceBackend) -> None:
    """The response does not name its owner, who is a process of a host."""
    assert service.request("POST", "/tasks/fetch").status == 200
    with current.task("fetch") as task:
        response = service.request("POST", "/tasks/fetch")
        found = current.get_task_progress("fetch")
    assert found is not None
    assert response.status == 409
    started_at = found["started_at"]
    detail = f"Task 'fetch' has been running since {started_at}"
    assert response.body == {"detail": detail, "started_at": started_at}
    assert task.owner not in response.text
    response = service.request("POST", "/tasks/fetch?cancel=true")
    assert response.status == 409
    assert response.body == {"detail": "Task 'fetch' was cancelled"}


@pytest.mark.parametrize("path", ["/profiles/nope", "/typed/nope", "/profiles/nope/queries/nope"])
def test_what_does_not_exist_is_not_found(
    service: Service, current: PersistenceBackend, path: str
) -> None:
    response = service.request("GET", path)
    assert response.status == 404
    assert "'nope' not found" in response.body["detail"]


INVALID: dict[str, tuple[Any, list[str | int]]] = {
    "URL": ({"jira_config": {"base_url": f"https://me:{CANARY}@x"}}, ["jira_config", "base_url"]),
    "token": ({"jira_config": {"token": [CANARY]}}, ["jira_config", "token"]),
    "version": ({"jira_config": {"api_version": CANARY}}, ["jira_config", "api_version"]),
    "section": ({"jira_config": [CANARY]}, ["jira_config"]),
    "item of a list": (
        {"project_classification": {"bug_types": ["Bug", 3]}, "jira_config": {"token": CANARY}},
        ["project_classification", "bug_types", 1],
    ),
    "number": ({"forecast_settings": {"pert_factor": 0}}, ["forecast_settings", "pert_factor"]),
    "list": ([CANARY], []),
    "string": (CANARY, []),
}


@pytest.mark.parametrize(("body", "path_of_value"), INVALID.values(), ids=INVALID)
@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/profiles/kafka"), ("PUT", "/typed/kafka"), ("PATCH", "/profiles/kafka")],
)
def test_an_invalid_body_is_refused_with_paths_and_without_the_input(
    service: Service,
    current: PersistenceBackend,
    method: str,
    path: str,
    body: Any,
    path_of_value: list[str | int],
) -> None:
    """The response has the form of FastAPI's own."""
    current.save_profile({"id": "kafka"})
    given = {**body, "id": "kafka"} if isinstance(body, dict) else body
    response = service.request(method, path, given)
    assert response.status == 422
    [problem] = response.body["detail"]
    assert problem.keys() == {"loc", "msg", "type"}
    assert problem["loc"] == ["body", *path_of_value]
    assert CANARY not in response.text
    stored = current.get_profile("kafka")
    assert stored is not None
    assert stored["revision"] == 1


def test_malformed_json_is_refused_without_the_input(
    service: Service, current: PersistenceBackend
) -> None:
    response = service.request("PUT", "/profiles/kafka", f'{{"token": "{CANARY}"'.encode())
    assert response.status == 422
    assert CANARY not in response.text


@pytest.mark.usefixtures("current")
@pytest.mark.parametrize("path", ["/call/new", "/session/new", "/transaction/new", "/aio/new"])
def test_a_locked_store_is_not_available(
    service: Service,
    location: str,
    path: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A client may try again."""
    monkeypatch.setenv("BURNDOWN_BUSY_TIMEOUT", "0.2")
    set_backend(None)
    set_backend(open_backend(location))
    with open_backend(location) as other, other.transaction():
        other.set_app_state("key", "value")
        response = service.request("POST", path)
    assert response.status == 503
    assert int(response.headers["Retry-After"]) > 0
    assert response.body == {"detail": "The storage is not available; try again later"}
    assert service.request("POST", path).status == 200


def test_a_failed_fetch_is_that_of_a_gateway(service: Service) -> None:
    response = service.request("POST", "/fetch/key")
    assert response.status == 502
    assert "ConnectionError" in response.body["detail"]


def test_a_server_out_of_reach_is_not_available(service: Service) -> None:
    set_backend(open_backend(f"postgresql+psycopg://me:{CANARY}@127.0.0.1:1/nope"))
    for path in ("/profiles", "/typed/kafka"):
        response = service.request("GET", path)
        assert response.status == 503
        assert response.body == {"detail": "The storage is not available; try again later"}


def write_garbage(path: Path) -> None:
    path.write_bytes(b"garbage" * 1000)


def write_foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (url)")


def write_too_new(path: Path) -> None:
    with open_backend(path) as newer:
        newer.set_app_state("key", "value")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE burndown_version SET version_num = '99.0'")


@pytest.mark.parametrize("write", [write_garbage, write_foreign, write_too_new])
def test_a_store_that_cannot_be_used_is_an_error_of_the_server(
    service: Service,
    tmp_path: Path,
    write: Callable[[Path], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The reason and the path are in the log only."""
    path = tmp_path / "unusable.db"
    write(path)
    set_backend(open_backend(path))
    response = service.request("GET", "/profiles")
    assert response.status == 500
    assert response.body == {"detail": "The storage cannot be used; the log has the reason"}
    assert str(path) in caplog.text


@pytest.mark.parametrize(
    ("setting", "value", "reason"),
    [
        ("BURNDOWN_DATABASE_URL", f"mysql://burndown:{CANARY}@host/name", "use sqlite, postgresql"),
        ("BURNDOWN_SECRET_KEY", CANARY, "BURNDOWN_SECRET_KEY holds what is no key"),
    ],
)
def test_an_invalid_setting_is_an_error_of_the_server(
    setting: str,
    value: str,
    reason: str,
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """To try again does not help, so the response does not suggest it."""
    monkeypatch.setenv(setting, value)
    set_backend(None)
    response = service.request("PUT", "/profiles/p", {"jira_config": {"token": "t"}})
    assert response.status == 500
    assert reason in caplog.text
    assert CANARY not in caplog.text
