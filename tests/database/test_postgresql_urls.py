"""URLs of PostgreSQL databases: parameters, settings, and secrets that are never printed."""

import logging
import traceback
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from burndown import StorageError, StoreLocationError, get_backend, set_backend
from burndown.cli import run
from burndown.database import PostgreSQLDatabase, open_database
from burndown.persistence import open_backend
from burndown.settings import get_settings

PARTS = ("c4n4ry", "p4ssw0rd", "s3cr3t")
"""The parts of a password, none of which may be printed."""

separators = st.text("@:/?#[]%&=+ \\'\"*.;|{}^~`é日\U0001f511-", min_size=1, max_size=4)
passwords = st.builds(
    lambda one, other, end: f"{PARTS[0]}{one}{PARTS[1]}{other}{PARTS[2]}{end}",
    separators,
    separators,
    st.sampled_from(["", "x" * 5000]),
)
NOBODY_LISTENS = "127.0.0.1:1/db"


def all_that_is_printed(url: str) -> str:
    """Return all that is printed about a store that cannot be reached, or whose URL is refused."""
    seen = []
    try:
        backend = open_backend(url)
        seen += [repr(backend), repr(backend.database), repr(backend.database._engine)]  # type: ignore[attr-defined]
        seen += [backend.database.location, repr(backend.database.url), str(backend.database.url)]  # type: ignore[attr-defined]
        backend.list_profiles()
    except StorageError as error:
        link: BaseException | None = error
        while link is not None:
            seen += [repr(link), *traceback.format_exception(link)]
            link = link.__cause__ or link.__context__
    else:
        raise AssertionError("somebody listens")
    return "\n".join(line for line in seen if "_that_is_shown" not in line)


def parameters_of(url: str) -> dict[str, Any]:
    database = open_database(url)
    assert isinstance(database, PostgreSQLDatabase)
    return database._address.parameters


@given(password=passwords)
def test_an_escaped_password_is_used_and_not_printed(password: str) -> None:
    """Wherever it is in the URL, whatever characters it has, and however long it is."""
    for escaped in (quote(password, safe=""), quote_plus(password)):
        for url in (
            f"postgresql://user:{quote(password, safe='')}@{NOBODY_LISTENS}",
            f"postgresql://user@{NOBODY_LISTENS}?password={escaped}",
            f"postgresql://{NOBODY_LISTENS}?sslpassword={escaped}&user=user&password={escaped}",
        ):
            assert parameters_of(url)["password"] == password
            shown = all_that_is_printed(url)
            assert "127.0.0.1" in shown
            assert not [part for part in PARTS if part in shown]


@given(password=passwords)
@example(password="p4ssw0rd@s3cr3t")
@example(password="p4ssw0rd@s3cr3t/c4n4ry")
@example(password="p4ssw0rd@s3cr3t?c4n4ry=1")
@example(password="p4ssw0rd&s3cr3t=c4n4ry")
@example(password="p4ssw0rd@s3cr3t:5432/c4n4ry")
def test_no_part_of_an_unescaped_password_is_printed(password: str) -> None:
    """It is refused if the URL is ambiguous, and the error names the solution."""
    for url in (
        f"postgresql://user:{password}@{NOBODY_LISTENS}",
        f"postgresql://user@{NOBODY_LISTENS}?password={password}",
        f"postgresql://user:{password}@{NOBODY_LISTENS}?application_name=x",
        f"postgresql://{NOBODY_LISTENS}?sslmode=prefer&password={password}&user=user",
        f"mysql://user:{password}@{NOBODY_LISTENS}",
    ):
        shown = all_that_is_printed(url)
        assert not [part for part in PARTS if part in shown]
        if "@" in password:
            assert "write @ as %40" in shown


def test_settings_are_printed_without_the_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BURNDOWN_DATABASE_URL", f"postgresql://user:{PARTS[0]}@host/db")
    assert PARTS[0] in str(get_settings().database)
    assert PARTS[0] not in f"{get_settings()} {get_settings()!r}"


@pytest.mark.parametrize(
    "parameters",
    [
        "passfile=/c4n4ry",
        "sslpassword=c4n4ry",
        "sslkey=/c4n4ry",
        "options=-cmy.password%3Dc4n4ry",
        "options=-c%20my.key%3Dc4n4ry%20-csearch_path%3Dteam",
        "options=c4n4ry",
        "options=-c%20c4n4ry",
        "c4n4ry=1",
        "user=x&user=c4n4ry",
        "password=1&password=c4n4ry",
        "port=c4n4ry",
        "host=a:1&host=c4n4ry:c4n4ry",
        "password=%00c4n4ry",
        "password=%ED%A0%80c4n4ry",
    ],
)
def test_parameters_that_may_be_secret_are_not_printed(parameters: str) -> None:
    shown = all_that_is_printed(f"postgresql://{NOBODY_LISTENS}?{parameters}")
    assert "c4n4ry" not in shown


def test_a_password_that_is_not_utf_8_is_refused() -> None:
    """An environment variable can have it; the driver would raise an error of its own."""
    shown = all_that_is_printed(f"postgresql://user:{PARTS[0]}\udcff@{NOBODY_LISTENS}")
    assert "or is not UTF-8" in shown
    assert PARTS[0] not in shown


def test_a_password_in_the_parameters_works_and_no_command_prints_it(
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The commands run on a server, with all logs at DEBUG."""
    caplog.set_level(logging.DEBUG)
    with_password = f"{postgres_url}&password={PARTS[0]}".replace("postgres:@", "postgres@")
    monkeypatch.setenv("BURNDOWN_DATABASE_URL", with_password)
    with open_backend(with_password) as backend:
        backend.save_profile({"id": "p"})
        assert PARTS[0] not in f"{backend.describe()} {backend!r}"
    for command in (["show"], ["show", "--json"], ["check"], ["upgrade"], ["export", "p", "out"]):
        assert run([*command, "--debug"]) == 0
    printed = capsys.readouterr()
    assert PARTS[0] not in printed.out + printed.err + caplog.text


def test_a_location_distinguishes_databases() -> None:
    """Databases with a different host, port, name or search path have different locations."""
    locations = {
        open_database(f"postgresql://{url}").location
        for url in (
            "/",
            "host/",
            "host:5433/",
            "host/db",
            "user@host/db",
            "/db?host=/folder",
            "/db?host=/folder&port=5433",
            "host/db?options=-csearch_path%3Da",
            "host/db?options=-csearch_path%3Db",
            "/?service=one",
            "/?service=two",
        )
    }
    assert len(locations) == 11


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("u:p@host:5433/db", {"user": "u", "password": "p", "host": "host", "port": 5433}),
        ("u:p/w#[%25]@host/db", {"password": "p/w#[%]"}),
        ("/db?host=/folder&port=5433", {"host": "/folder", "port": "5433", "dbname": "db"}),
        ("/db?host=a:1&host=b:2", {"host": "a,b", "port": "1,2"}),
        ("/db?host=a,b&port=1,2", {"host": "a,b", "port": "1,2"}),
        ("[::1]:5433/db", {"host": "::1", "port": 5433}),
        ("host/db?application_name=x&connect_timeout=3", {"application_name": "x"}),
        ("host/db?sslmode=require&target_session_attrs=any", {"sslmode": "require"}),
    ],
)
def test_parameters_reach_the_driver(url: str, expected: dict[str, Any]) -> None:
    """They have the meaning that SQLAlchemy and libpq document."""
    given = parameters_of(f"postgresql+psycopg://{url}")
    assert given.items() >= expected.items()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_scheme_for_postgresql_opens_the_same_database(
    scheme: str, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the environment, as an argument, and on the command line."""
    url = f"{scheme}://{postgres_url.partition('://')[2]}"
    with open_backend(url) as backend:
        backend.set_app_state("scheme", scheme)
        location = backend.describe()["location"]
    assert location.startswith("postgresql+psycopg://")
    monkeypatch.setenv("BURNDOWN_DATABASE_URL", url)
    assert get_backend().get_app_state("scheme") == scheme
    assert get_backend().describe()["location"] == location
    set_backend(None)
    monkeypatch.delenv("BURNDOWN_DATABASE_URL")
    assert run(["check", "--database", url]) == 0


@pytest.mark.parametrize("url", ["postgres://u:p@w@host/db", "postgres://host/db?x=1&password=a@b"])
def test_the_short_scheme_is_as_strict(url: str) -> None:
    with pytest.raises(StoreLocationError, match="in several ways"):
        open_database(url)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", {}),
        ("-csearch_path=a", {"search_path": "a"}),
        ("-c search_path=a", {"search_path": "a"}),
        ("--search-path=a", {"search_path": "a"}),
        (
            r"-c search_path=a,\ b -cDateStyle=German",
            {"search_path": "a, b", "datestyle": "German"},
        ),
        (r"-capplication_name=a\\b", {"application_name": r"a\b"}),
        ("-cwork_mem=1MB\t\n-cwork_mem=2MB", {"work_mem": "2MB"}),
        ("-cmy.own=x=y", {"my.own": "x=y"}),
    ],
)
def test_options_are_parsed_as_settings(options: str, expected: dict[str, str]) -> None:
    database = open_database(f"postgresql://host/db?options={quote(options)}")
    assert isinstance(database, PostgreSQLDatabase)
    assert database._address.settings == expected
    assert "options" not in database._address.parameters


@pytest.mark.parametrize(
    "options", ["-B 5", "-c", "search_path=a", "-c a b=c", "endpoint=x", "-d2"]
)
def test_options_other_than_settings_are_refused(options: str) -> None:
    """Nothing in the URL is ignored silently."""
    with pytest.raises(StoreLocationError, match="-csearch_path=NAME"):
        open_database(f"postgresql://host/db?options={quote(options)}")


@pytest.mark.parametrize(
    "where",
    [
        "postgresql:/user:s3cr3t@host/db",
        " postgres:user:s3cr3t@host/db",
        "postgresql+psycopg:user:s3cr3t@host",
        "host=localhost user=me password=s3cr3t",
        "host=localhost\npassword = s3cr3t",
    ],
)
def test_a_malformed_url_is_not_used_as_a_path(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreLocationError, match="neither as a path nor as a URL") as raised:
        open_backend(where)
    assert "s3cr3t" not in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_secrets_that_contain_each_other_are_masked() -> None:
    database = open_database("postgresql://u:abc@127.0.0.1/db?sslpassword=abcdef")
    assert isinstance(database, PostgreSQLDatabase)
    assert database._address.without_secrets("abcdef, abc") == "***, ***"
