"""A stored value that cannot be decoded is reported as damage, with its table, column and key."""

import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, select
from sqlmodel import Session

from burndown import DatabaseCorruptionError, JiraCache, Profile, Query, SQLiteBackend
from burndown.models import Entity
from burndown.models.columns import CalendarDate, Flag, StoredType, UtcTimestamp
from burndown.models.compression import compress, decompress
from burndown.models.json_columns import CompressedJson, FlagJson, JsonText, SubmodelListJson
from burndown.models.json_columns import SubmodelJson as Section
from burndown.persistence import open_backend
from burndown.repositories import ProfileRepository
from burndown.testing.contract.drawn import ENTITIES, VALID

CANARY = "c4n4ry-t0k3n"
NOT_UTF_8 = f"CAST(X'ff' || '{CANARY}' AS TEXT)"
BLOB = "X'fffe00'"


def text(value: str) -> str:
    return f"'{value}'"


def blob(value: bytes) -> str:
    return f"X'{value.hex()}'"


def zstd_frame(claimed: int) -> bytes:
    """Return a frame of one short block that declares any number of bytes."""
    return (
        b"\x28\xb5\x2f\xfd\xe0"  # magic number; a single segment whose size takes 8 bytes
        + claimed.to_bytes(8, "little")
        + b"\x11\x00\x00{}"  # the last block, raw, of 2 bytes
    )


NOT_OBJECTS = ["", "{", '{"a":1', "[]", "3", "null", "{}{}", '{"a":NaN}', "[" * 300, "\x01"]
DAMAGES: dict[type[StoredType[Any]], list[str]] = {
    JsonText: [*map(text, NOT_OBJECTS), NOT_UTF_8, BLOB],
    Section: [*map(text, NOT_OBJECTS), NOT_UTF_8, BLOB],
    FlagJson: ["''", "'{'", "2", "-1", NOT_UTF_8, BLOB],
    SubmodelListJson: [
        *map(text, ["", "[", "[1", "{}", "3", "null", "[][]", "[NaN]", '[{"reason":1}']),
        *(NOT_UTF_8, BLOB),
    ],
    CalendarDate: [
        *map(text, ["", "yesterday", "2026-13-01", "2026-01-05T10:00:00", CANARY]),
        *(NOT_UTF_8, BLOB, "17"),
    ],
    Flag: ["2", "'maybe'", "'true'", "0.5", BLOB],
    UtcTimestamp: [
        *map(text, ["", "yesterday", "20x5-12-23 10:00:00.000000", "2025-13-01 10:00:00.000000"]),
        *map(text, ["2025-12-23 10:00:0", "2025-12-23 10:00:00.00000x", "2025-12-23 25:00:00"]),
        *(NOT_UTF_8, BLOB, "17", text(CANARY)),
    ],
    CompressedJson: [
        *map(blob, [b"", b"\0", b"{}", compress({"k": "v" * 99})[:-1], compress({"k": 1})[4:]]),
        *(blob(zstandard.compress(value)) for value in (b"[]", b"3", b"", b"{", b'{"a":NaN}')),
        *(blob(zstd_frame(claimed)) for claimed in (0, 3, 2**20, 2**40, 2**62, 2**64 - 1)),
        text("{}"),
        "7",
    ],
}
CASES = [
    pytest.param(model, column, damage, id=f"{column}-{damage[:30]!a}")
    for model in ENTITIES
    for column in model.__table__.c.values()
    for damage in DAMAGES.get(type(column.type), [])
]


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SQLiteBackend]:
    """Return a backend with one row of each entity."""
    with SQLiteBackend(tmp_path_factory.mktemp("damaged") / "burndown.db") as backend:
        for model in ENTITIES:
            backend.save_records(model, [VALID[model]])
        yield backend


def refused(read: Callable[[], object]) -> DatabaseCorruptionError:
    """Return the error of reading, which contains no stored value in any part of its traceback."""
    with pytest.raises(DatabaseCorruptionError) as raised:
        read()
    shown = "".join(traceback.format_exception(raised.value))
    assert CANARY not in shown
    return raised.value


def read_by_orm(session: Session, model: type[Entity]) -> object:
    return session.execute(select(model)).scalars().all()


@pytest.mark.parametrize(("model", "column", "damage"), CASES)
def test_a_damaged_value_is_refused_by_every_read(
    full: SQLiteBackend, model: type[Entity], column: Column[Any], damage: str
) -> None:
    table = column.table.name
    with full.database.connection() as connection:  # type: ignore[attr-defined]
        [[before]] = connection.execute(f"SELECT {column.name} FROM {table}").fetchall()
        connection.execute(f"UPDATE {table} SET {column.name} = {damage}")
    try:
        error = refused(lambda: list(full.records(model)))
        assert str(error).startswith(f"{column} of the row with ") or damage == NOT_UTF_8
        assert str(error).startswith(str(column))
        if damage != NOT_UTF_8:
            with full.database.read_session() as session:
                error = refused(lambda: read_by_orm(session, model))
            assert str(error).startswith(f"{column} is damaged: ")
        if model is Profile:
            for read in (full.list_profiles, lambda: full.get_profile("kafka")):
                assert str(refused(read)).startswith(str(column))
        elif model is Query:
            assert str(refused(lambda: full.list_queries("kafka"))).startswith(str(column))
        elif column.type.__class__ is CompressedJson and model is JiraCache:
            with full.database.connection() as connection:  # type: ignore[attr-defined]
                connection.execute("UPDATE jira_cache SET expires_at = '9999-12-31 00:00:00'")
            error = refused(lambda: full.get_jira_cache("kafka", "12w", "abc"))
            assert "profile_id = 'kafka', query_id = '12w', cache_key = 'abc'" in str(error)
            entry = "kafka", "12w", "abc"
            error = refused(lambda: full.merge_jira_cache(*entry, [], [], timedelta()))
            assert str(error).startswith(f"{column} is damaged: ")
        elif model is JiraCache:
            error = refused(lambda: full.query_status("kafka"))
            assert str(error).startswith(str(column))
    finally:
        with full.database.connection() as connection:  # type: ignore[attr-defined]
            connection.execute(f"UPDATE {table} SET {column.name} = ?", (before,))
    assert len(list(full.records(model))) == 1


def test_every_column_type_is_damaged_in_these_tests() -> None:
    kinds = {type(column.type) for model in ENTITIES for column in model.__table__.c.values()}
    assert {kind for kind in kinds if issubclass(kind, StoredType)} == DAMAGES.keys()


def test_a_row_that_the_model_refuses_is_damaged(backend: SQLiteBackend) -> None:
    """Repositories raise an error; the backend returns the document unchanged, to be corrected."""
    backend.save_profile({"id": "k"})
    with backend.database.connection() as connection:  # type: ignore[attr-defined]
        connection.execute("""UPDATE profiles SET jira_config = '{"cache_size_mb": 1}'""")
    found = backend.get_profile("k")
    assert found is not None
    assert found["jira_config"] == {"cache_size_mb": 1}
    with backend.database.read_session() as session:
        for read in (lambda: ProfileRepository(session).get("k"), ProfileRepository(session).list):
            assert "jira_config.cache_size_mb" in str(refused(read))
        refused(lambda: read_by_orm(session, Profile))


def test_records_end_though_an_unknown_key_is_named_like_a_column(backend: SQLiteBackend) -> None:
    """This package does not store such a key, but another program can."""
    for profile_id in ("a", "b", "c"):
        backend.save_profile({"id": profile_id})
    with backend.database.connection() as connection:  # type: ignore[attr-defined]
        connection.execute("""UPDATE profiles SET extra = '{"id": "a"}' WHERE id = 'c'""")
    assert len(list(islice(backend.records(Profile), 10))) == 3


@pytest.mark.parametrize("written", [0, 1])
def test_flags_that_the_old_dashboard_wrote_are_booleans(
    backend: SQLiteBackend, written: int
) -> None:
    """It writes numbers to the file, which are read as flags and can be saved again."""
    backend.save_profile({"id": "k"})
    with backend.database.connection() as connection:  # type: ignore[attr-defined]
        connection.execute("UPDATE profiles SET show_points = ?, show_milestone = ?", [written] * 2)
    expected = bool(written)
    [listed] = backend.list_profiles()
    [record] = backend.records(Profile)
    found = backend.get_profile("k")
    assert found is not None
    for document in (found, listed, record):
        assert document["show_points"] is document["show_milestone"] is expected
    with backend.database.session() as session:
        profile = ProfileRepository(session).get("k")
        [by_orm] = session.execute(select(Profile)).scalars()
        for typed in (profile, by_orm):
            assert typed is not None
            assert typed.show_points is typed.show_milestone is expected
    backend.save_profile(found)
    with backend.database.connection() as connection:  # type: ignore[attr-defined]
        stored = connection.execute("SELECT show_points, typeof(show_points) FROM profiles")
        assert tuple(stored.fetchone()) == (str(expected).lower(), "text")


def test_damaged_json_of_a_server_is_reported_in_the_same_way(postgres_url: str) -> None:
    with open_backend(postgres_url) as backend:
        backend.save_records(Profile, [{**VALID[Profile], "show_points": True}])
        for model in (Query, JiraCache):
            backend.save_records(model, [VALID[model]])
        database: Any = backend.database  # type: ignore[attr-defined]
        with database.session() as session:
            run = session.connection().exec_driver_sql
            run("UPDATE profiles SET show_points = '1'")
            run("UPDATE queries SET extra = '{', created_at = 'infinity'")
            run("UPDATE jira_cache SET response = '\\x00', expires_at = '2100-01-01'")
        [profile] = backend.list_profiles()
        assert profile["show_points"] is True
        refused(lambda: backend.list_queries("kafka"))
        refused(lambda: list(backend.records(Query)))
        with database.session() as session:
            session.connection().exec_driver_sql("UPDATE queries SET created_at = now()")
        assert "queries.extra" in str(refused(lambda: backend.list_queries("kafka")))
        error = refused(lambda: backend.get_jira_cache("kafka", "12w", "abc"))
        assert "jira_cache.response" in str(error)


def test_records_of_a_server_are_decoded_one_by_one(postgres_url: str) -> None:
    with open_backend(postgres_url) as backend:
        backend.save_records(Profile, [{"id": f"p{n:04}"} for n in range(250)])
        with backend.transaction():
            found = backend.records(Profile)
            assert next(found)["id"] == "p0000"
            assert [each["id"] for each in found] == [f"p{n:04}" for n in range(1, 250)]


# --- compressed JSON -------------------------------------------------------------------------


@given(st.integers(3, 2**64 - 1) | st.integers(3, 2**22))
def test_a_frame_is_read_with_any_ratio_unless_it_declares_another_size(number: int) -> None:
    encoded = b"%d" % number * 50_000  # compresses by more than any response
    assert decompress(zstandard.compress(encoded)) == encoded
    assert decompress(zstd_frame(2)) == b"{}"
    with pytest.raises((ValueError, zstandard.ZstdError)):
        decompress(zstd_frame(number))


def test_a_declared_size_takes_no_memory() -> None:
    script = f"""
import resource
from zstandard import ZstdError
from burndown.models.compression import decompress
resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
for claimed in (2**31, 2**36, 2**62):
    frame = {zstd_frame(0)!r}.replace(bytes(8), claimed.to_bytes(8, "little"))
    frame = frame.ljust(2**20, b"x")  # a megabyte, of which most is not of the frame
    try:
        decompress(frame)
    except (ValueError, ZstdError):
        continue
    raise SystemExit(f"{{claimed}} bytes were accepted")
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[2])
