"""No secret leaves the store by another door, with or without a key."""

import copy
import json
import logging
import os
import pickle
import stat
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr
from sqlmodel import select

from burndown import JiraConfig, PersistenceBackend, Profile, SQLiteBackend, StorageError
from burndown.database import open_database
from burndown.errors import ValidationError
from burndown.import_export import export_profile
from burndown.models import ENTITIES
from burndown.models.codec import codec_of
from burndown.persistence import open_backend
from burndown.persistence.sql_backend import SQLBackend
from burndown.quoting import is_secret
from burndown.salvage import salvage
from tests.support.secret_keys import CANARY, KEY, VARIABLE, files_with

MISPLACED = ["api_version", "cache_size_mb", "base_url", "configured", "last_test_timestamp"]


@pytest.fixture(params=["burndown.db", "json:files"])
def store(request: pytest.FixtureRequest) -> Iterator[PersistenceBackend]:
    """Open an empty store."""
    with open_backend(request.param) as opened:
        yield opened


@pytest.mark.parametrize("location", ["sqlite", "postgresql"])
def test_no_row_is_logged(
    location: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """SQLAlchemy logs the rows of a session at DEBUG."""
    is_sqlite = location == "sqlite"
    url = tmp_path / "burndown.db" if is_sqlite else request.getfixturevalue("postgres_url")
    caplog.set_level(logging.DEBUG)
    with SQLBackend(open_database(url)) as backend:
        backend.save_profile({"id": "p", "jira_config": {"token": CANARY}})
        with backend.database.session() as session:
            found = session.exec(select(Profile)).one()
            assert found.jira_config.token.get_secret_value() == CANARY
            found.jira_config.token = SecretStr("new " + CANARY)
        backend.get_profile("p")
    assert "SELECT profiles.id" in caplog.text
    assert CANARY not in caplog.text


@pytest.mark.parametrize("field", MISPLACED)
def test_a_token_in_another_field_is_not_quoted(backend: SQLiteBackend, field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        backend.save_profile({"id": "p", "jira_config": {field: CANARY}})
    assert f"got a string of {len(CANARY)} characters" in str(caught.value)
    with pytest.raises(ValueError, match=field) as of_model:
        JiraConfig.model_validate({field: CANARY})
    assert CANARY not in str(of_model.value) + repr(of_model.value)


def test_short_values_of_these_fields_are_quoted(backend: SQLiteBackend) -> None:
    with pytest.raises(ValidationError, match="got 'v9'"):
        backend.save_profile({"id": "p", "jira_config": {"api_version": "v9"}})


@pytest.mark.parametrize(
    "key",
    [
        *("pwd", "credentials", "private_key", "accessKey", "cookie", "x-auth", "auth", "pat"),
        *("jira_pat", "bearer", "passphrase", "Set-Cookie"),
    ],
)
def test_a_key_is_called_a_secret(key: str) -> None:
    assert is_secret(key)


def test_no_field_but_the_token_is_called_a_secret() -> None:
    """Nor what sounds like one."""
    fields = {name for entity in ENTITIES for name in entity.model_fields}
    fields |= JiraConfig.model_fields.keys() - {"token"}
    fields |= {"author", "authors", "path", "pattern", "patch", "compatible"}
    assert [each for each in fields if is_secret(each)] == []


@pytest.mark.parametrize("change", ["replace", "remove", "delete", "in a transaction", "by entity"])
def test_a_replaced_token_is_in_no_log(backend: SQLiteBackend, tmp_path: Path, change: str) -> None:
    """The log of SQLite would hold it until it is used again."""
    backend.save_profile({"id": "p", "jira_config": {"token": CANARY}})
    assert files_with(tmp_path) != []
    if change == "delete":
        backend.delete_profile("p")
    elif change == "by entity":
        with backend.database.session() as session:
            session.exec(select(Profile)).one().jira_config = JiraConfig()
    elif change == "in a transaction":
        with backend.transaction():
            backend.save_profile({"id": "p", "jira_config": {"token": "new"}})
            backend.save_profile({"id": "other"})
    else:
        token = "new" if change == "replace" else ""
        backend.save_profile({"id": "p", "jira_config": {"token": token}})
    assert files_with(tmp_path) == []


@pytest.mark.skipif(os.name != "posix", reason="this system has other permissions")
@pytest.mark.parametrize(
    ("mode", "expected"), [(0o644, 0o600), (0o666, 0o600), (0o660, 0o660), (0o600, 0o600)]
)
def test_a_file_that_all_users_can_read_is_made_private(
    backend: SQLiteBackend, mode: int, expected: int
) -> None:
    backend.list_profiles()
    path = backend.database.path
    assert path is not None
    backend.close()
    path.chmod(mode)
    backend.save_profile({"id": "p", "jira_config": {"token": CANARY}})
    for each in path.parent.glob("burndown.db*"):
        assert stat.S_IMODE(each.stat().st_mode) == expected


def test_a_file_that_cannot_be_made_private_is_refused(
    backend: SQLiteBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.list_profiles()
    path: Any = backend.database.path
    backend.close()
    path.chmod(0o644)

    def refuse(self: Path, mode: int) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "chmod", refuse)
    with pytest.raises(StorageError, match="can be read by every user"):
        backend.save_profile({"id": "p", "jira_config": {"token": CANARY}})
    assert files_with(path.parent) == []


def test_a_sealed_token_is_in_no_byte(
    backend: PersistenceBackend,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Of database, log, backup, export, salvaged database and logs of this process."""
    monkeypatch.setenv(VARIABLE, KEY)
    caplog.set_level(logging.DEBUG)
    for number in range(5):
        backend.save_profile({"id": "p", "jira_config": {"token": f"{CANARY}{number}"}})
        backend.save_query("p", {"id": f"q{number}", "pwd": CANARY})
        backend.backup(tmp_path / f"{number}.db")
        assert files_with(tmp_path) == []
    for name, passphrase in (("without", None), ("sealed", "a passphrase")):
        export_profile("p", tmp_path / name, passphrase=passphrase, backend=backend)
    with SQLiteBackend(tmp_path / "salvaged.db") as salvaged:
        salvage(str(backend.describe()["location"]), salvaged)
    assert files_with(tmp_path) == []
    assert CANARY not in caplog.text


def test_a_document_prints_no_token(store: PersistenceBackend) -> None:
    """Neither alone nor as a local variable in a traceback; its characters are the same."""
    store.save_profile({"id": "p", "jira_config": {"token": CANARY}})
    [listed], found = store.list_profiles(), store.get_profile("p")
    for document in (listed, found, copy.deepcopy(found), {**(found or {})}):
        assert CANARY not in repr(document)
        token = document["jira_config"]["token"]  # type: ignore[index]
        assert (token, f"Bearer {token}", json.dumps(token)) == (
            CANARY,
            f"Bearer {CANARY}",
            f'"{CANARY}"',
        )
    try:
        store.save_profile({**(found or {}), "description": 3})
    except ValidationError as error:
        trace = traceback.TracebackException.from_exception(error, capture_locals=True)
        assert CANARY not in "".join(trace.format())
    else:
        pytest.fail("the description is not valid")


def test_a_pickle_holds_no_secret_if_there_is_a_key(
    store: PersistenceBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reads it needs the same key."""
    monkeypatch.setenv(VARIABLE, KEY)
    section = {"token": CANARY, "headers": [{"cookie": [CANARY]}]}
    store.save_profile({"id": "p", "jira_config": section, "pwd": {"k": CANARY}})
    document = store.get_profile("p")
    entity = codec_of(Profile).entity(document or {})
    pickles = [pickle.dumps(each) for each in (document, entity)]
    assert all(CANARY.encode() not in each for each in pickles)
    found, restored = map(pickle.loads, pickles)
    assert found == document
    assert restored.to_document() == entity.to_document()
    assert restored.jira_config.token == entity.jira_config.token
    monkeypatch.delenv(VARIABLE)
    for each in pickles:
        with pytest.raises(StorageError, match="set the secret key"):
            pickle.loads(each)


def test_the_log_of_a_server_holds_no_sealed_token(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if it logs the parameters of all statements."""
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as admin:
        name = admin.info.dbname
        admin.execute(f"ALTER DATABASE {name} SET log_statement = 'all'".encode())
        admin.execute(f"ALTER DATABASE {name} SET log_parameter_max_length = -1".encode())
        [folder] = admin.execute("SHOW data_directory").fetchone() or [""]
    log = Path(folder) / "log"
    if not log.is_file():
        pytest.skip("the log of this server is elsewhere")
    monkeypatch.setenv(VARIABLE, KEY)
    with open_backend(postgres_url) as opened:
        opened.save_profile({"id": "p", "description": "logged", "jira_config": {"token": CANARY}})
        opened.save_query("p", {"id": "q", "pwd": CANARY})
    logged = log.read_text("utf-8", "replace")
    assert "logged" in logged
    assert CANARY not in logged
