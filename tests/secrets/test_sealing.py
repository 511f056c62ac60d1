"""With a key, secrets are in no file; without it, all else is there, and nothing is lost."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from burndown import (
    JiraConfig,
    PersistenceBackend,
    Profile,
    StorageError,
    ValidationError,
    get_backend,
    public_document,
)
from burndown.copying import copy_store
from burndown.import_export import export_profile, export_workspace, run_import
from burndown.migration import run_migration_if_needed
from burndown.models import OPEN_ENTITIES
from burndown.models.sealing import secrets_as_stored
from burndown.persistence import open_backend
from burndown.persistence.sql_backend import SQLBackend
from burndown.repositories import ProfileRepository
from burndown.sealing import Resealing, change_secrets, secrets_status
from burndown.testing.contract.drawn import profiles
from tests.support.secret_keys import CANARY, KEY, OTHER_KEY, VARIABLE, files_with

URL = "https://jira.example.com"
PROFILE: dict[str, Any] = {
    "id": "p",
    "jira_config": {"base_url": URL, "token": CANARY, "points_field": "f"},
    "pwd": {"nested": [CANARY]},
    "servers": [{"name": "a", "private_key": CANARY}, {"name": "b", "cookie": CANARY}],
}
QUERY = {"id": "q", "credentials": CANARY}
BUDGET = {"budget_total": 3.0, "auth": CANARY}
PATHS = ["jira_config.token", "pwd", "servers.private_key", "servers.cookie"]

SetKeys = Callable[[str], None]


@pytest.fixture
def set_keys(monkeypatch: pytest.MonkeyPatch) -> SetKeys:
    """Return a function that sets the keys in use."""
    return lambda keys: monkeypatch.setenv(VARIABLE, keys)


@pytest.fixture(params=["sqlite", "json", "postgresql"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the location of an empty store."""
    if request.param == "postgresql":
        url: str = request.getfixturevalue("postgres_url")
        return url
    return {"sqlite": str(tmp_path / "s/burndown.db"), "json": f"json:{tmp_path / 's'}"}[
        request.param
    ]


@pytest.fixture
def store(location: str) -> Iterator[PersistenceBackend]:
    """Open the store."""
    with open_backend(location) as opened:
        yield opened


def fill(store: PersistenceBackend) -> None:
    store.save_profile(PROFILE)
    store.save_query("p", QUERY)
    store.save_budget("p", "q", BUDGET)


def everything(store: PersistenceBackend) -> str:
    return json.dumps([list(store.records(entity)) for entity in OPEN_ENTITIES])


def as_stored(store: PersistenceBackend) -> str:
    with secrets_as_stored():
        return everything(store)


def states(store: PersistenceBackend) -> set[str]:
    return {each["state"] for each in secrets_status(store)["secrets"]}


def test_a_saved_secret_is_stored_sealed(
    store: PersistenceBackend, set_keys: SetKeys, tmp_path: Path
) -> None:
    set_keys(KEY)
    fill(store)
    found: Any = store.get_profile("p")
    assert found["jira_config"] == PROFILE["jira_config"]
    assert (found["pwd"], found["servers"]) == (PROFILE["pwd"], PROFILE["servers"])
    assert store.list_profiles() == [found]
    [query] = store.list_queries("p")
    assert query.items() >= QUERY.items()
    budget: Any = store.get_budget("p", "q")
    assert budget["auth"] == CANARY
    assert files_with(tmp_path) == []
    assert CANARY not in as_stored(store)
    assert states(store) == {"sealed"}


def test_saving_what_was_read_changes_nothing(store: PersistenceBackend, set_keys: SetKeys) -> None:
    set_keys(KEY)
    fill(store)
    before = as_stored(store)
    profile: Any = store.get_profile("p")
    query: Any = store.get_query("p", "q")
    for document in (profile, public_document(profile)):
        store.save_profile(document)
    store.save_query("p", query)
    for entity in OPEN_ENTITIES:
        store.save_records(entity, list(store.records(entity)))
    assert as_stored(store) == before


@given(document=profiles(), token=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_profile_comes_back(
    tmp_path_factory: pytest.TempPathFactory, document: dict[str, Any], token: str
) -> None:
    """As without a key, whatever its token and its unknown keys are."""
    if not token.strip("*"):
        return
    document = {**document, "jira_config": {**document.get("jira_config", {}), "token": token}}
    folder = tmp_path_factory.mktemp("store")
    with open_backend(folder / "plain.db") as plain, open_backend(folder / "sealed.db") as sealed:
        is_stored = True
        try:
            plain.save_profile(document)
        except ValidationError:
            is_stored = False
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(VARIABLE, KEY)
            if is_stored:
                sealed.save_profile(document)
                times = {"created_at": "", "last_used": ""}
                [found], [expected] = sealed.list_profiles(), plain.list_profiles()
                assert json.dumps({**found, **times}) == json.dumps({**expected, **times})
            else:
                with pytest.raises(ValidationError):
                    sealed.save_profile(document)


def test_a_lost_key_loses_nothing(store: PersistenceBackend, set_keys: SetKeys) -> None:
    """Whatever is saved without it."""
    set_keys(KEY)
    fill(store)
    before = as_stored(store)
    for keys in (OTHER_KEY, "no key", ""):
        set_keys(keys)
        profile: Any = store.get_profile("p")
        query: Any = store.get_query("p", "q")
        assert "token" not in profile["jira_config"]
        assert profile["jira_config"]["sealed_token"] == {"is_set": True}
        assert profile["pwd"] == query["credentials"] == {"is_set": True}
        assert states(store) == {"locked"}
        for document in (profile, public_document(profile)):
            store.save_profile(document)
        store.save_query("p", query)
        store.patch_profile("p", {"pwd": {"is_set": True}})
        for entity in OPEN_ENTITIES:
            store.save_records(entity, list(store.records(entity)))
    assert as_stored(store) == before


def test_a_new_token_replaces_a_locked_one(store: PersistenceBackend, set_keys: SetKeys) -> None:
    set_keys(KEY)
    fill(store)
    set_keys(OTHER_KEY)
    profile: Any = store.get_profile("p")
    profile["jira_config"]["token"] = "new"
    store.save_profile(profile)
    found: Any = store.get_profile("p")
    assert found["jira_config"] == {"base_url": URL, "token": "new", "points_field": "f"}
    store.patch_profile("p", {"jira_config": {"token": None}})
    found = store.get_profile("p")
    assert found["jira_config"]["token"] == ""


@pytest.mark.parametrize("is_known", [True, False])
def test_an_envelope_opens_only_where_it_was_sealed(
    store: PersistenceBackend, set_keys: SetKeys, is_known: bool
) -> None:
    set_keys(KEY)
    fill(store)
    with secrets_as_stored():
        [record] = store.records(Profile)
        store.save_records(Profile, [{**record, "id": "other", "name": "other"}])
    other: Any = store.get_profile("other")
    assert CANARY not in repr(other)
    assert "token" not in other["jira_config"]


def test_a_copied_profile_is_sealed_for_itself(
    store: PersistenceBackend, set_keys: SetKeys
) -> None:
    set_keys(KEY)
    fill(store)
    profile: Any = store.get_profile("p")
    del profile["revision"]
    store.save_profile({**profile, "id": "other", "name": "other"})
    other: Any = store.get_profile("other")
    assert other["jira_config"]["token"] == CANARY
    with secrets_as_stored():
        tokens = {each["jira_config"]["token"] for each in store.records(Profile)}
    assert len(tokens) == 2


def test_a_token_that_looks_like_an_envelope_is_a_token(
    store: PersistenceBackend, set_keys: SetKeys
) -> None:
    """Without a key, it is refused."""
    token = "burndown:sealed:1:00:AAAA"
    for document in ({"jira_config": {"token": token}}, {"jira_config": JiraConfig(token=token)}):
        with pytest.raises(
            ValidationError, match=r"jira_config\.token: input should be the secret"
        ):
            store.save_profile({"id": "p", **document})
    set_keys(KEY)
    store.save_profile({"id": "p", "jira_config": {"token": token}})
    found: Any = store.get_profile("p")
    assert found["jira_config"]["token"] == token
    [unchanged] = change_secrets(Resealing.UNSEAL, store)["locked"]
    assert unchanged["path"] == "jira_config.token"
    assert store.get_profile("p") == found


def test_sealing_rotating_and_unsealing(
    store: PersistenceBackend, set_keys: SetKeys, tmp_path: Path
) -> None:
    """None of them changes a document, and what they replace is in no file."""
    fill(store)
    before = everything(store)
    assert states(store) == {"in plain text"}
    set_keys(KEY)
    assert change_secrets(Resealing.SEAL, store) == {"changed": 3, "locked": []}
    assert files_with(tmp_path) == []
    sealed = as_stored(store)
    set_keys(f"{OTHER_KEY},{KEY}")
    assert change_secrets(Resealing.SEAL, store)["changed"] == 0
    assert change_secrets(Resealing.ROTATE, store) == {"changed": 3, "locked": []}
    set_keys(OTHER_KEY)
    assert everything(store) == before
    assert CANARY not in as_stored(store) != sealed
    assert change_secrets(Resealing.UNSEAL, store) == {"changed": 3, "locked": []}
    set_keys("")
    assert everything(store) == before == as_stored(store)


def test_what_no_key_opens_is_reported_and_unchanged(
    store: PersistenceBackend, set_keys: SetKeys
) -> None:
    set_keys(KEY)
    store.save_profile(PROFILE)
    before = as_stored(store)
    set_keys(OTHER_KEY)
    for change in (Resealing.ROTATE, Resealing.UNSEAL):
        found = change_secrets(change, store)
        assert found["changed"] == 0
        assert [each["path"] for each in found["locked"]] == PATHS
        assert as_stored(store) == before


def test_a_copy_of_a_store_needs_no_key(
    store: PersistenceBackend, set_keys: SetKeys, tmp_path: Path
) -> None:
    set_keys(KEY)
    fill(store)
    set_keys("")
    for place in (tmp_path / "copy.db", f"json:{tmp_path / 'copy'}"):
        with open_backend(place) as copy:
            copy_store(store, copy)
            assert as_stored(copy) == as_stored(store)


def test_a_workspace_of_the_old_dashboard_has_the_token_only_if_asked(
    store: PersistenceBackend, set_keys: SetKeys, tmp_path: Path
) -> None:
    """Migrating it seals it again."""
    set_keys(KEY)
    fill(store)
    export_workspace(tmp_path / "without", backend=store)
    assert files_with(tmp_path) == []
    export_workspace(tmp_path / "with", include_secrets=True, backend=store)
    assert "profile.json" in files_with(tmp_path / "with")
    run_migration_if_needed(tmp_path / "with/profiles")
    found: Any = get_backend().get_profile("p")
    assert found["jira_config"] == PROFILE["jira_config"]
    assert states(get_backend()) == {"sealed"}


def test_entities_of_sessions_are_sealed(
    store: PersistenceBackend, set_keys: SetKeys, tmp_path: Path
) -> None:
    """Also those that were loaded without their key, and edited in place."""
    if not isinstance(store, SQLBackend):
        pytest.skip("JSON files have no sessions")
    set_keys(KEY)
    with store.database.session() as session:
        session.add(Profile(id="p", jira_config=JiraConfig(token=CANARY), extra={"pwd": CANARY}))
    assert files_with(tmp_path) == []
    for keys, token in ((KEY, CANARY), (OTHER_KEY, ""), (KEY, CANARY)):
        set_keys(keys)
        with store.database.session() as session:
            loaded = session.exec(select(Profile)).one()
            assert loaded.jira_config.token.get_secret_value() == token
            loaded.jira_config.cache_size_mb += 1
            session.flush()
            assert loaded.jira_config.token.get_secret_value() == token
        with store.database.session() as session:
            found: Any = ProfileRepository(session).get("p")
            assert found.jira_config.token.get_secret_value() == token
            found.description += "."
            ProfileRepository(session).save(found)
    profile: Any = store.get_profile("p")
    assert profile["revision"] == 7
    assert profile["jira_config"]["cache_size_mb"] == 103
    assert (profile["jira_config"]["token"], profile["pwd"]) == (CANARY, CANARY)
    assert files_with(tmp_path) == []


def test_a_downgrade_is_refused_while_secrets_are_sealed(
    store: PersistenceBackend, set_keys: SetKeys
) -> None:
    """An earlier release would send the envelope to Jira."""
    if not isinstance(store, SQLBackend):
        pytest.skip("JSON files have no schema version")
    set_keys(KEY)
    fill(store)
    with pytest.raises(StorageError, match="`burndown secrets unseal` first"):
        store.database.change_version("1.6")
    change_secrets(Resealing.UNSEAL, store)
    set_keys("")
    before = everything(store)
    store.database.change_version("1.6")
    assert everything(store) == before


def test_an_import_names_a_locked_token_that_it_replaces(
    store: PersistenceBackend, set_keys: SetKeys, tmp_path: Path
) -> None:
    """An export without secrets has none for it."""
    set_keys(KEY)
    store.save_profile(PROFILE)
    export = export_profile("p", tmp_path / "export", backend=store)
    set_keys(OTHER_KEY)
    report = run_import(export, replace=True, backend=store)
    assert "profile.json: jira_config.token" in report.missing_secrets
