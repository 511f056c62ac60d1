"""With a key, no traceback with local variables shows a token that was given as a secret."""

import io
import sqlite3
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from pydantic import SecretStr
from rich.console import Console
from rich.traceback import Traceback

from burndown import PersistenceBackend, PersistenceError, Profile, SQLiteBackend
from burndown.persistence import open_backend
from burndown.repositories import ProfileRepository
from tests.support.full_disk import files_no_larger_than
from tests.support.secret_keys import CANARY, KEY, VARIABLE

TOKEN = CANARY * 10
"""Long, since tracebacks shorten strings before they print them."""
Change = dict[str, Any]
INVALID: dict[str, Change] = {
    "another revision": {"revision": 9},
    "the name of another profile": {"name": "Other"},
    "an invalid value": {"description": 3},
}


@pytest.fixture(params=["burndown.db", "json:files"])
def store(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PersistenceBackend]:
    """Open a store with two profiles, which has a key."""
    monkeypatch.setenv(VARIABLE, KEY)
    with open_backend(request.param) as opened:
        opened.save_profile({"id": "p", "jira_config": {"token": TOKEN}})
        opened.save_profile({"id": "other", "name": "Other"})
        yield opened


@pytest.fixture(params=["as SecretStr", "as read"])
def token(request: pytest.FixtureRequest, store: PersistenceBackend) -> Any:
    """Return the token as a caller may give it."""
    if request.param == "as SecretStr":
        return SecretStr(TOKEN)
    return (store.get_profile("p") or {})["jira_config"]["token"]  # type: ignore[index]


def traceback_of(call: Callable[[], object]) -> str:
    """Return how the standard library and rich print an error, with the variables of all frames."""
    with pytest.raises(PersistenceError) as caught:
        call()
    error, output = caught.value, io.StringIO()
    printed = Traceback.from_exception(
        type(error), error, error.__traceback__, show_locals=True, extra_lines=0
    )
    Console(file=output, width=200).print(printed)
    plain = traceback.TracebackException.from_exception(error, capture_locals=True).format()
    return output.getvalue() + "".join(plain)


@pytest.mark.parametrize("change", INVALID.values(), ids=INVALID)
@pytest.mark.parametrize("name", ["save_profile", "patch_profile"])
def test_a_refused_token_is_not_shown(
    store: PersistenceBackend, token: Any, change: Change, name: str
) -> None:
    document = {"name": "P", "jira_config": {"token": token}, **change}
    if name == "save_profile":
        shown = traceback_of(lambda: store.save_profile({"id": "p", **document}))
    else:
        shown = traceback_of(lambda: store.patch_profile("p", document))
    assert "document" in shown
    assert CANARY not in shown


def test_a_refused_record_is_not_shown(store: PersistenceBackend, token: Any) -> None:
    records = [{"id": "p", "name": "Other", "jira_config": {"token": token}}]
    assert CANARY not in traceback_of(lambda: store.save_records(Profile, records))


def test_a_token_that_cannot_be_written_is_not_shown(store: PersistenceBackend, token: Any) -> None:
    """The disk is full."""

    def save() -> None:
        with files_no_larger_than(0):
            store.save_profile({"id": "new", "jira_config": {"token": token}})

    assert CANARY not in traceback_of(save)


@pytest.mark.parametrize("store", ["burndown.db"], indirect=True)
def test_a_token_that_waits_for_a_lock_is_not_shown(
    token: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BURNDOWN_BUSY_TIMEOUT", "0")
    with (
        SQLiteBackend("burndown.db") as impatient,
        closing(sqlite3.connect("burndown.db", isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        shown = traceback_of(
            lambda: impatient.save_profile({"id": "p", "jira_config": {"token": token}})
        )
    assert CANARY not in shown


@pytest.mark.parametrize("store", ["burndown.db"], indirect=True)
@pytest.mark.parametrize("is_saved_by_session", [False, True])
def test_the_token_of_an_entity_is_not_shown(
    store: SQLiteBackend, token: Any, is_saved_by_session: bool
) -> None:
    def save() -> None:
        with store.database.session() as session:
            profile = Profile(id="new", name="Other", jira_config={"token": token})
            if is_saved_by_session:
                session.add(profile)
            else:
                ProfileRepository(session).save(profile)

    assert CANARY not in traceback_of(save)


def test_a_token_that_cannot_be_sealed_is_not_shown(
    store: PersistenceBackend, token: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "no key")
    document = {"id": "p", "jira_config": {"token": token}}
    assert CANARY not in traceback_of(lambda: store.save_profile(document))
