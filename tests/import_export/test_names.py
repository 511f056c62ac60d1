"""The name and id of an imported profile."""

import logging
from pathlib import Path

import pytest

from burndown import (
    PersistenceBackend,
    SQLiteBackend,
    ValidationError,
)
from burndown.copying import copy_store
from burndown.import_export import export_profile, import_profile, read_manifest
from burndown.query_manager import MAX_QUERIES, create_query
from tests.import_export.exports import (
    FORMS,
    files_of,
    pack,
    refused,
    whole,
    write,
)


def add_queries(backend: PersistenceBackend, profile_id: str, count: int) -> None:
    """Save this many queries, more than the managers allow if necessary."""
    present = len(backend.list_queries(profile_id))
    with backend.transaction():
        for number in range(present, count):
            backend.save_query(profile_id, {"id": f"q{number}"})


def test_a_name_that_is_taken_imports_nothing(kafka: SQLiteBackend, tmp_path: Path) -> None:
    folder = export_profile("kafka", tmp_path / "export")
    kafka.save_profile({"id": "other", "name": "Straße"})
    for name in (None, "Kafka", " kAFKA ", "STRASSE"):
        error = refused(kafka, folder, name)
        assert isinstance(error, ValidationError)
        assert "name other than" in str(error)
    for name in (" ", "x" * 101, "a\0b", "\ud800"):
        error = refused(kafka, folder, name)
        assert isinstance(error, ValidationError)
        assert "name" in str(error)


def test_a_taken_name_or_id_is_reported_with_the_options(
    kafka: SQLiteBackend, tmp_path: Path
) -> None:
    folder = export_profile("kafka", tmp_path / "export")
    for name, what in (
        ("Kafka", "name: input should be a name other"),
        ("Other", "id: input should be an id that is not taken"),
    ):
        kafka.save_profile({"id": "kafka", "name": name})
        said = str(refused(kafka, folder))
        assert what in said
        assert "`--name`" in said
        assert "`--replace`" in said


def test_a_taken_id_is_replaced_by_one_made_of_the_name(
    kafka: SQLiteBackend, tmp_path: Path
) -> None:
    folder = export_profile("kafka", tmp_path / "export")
    before = whole(kafka, "kafka")
    assert import_profile(folder, "Kafka (2)") == "kafka-2"
    assert import_profile(folder, "Kafka: 2") == "kafka-2-2"
    assert import_profile(folder, "🚀") == "profile"
    assert whole(kafka, "kafka") == before
    copied = before.replace('"Kafka"', '"Kafka (2)"').replace('"kafka"', '"kafka-2"')
    assert whole(kafka, "kafka-2") == copied


def test_an_import_keeps_the_active_profile(kafka: SQLiteBackend, tmp_path: Path) -> None:
    folder = export_profile("kafka", tmp_path / "export")
    kafka.set_app_state("active_profile_id", "kafka")
    kafka.set_app_state("active_query_id", "bugs")
    import_profile(folder, "New")
    assert kafka.get_app_state("active_profile_id") == "kafka"
    assert kafka.get_app_state("active_query_id") == "bugs"


# --- number of queries -------------------------------------------------------------------------


def test_the_maximum_number_of_queries_can_be_imported(
    kafka: SQLiteBackend, tmp_path: Path
) -> None:
    """After it, the managers add no more."""
    add_queries(kafka, "kafka", MAX_QUERIES)
    import_profile(export_profile("kafka", tmp_path / "export"), "New")
    assert len(kafka.list_queries("new")) == MAX_QUERIES
    with pytest.raises(ValidationError, match="at most 100"):
        create_query("new", "One more", "a = b")


def test_the_settings_limit_what_is_imported(
    kafka: SQLiteBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_queries(kafka, "kafka", MAX_QUERIES + 1)
    monkeypatch.setenv("BURNDOWN_MAX_QUERIES", str(MAX_QUERIES + 1))
    export = export_profile("kafka", tmp_path / "export")
    assert import_profile(export, "New") == "new"
    assert len(kafka.list_queries("new")) == MAX_QUERIES + 1
    monkeypatch.setenv("BURNDOWN_MAX_PROFILES", str(len(kafka.list_profiles())))
    with pytest.raises(ValidationError, match="there should be at most"):
        import_profile(export, "Newer")
    monkeypatch.setenv("BURNDOWN_MAX_QUERIES", "3")
    with pytest.raises(ValidationError, match="at most 3 queries"):
        import_profile(export, replace=True)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("count", [MAX_QUERIES + 1, 9000])
def test_more_than_the_maximum_number_of_queries_import_nothing(
    kafka: SQLiteBackend, tmp_path: Path, form: str, count: int
) -> None:
    """The manifest may list them or not; the error has their number."""
    files = files_of(export_profile("kafka", tmp_path / "original"))
    files |= {f"queries/q{number}.json": b"{}" for number in range(count - 2)}
    path = tmp_path / form
    error = refused(kafka, pack(files, path) if path.suffix else write(files, path), "New")
    assert isinstance(error, ValidationError)
    assert str(error).startswith(f"{path / 'queries'}: Profile is not valid: queries: ")
    assert str(error).endswith(f"input should be at most 100 queries, got {count}")
    refused(kafka, path, replace=True)


def test_more_than_the_maximum_number_of_queries_are_exported_and_copied(
    kafka: SQLiteBackend, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """All of them are preserved; the log warns that an import will refuse them."""
    add_queries(kafka, "kafka", MAX_QUERIES)
    export_profile("kafka", tmp_path / "export")
    assert caplog.records == []
    add_queries(kafka, "kafka", MAX_QUERIES + 1)
    files = files_of(export_profile("kafka", tmp_path / "export"))
    assert sum(name.startswith("queries/") for name in files) == MAX_QUERIES + 1
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert caplog.messages == ["Profile 'kafka' has 101 queries; an import takes at most 100"]
    refused(kafka, tmp_path / "export", "New")
    assert read_manifest(tmp_path / "export").counts["queries"] == MAX_QUERIES + 1
    with SQLiteBackend(tmp_path / "copy.db") as copy:
        copy_store(kafka, copy)
        assert len(copy.list_queries("kafka")) == MAX_QUERIES + 1
