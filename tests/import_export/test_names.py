"""Under which name and id a profile comes in."""

from pathlib import Path

from burndown import (
    SQLiteBackend,
    ValidationError,
)
from burndown.import_export import export_profile, import_profile
from tests.import_export.exports import (
    refused,
    whole,
)


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


def test_who_meets_a_taken_name_or_id_is_told_the_ways_out(
    kafka: SQLiteBackend, tmp_path: Path
) -> None:
    folder = export_profile("kafka", tmp_path / "export")
    for name, what in (("Kafka", "name: a name other"), ("Other", "id: an id that is free")):
        kafka.save_profile({"id": "kafka", "name": name})
        said = str(refused(kafka, folder))
        assert what in said
        assert "`--name`" in said
        assert "`--replace`" in said


def test_an_id_that_is_taken_gives_way_to_one_made_of_the_name(
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


def test_an_import_leaves_what_is_active(kafka: SQLiteBackend, tmp_path: Path) -> None:
    folder = export_profile("kafka", tmp_path / "export")
    kafka.set_app_state("active_profile_id", "kafka")
    kafka.set_app_state("active_query_id", "bugs")
    import_profile(folder, "New")
    assert kafka.get_app_state("active_profile_id") == "kafka"
    assert kafka.get_app_state("active_query_id") == "bugs"
