"""No secret leaves the store by another door, with or without a key."""

import logging
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlmodel import select

from burndown import JiraConfig, PersistenceBackend, Profile, SQLiteBackend, StorageError
from burndown.database import open_database
from burndown.errors import ValidationError
from burndown.models import ENTITIES
from burndown.persistence.sql_backend import SQLBackend
from burndown.quoting import is_secret
from tests.support.secret_keys import CANARY, KEY, VARIABLE, files_with

MISPLACED = ["api_version", "cache_size_mb", "base_url", "configured", "last_test_timestamp"]


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
    """Of database, log, backup and logs of this process."""
    monkeypatch.setenv(VARIABLE, KEY)
    caplog.set_level(logging.DEBUG)
    for number in range(5):
        backend.save_profile({"id": "p", "jira_config": {"token": f"{CANARY}{number}"}})
        backend.save_query("p", {"id": f"q{number}", "pwd": CANARY})
        backend.backup(tmp_path / f"{number}.db")
        assert files_with(tmp_path) == []
    assert CANARY not in caplog.text
