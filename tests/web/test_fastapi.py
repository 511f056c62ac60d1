"""A FastAPI service loses nothing acknowledged, and keeps the token secret."""

import runpy
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openapi_spec_validator
import pytest
from fastapi import FastAPI
from hypothesis import given
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from burndown import (
    JiraConfig,
    PersistenceBackend,
    Profile,
    get_backend,
    public_document,
    set_backend,
)
from burndown.fastapi import PublicProfile
from burndown.persistence import open_backend
from burndown.testing.contract.drawn import profiles
from tests.web.service import REQUESTS, Service, running

ROOT = Path(__file__).parents[2]
CANARY = "canary-5f3a"
PROFILE = {
    "id": "kafka",
    "name": "Kafka",
    "jira_config": {"base_url": "https://jira.example.com", "token": CANARY},
    "unknown": {"kept": 1},
}

# --- writes ----------------------------------------------------------------------------------

WAYS = {
    "typed sessions": ("session",),
    "calls": ("call",),
    "coroutines": ("aio",),
    "all": ("session", "call", "transaction", "aio", "failing"),
    "in the event loop": ("loop", "call"),
}


@pytest.mark.parametrize("ways", WAYS.values(), ids=WAYS)
def test_two_hundred_parallel_requests_are_answered_and_stored(
    service: Service, current: PersistenceBackend, ways: tuple[str, ...]
) -> None:
    """Of a single way, fifty are as good: more only wait longer for each other."""
    number = REQUESTS if len(ways) > 1 else REQUESTS // 4
    wanted = [f"{ways[n % len(ways)]}/{n}" for n in range(number)]
    with ThreadPoolExecutor(number) as pool:
        found = list(pool.map(lambda path: service.request("POST", f"/{path}").status, wanted))
    assert found == [500 if path.startswith("failing") else 200 for path in wanted]
    stored = {profile["id"] for profile in current.list_profiles()}
    assert stored == {path.partition("/")[2] for path in wanted if not path.startswith("failing")}


def test_transactions_of_the_event_loop_are_stored_or_refused(
    service: Service, current: PersistenceBackend
) -> None:
    """They cannot wait for each other; a request that would is refused, and stores nothing."""
    with ThreadPoolExecutor(20) as pool:
        paths = [f"/loop-transaction/{n}" for n in range(20)]
        found = list(pool.map(lambda path: service.request("POST", path).status, paths))
    assert set(found) <= {200, 503}
    assert 200 in found
    stored = {profile["id"] for profile in current.list_profiles()}
    assert stored == {str(n) for n, status in enumerate(found) if status == 200}
    current.save_profile({"id": "afterwards"})


def test_a_commit_that_fails_is_reported(service: Service, current: PersistenceBackend) -> None:
    """The session of the dependency ends before the response is sent."""
    assert service.request("POST", "/pending/nope").status >= 400
    assert current.list_queries("nope") == []
    assert service.request("POST", "/session/later").status == 200


# --- bodies ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/profiles/kafka", "/typed/kafka"])
def test_putting_what_was_got_changes_nothing(
    service: Service, current: PersistenceBackend, path: str
) -> None:
    """The token is in no response, and remains stored."""
    current.save_profile(PROFILE)
    got = service.request("GET", path)
    put = service.request("PUT", path, got.body)
    assert got.status == put.status == 200
    stored = current.get_profile("kafka")
    assert stored is not None
    assert stored["jira_config"]["token"] == CANARY
    assert {**stored, **PROFILE, "jira_config": stored["jira_config"]} == stored
    assert CANARY not in got.text + put.text + service.request("GET", "/profiles").text


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PersistenceBackend]:
    with open_backend(tmp_path_factory.mktemp("shared") / "burndown.db") as new:
        yield new


@pytest.fixture(scope="module")
def openapi(service: Service) -> Any:
    return service.request("GET", "/openapi.json").body


def schemas_of_put(openapi: Any) -> tuple[Any, Any]:
    """Return the schemas of the bodies of request and response."""
    put = openapi["paths"]["/profiles/{profile_id}"]["put"]
    request, response = (
        each["content"]["application/json"]["schema"]
        for each in (put["requestBody"], put["responses"]["200"])
    )
    return request, response


@given(profiles(id="kafka"))
def test_any_profile_survives_the_way_through_its_json(
    service: Service, openapi: Any, shared: PersistenceBackend, document: dict[str, Any]
) -> None:
    """Each value, the token and the revision are the same afterwards, and its schemas are true."""
    set_backend(shared)
    shared.save_profile(document)
    before = shared.get_profile("kafka")
    got = service.request("GET", "/profiles/kafka")
    put = service.request("PUT", "/profiles/kafka", got.text.encode())
    assert (got.status, put.status) == (200, 200)
    assert shared.get_profile("kafka") == before
    assert got.body["jira_config"]["token"] == {
        "is_set": bool(before and before["jira_config"].get("token"))
    }
    for schema in schemas_of_put(openapi):
        schema = {**schema, "components": openapi["components"]}
        Draft202012Validator(schema).validate(got.body)


def test_a_token_is_set_and_removed(service: Service, current: PersistenceBackend) -> None:
    def stored_token() -> Any:
        stored = current.get_profile("kafka")
        return stored and stored["jira_config"].get("token")

    assert service.request("PUT", "/profiles/kafka", PROFILE).body["revision"] == 1
    assert stored_token() == CANARY
    changes = {"jira_config": {"cache_size_mb": 50, "token": {"is_set": True}}}
    changed = service.request("PATCH", "/profiles/kafka", changes)
    assert changed.body["jira_config"]["cache_size_mb"] == 50
    assert stored_token() == CANARY
    removed = service.request("PATCH", "/profiles/kafka", {"jira_config": {"token": None}})
    assert removed.body["jira_config"]["token"] == {"is_set": False}
    assert not stored_token()


def test_a_query_is_a_body(service: Service, current: PersistenceBackend) -> None:
    current.save_profile(PROFILE)
    query = {"profile_id": "kafka", "id": "bugs", "jql": "type = Bug", "unknown": 1}
    path = "/profiles/kafka/queries/bugs"
    assert service.request("PUT", path, query).status == 200
    got = service.request("GET", path)
    assert service.request("PUT", path, got.body).status == 200
    stored = current.get_query("kafka", "bugs")
    assert stored is not None
    assert {**stored, **query} == stored
    assert stored["revision"] == 1


def test_the_example_runs() -> None:
    """Its requests use the backend, a session and a coroutine."""
    app = runpy.run_path(str(ROOT / "examples" / "fastapi_service.py"))["app"]
    query = {"profile_id": "kafka", "id": "bugs", "jql": "type = Bug"}
    with running(app) as example:
        assert example.request("PUT", "/profiles/kafka", PROFILE).status == 200
        assert example.request("POST", "/queries", query).status == 201
        assert example.request("POST", "/active/kafka/bugs").status == 200
        assert example.request("PATCH", "/profiles/kafka", {"name": "New"}).status == 200
        [shown] = example.request("GET", "/profiles").body
        assert shown == example.request("GET", "/profiles/kafka").body
        openapi_spec_validator.validate(example.request("GET", "/openapi.json").body)
    backend = get_backend()
    assert shown == {**public_document(backend.list_profiles()[0]), "name": "New"}
    assert backend.get_app_state("active_query_id") == "bugs"


# --- OpenAPI ---------------------------------------------------------------------------------


def test_the_openapi_document_describes_the_bodies(openapi: Any) -> None:
    """It is valid, and has the bounds and descriptions of the models."""
    openapi_spec_validator.validate(openapi)

    def resolved(schema: dict[str, Any]) -> dict[str, Any]:
        name = schema["$ref"].rpartition("/")[2]
        found: dict[str, Any] = openapi["components"]["schemas"][name]
        return found

    tokens = []
    for body in map(resolved, schemas_of_put(openapi)):
        assert body["title"] == "PublicProfile"
        assert body["description"] == Profile.__doc__
        assert body["additionalProperties"] is True
        assert "revision" in body["properties"]
        jira = body["properties"]["jira_config"]["properties"]
        assert (jira["cache_size_mb"]["minimum"], jira["cache_size_mb"]["maximum"]) == (10, 1000)
        assert jira["cache_size_mb"]["description"].startswith("Size of the issue cache")
        tokens.append(jira["token"])
    given, shown = tokens
    assert [each["type"] for each in given["anyOf"]] == ["string", "null", "object"]
    assert shown["properties"]["is_set"]["type"] == "boolean"


def test_one_application_has_models_and_public_profiles_as_bodies() -> None:
    """Each has a schema of its own, within other models, too."""

    class Both(BaseModel):
        typed: Profile
        public: PublicProfile
        others: list[PublicProfile] = []

    app = FastAPI()

    @app.put("/both")
    def put_both(both: Both) -> Both:
        return both

    @app.put("/jira")
    def put_jira(jira: JiraConfig) -> JiraConfig:
        return jira

    @app.put("/typed")
    def put_typed(profile: Profile) -> Profile:
        return profile

    @app.put("/public")
    def put_public(profile: PublicProfile) -> PublicProfile:
        return profile

    with running(app) as service:
        made = service.request("GET", "/openapi.json").body
        body = {"typed": PROFILE, "public": PROFILE, "others": [PROFILE]}
        shown = service.request("PUT", "/both", body).text
    openapi_spec_validator.validate(made)
    schemas = made["components"]["schemas"]
    assert {"Profile-Input", "Profile-Output", "PublicProfile-Input", "PublicProfile-Output"} <= {
        *schemas
    }
    for of_profiles in (schemas["Profile-Output"], schemas["PublicProfile-Output"]):
        assert Profile.UNKNOWN_KEYS not in of_profiles["properties"]
        assert of_profiles["additionalProperties"] is True
    for typed in (made["paths"]["/jira"]["put"]["responses"]["200"], schemas["Profile-Output"]):
        assert "is_set" not in str(typed)
    assert CANARY not in shown
