"""Statements that run on the driver do what SQLAlchemy itself would have done."""

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import ColumnElement, Select, bindparam, delete, insert, select
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlmodel import Session

from burndown import AppState, JiraCache, JiraChangelog, Profile, Query, SQLiteBackend
from burndown.database import Database, open_database
from burndown.models import Entity
from burndown.models.codec import codec_of
from burndown.models.columns import IsoText, UtcTimestamp
from burndown.models.digests import data_columns
from burndown.models.timestamps import to_utc
from burndown.repositories.jira_changelog import get_jira_changelogs
from burndown.sql import (
    Executor,
    Statement,
    Upsert,
    key_conditions,
    one_of,
    select_documents,
    statements,
)
from burndown.testing.contract.drawn import ENTITIES, keys, lines, timestamps

CANARY = "c4n4ry-t0k3n"
KEY = AppState.__table__.c.key
ALL_KEYS = Statement(select(KEY).order_by(KEY))
SOME_KEYS = Statement(select(KEY).where(one_of(KEY, "wanted")))
ODD_KEYS = [
    "'",
    '"',
    "'; DROP TABLE t",
    "\\",
    "%s",
    ":a",
    "?",
    "é",
    "😀",
    "\x7f",
    "[1]",
]
UNSTORABLE_KEYS = ["\0", "a\0b", "\ud800", "\udfffa"]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """Open a database of each dialect, in which nothing is ever committed."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("statements") / "burndown.db"
        new = open_database(path)
        yield new
        new.close()
        return
    with request.getfixturevalue("postgres_server").database() as url:
        new = open_database(url)
        yield new
        new.close()


def by_key(model: type[Entity]) -> list[ColumnElement[bool]]:
    """The conditions for one row."""
    return key_conditions(model.__table__)


def all_of(model: type[Entity]) -> Select[Any]:
    """A SELECT of all rows as documents."""
    return select_documents(model.__table__)


class UndoError(Exception):
    pass


@contextmanager
def undone(database: Database) -> Iterator[Session]:
    """Open a session that is rolled back."""
    with suppress(UndoError), database.session() as session:
        yield session
        raise UndoError


def make_parents(session: Session, row: dict[str, Any]) -> None:
    """Insert the profile and the query that a row belongs to, by SQLAlchemy."""
    for model, names in ((Profile, ["profile_id"]), (Query, ["profile_id", "query_id"])):
        if row.keys() >= set(names):
            ids = ["id"] if model is Profile else ["profile_id", "id"]
            key = {id_: row[name] for id_, name in zip(ids, names, strict=True)}
            session.add(model(**key))
            session.flush()


def stored(session: Session, model: type[Entity]) -> list[Any]:
    """Return the rows of the table, as the driver returns them."""
    table = model.__table__
    columns = ", ".join(f'"{each.name}"' for each in data_columns(table))
    found = session.connection().exec_driver_sql(f"SELECT {columns} FROM {table.name}")
    return list(found.fetchall())


# --- rows ------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ENTITIES)
@given(data=st.data())
def test_a_row_is_written_and_read_as_by_sqlalchemy(
    database: Database, model: type[Entity], data: st.DataObject
) -> None:
    [document] = codec_of(model).complete([data.draw(ENTITIES[model])])
    [row] = codec_of(model).rows([document])
    table = model.__table__
    of_key = Statement(all_of(model).where(*by_key(model)))
    with undone(database) as session:
        connection = Executor.of(session)
        make_parents(session, row)
        session.execute(delete(table))

        Upsert(model.__table__).run(connection, [row])
        ours = stored(session, model)
        key = {column.name: row[column.name] for column in table.primary_key}
        [entity] = session.execute(select(model)).scalars().all()
        assert entity.to_document() == codec_of(model).entity(document).to_document()
        found = of_key.documents(connection, **key)
        by_sqlalchemy = session.execute(all_of(model).where(*by_key(model)), key).mappings()
        assert found == [dict(each) for each in by_sqlalchemy]

        session.expunge_all()
        assert Statement(delete(table).where(*by_key(model))).delete(connection, **key) == 1
        session.execute(insert(table).values(**row))
        assert ours == stored(session, model)
        session.expunge_all()


@pytest.mark.parametrize("kept", [frozenset(), frozenset({"created_at", "description"})])
def test_an_upsert_replaces_all_but_the_preserved_columns(
    database: Database, kept: frozenset[str]
) -> None:
    [old, new, other] = codec_of(Profile).rows(
        [
            {"id": "p", "name": "old", "description": "old", "created_at": "2020-01-01T00:00:00Z"},
            {"id": "p", "name": "new", "description": "new", "created_at": "2021-01-01T00:00:00Z"},
            {"id": "other", "name": "other", "created_at": "2022-01-01T00:00:00Z"},
        ]
    )
    with undone(database) as session:
        connection = Executor.of(session)
        Upsert(Profile.__table__, kept).run(connection, [old])
        Upsert(Profile.__table__, kept).run(connection, [new, other])
        expected = {**new, **{name: old[name] for name in kept}}
        found = {row["id"]: row for row in session.execute(select(*Profile.__table__.c)).mappings()}
        assert found.keys() == {"p", "other"}
        for name in ("name", "description", "created_at"):
            assert found["p"][name] == expected[name]
        session.execute(delete(Profile.__table__.c.id.table))


def test_a_pending_object_of_the_session_is_flushed_before_a_statement(database: Database) -> None:
    with undone(database) as session:
        session.add(AppState(key="pending", value="v"))
        read = Statement(select(AppState.__table__.c.value).where(*by_key(AppState)))
        assert read.values(Executor.of(session), key="pending") == ["v"]


def test_a_savepoint_undoes_only_its_own_changes(database: Database) -> None:
    def fail(connection: Executor) -> None:
        with connection.savepoint():
            write("undone")
            with connection.savepoint():
                write("undone too")
            raise LookupError

    with undone(database) as session:
        connection = Executor.of(session)

        def write(key: str) -> None:
            Upsert(AppState.__table__).run(
                connection, codec_of(AppState).rows([{"key": key, "value": ""}])
            )

        before = ALL_KEYS.values(connection)
        write("before")
        with pytest.raises(LookupError):
            fail(connection)
        with connection.savepoint():
            write("kept")
        assert set(ALL_KEYS.values(connection)) - set(before) == {"before", "kept"}


# --- parameters ------------------------------------------------------------------------------


@given(st.sets(keys, max_size=8), st.lists(keys | lines, max_size=8))
@example({"a", "b"}, [])
@example({"a", "b"}, ["a"])
@example(set(ODD_KEYS), ODD_KEYS[::2])
@example(set(ODD_KEYS), ODD_KEYS * 2)
def test_each_row_of_a_list_is_found_once(
    database: Database, present: set[str], others: list[str]
) -> None:
    wanted = [*others, *list(present)[::2]]
    with undone(database) as session:
        connection = Executor.of(session)
        rows = codec_of(AppState).rows([{"key": key, "value": ""} for key in sorted(present)])
        if rows:
            Upsert(AppState.__table__).run(connection, rows)
        found = SOME_KEYS.values(connection, wanted=wanted)
        expected = session.execute(select(KEY).where(KEY.in_(wanted))).scalars().all()
    assert sorted(found) == sorted(expected)
    assert set(found) >= present & set(wanted)


def test_fifty_thousand_keys_are_one_parameter(database: Database) -> None:
    wanted = [f"K-{number}" for number in range(50_000)]
    with undone(database) as session:
        connection = Executor.of(session)
        rows = [{"key": key, "value": ""} for key in ("K-0", "K-49999", "K-50000")]
        Upsert(AppState.__table__).run(connection, rows)
        assert set(SOME_KEYS.values(connection, wanted=wanted)) == {"K-0", "K-49999"}


def test_issue_keys_that_no_column_can_hold_are_not_found(database: Database) -> None:
    now = datetime(2025, 1, 1, tzinfo=UTC)
    with undone(database) as session:
        session.add(Profile(id="p"))
        session.flush()
        session.add(Query(profile_id="p", id="q"))
        session.flush()
        for key in ODD_KEYS:
            session.add(JiraChangelog(profile_id="p", query_id="q", issue_key=key, changelog={}))
        executor = Executor.of(session)
        for wanted in (
            ODD_KEYS,
            [*ODD_KEYS, *UNSTORABLE_KEYS],
            iter([*UNSTORABLE_KEYS, *ODD_KEYS]),
        ):
            found = get_jira_changelogs(executor, "p", "q", now, wanted)
            assert [each["issue_key"] for each in found] == sorted(ODD_KEYS)
        assert get_jira_changelogs(executor, "p", "q", now, UNSTORABLE_KEYS) == []


@pytest.mark.parametrize("key", UNSTORABLE_KEYS)
def test_parameters_that_no_column_can_hold_match_no_row(database: Database, key: str) -> None:
    with undone(database) as session:
        connection = Executor.of(session)
        assert (
            Statement(all_of(AppState).where(*by_key(AppState))).values(connection, key=key) == []
        )
        of_key = Statement(delete(KEY.table).where(*by_key(AppState)))
        assert of_key.delete(connection, key=key) == 0


def test_a_missing_parameter_is_an_error(database: Database) -> None:
    with undone(database) as session, pytest.raises(KeyError, match="wanted"):
        SOME_KEYS.values(Executor.of(session))


@given(timestamps)
def test_a_timestamp_is_compared_with_stored_ones(database: Database, timestamp: datetime) -> None:
    expiry = JiraCache.__table__.c.expires_at
    until = bindparam("until", type_=UtcTimestamp())
    statement = select(JiraCache.__table__.c.cache_key).where(expiry <= until)
    [row] = codec_of(JiraCache).rows(
        [
            {
                "profile_id": "p",
                "query_id": "q",
                "cache_key": "k",
                "expires_at": timestamp,
                "response": {},
            }
        ]
    )
    with undone(database) as session:
        make_parents(session, row)
        connection = Executor.of(session)
        Upsert(JiraCache.__table__).run(connection, [row])
        for limit in (timestamp, to_utc("2030-01-01T00:00:00Z")):
            found = Statement(statement).values(connection, until=limit)
            assert found == session.execute(statement, {"until": limit}).scalars().all()
            assert bool(found) == (to_utc(timestamp) <= to_utc(limit))


def test_a_statement_is_compiled_once_for_each_dialect(database: Database) -> None:
    statement = Statement(select(KEY))
    with undone(database) as session:
        connection = Executor.of(session)
        compiled = statement.compiled(connection.dialect)
        statement.values(connection)
        assert statement.compiled(connection.dialect) is compiled
        again = Statement(select(KEY)).compiled(connection.dialect)
        assert again is not compiled
        assert again.sql == compiled.sql


def test_threads_that_compile_a_statement_can_all_run_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = threading.Barrier(4)
    statement = Statement(select(KEY).where(one_of(KEY, "wanted")))

    class Together(statements.Compiled):
        def __init__(self, *arguments: Any) -> None:
            together.wait(60)
            super().__init__(*arguments)

    def run(_: int) -> list[Any]:
        return database.read(lambda connection: statement.values(connection, wanted=["nothing"]))

    monkeypatch.setattr(statements, "Compiled", Together)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(run, range(4))) == [[]] * 4


# --- timestamps written manually -------------------------------------------------------------

BY_HAND = {
    "2025-12-23 10:00:00": "2025-12-23T10:00:00+00:00",
    "2025-12-23T10:00:00": "2025-12-23T10:00:00+00:00",
    "2025-12-23 10:00": "2025-12-23T10:00:00+00:00",
    "2025-12-23": "2025-12-23T00:00:00+00:00",
    "2025-12-23 10:00:00.5": "2025-12-23T10:00:00.500000+00:00",
    "2025-12-23 10:00:00.500": "2025-12-23T10:00:00.500000+00:00",
    "2025-12-23 10:00:00.000000": "2025-12-23T10:00:00+00:00",
    "2025-12-23T10:00:00.000000": "2025-12-23T10:00:00+00:00",
    "2025-12-23 10:00:00.000001": "2025-12-23T10:00:00.000001+00:00",
    "2025-12-23T10:00:00Z": "2025-12-23T10:00:00+00:00",
    "2025-12-23T10:00:00+00:00": "2025-12-23T10:00:00+00:00",
    "2025-12-23T10:00:00.12345Z": "2025-12-23T10:00:00.123450+00:00",
    "2025-12-23 10:00:00,000000": "2025-12-23T10:00:00+00:00",
    "2025-12-23_10:00:00.250000": "2025-12-23T10:00:00.250000+00:00",
    "2025-W52-2 10:00:00.000000": "2025-12-23T10:00:00+00:00",
    "20251223T100000": "2025-12-23T10:00:00+00:00",
}


@pytest.mark.parametrize("text", BY_HAND)
def test_a_timestamp_that_was_written_manually_is_read(backend: SQLiteBackend, text: str) -> None:
    backend.save_profile({"id": "p"})
    with backend.database.connection() as manual_connection:  # type: ignore[attr-defined]
        manual_connection.execute("UPDATE profiles SET created_at = ?", (text,))
    found = backend.get_profile("p")
    assert found is not None
    assert found["created_at"] == BY_HAND[text]
    with backend.database.read_session() as session:
        [typed] = session.execute(select(Profile.__table__.c.created_at)).scalars()
    assert typed == datetime.fromisoformat(BY_HAND[text])


@pytest.mark.parametrize(
    "now", ["datetime('now')", "CURRENT_TIMESTAMP", "strftime('%Y-%m-%dT%H:%M:%S')"]
)
def test_the_current_time_of_sqlite_is_read(backend: SQLiteBackend, now: str) -> None:
    backend.save_profile({"id": "p"})
    with backend.database.connection() as manual_connection:  # type: ignore[attr-defined]
        manual_connection.execute(f"UPDATE profiles SET created_at = {now}")
        [[written]] = manual_connection.execute("SELECT created_at FROM profiles").fetchall()
    found = backend.get_profile("p")
    assert found is not None
    assert found["created_at"] == f"{written.replace(' ', 'T')}+00:00"


@given(
    timestamps, st.sampled_from(["auto", "seconds", "milliseconds", "microseconds"]), st.booleans()
)
def test_a_timestamp_is_read_as_a_string_and_as_a_datetime(
    timestamp: datetime, precision: str, has_offset: bool
) -> None:

    dialect = SQLiteDialect_pysqlite()
    as_text = IsoText().result_processor(dialect, None)
    as_datetime = UtcTimestamp().result_processor(dialect, None)
    write = UtcTimestamp().bind_processor(dialect)
    assert as_text(write(timestamp)) == to_utc(timestamp).isoformat()
    manual_string = (
        to_utc(timestamp).replace(tzinfo=UTC if has_offset else None).isoformat(" ", precision)
    )
    assert as_text(manual_string) == as_datetime(manual_string).isoformat()
    assert as_text(None) is as_datetime(None) is write(None) is None


# --- the log ---------------------------------------------------------------------------------


def test_the_log_has_each_statement_and_no_value(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    [row] = codec_of(AppState).rows([{"key": CANARY, "value": CANARY}])
    of_key = delete(KEY.table).where(*by_key(AppState))
    with caplog.at_level(logging.DEBUG, "burndown.database"), undone(database) as session:
        connection = Executor.of(session)
        Upsert(AppState.__table__).run(connection, [row])
        Upsert(AppState.__table__).run(connection, [row, {**row, "key": "other"}])
        assert SOME_KEYS.values(connection, wanted=[CANARY]) == [CANARY]
        assert Statement(of_key).delete(connection, key=CANARY) == 1
        with connection.savepoint():
            pass
    logged = [each.getMessage() for each in caplog.records if each.name == "burndown.database"]
    assert [each.split()[0] for each in logged][1:] == [
        "INSERT",
        "INSERT",
        "SELECT",
        "DELETE",
        "SAVEPOINT",
        "RELEASE",
    ]
    assert CANARY not in caplog.text
    assert all("\n" not in each for each in logged)


def test_the_log_has_the_statements_in_the_order_in_which_they_run(
    backend: SQLiteBackend, caplog: pytest.LogCaptureFixture
) -> None:
    backend.list_profiles()
    caplog.clear()
    with caplog.at_level(logging.DEBUG, "burndown.database"):
        backend.set_app_state("k", "v")
    logged = [each.getMessage() for each in caplog.records if each.name == "burndown.database"]
    assert [each.split()[0] for each in logged] == ["BEGIN", "INSERT"]
