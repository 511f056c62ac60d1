"""An exchange file is imported with the options of any export, on every backend."""

import json
from pathlib import Path
from typing import Any

import pytest

from burndown import ValidationError, set_backend
from burndown.import_export import import_profile, run_import
from burndown.testing.controlled_store import Store, everything
from tests.support.exchange_files import CANARY, sample_file, write_exchange


@pytest.fixture
def store(any_store: Store) -> Store:
    """Return the current store, empty."""
    any_store.clear()
    set_backend(any_store.backend)
    return any_store


@pytest.fixture
def file(folder: Path) -> Path:
    return write_exchange(sample_file(), folder / "file.json")


@pytest.mark.parametrize(
    "options",
    [{}, {"profile_name": "New"}, {"replace": True}, {"profile_name": "New", "replace": True}],
    ids=str,
)
def test_a_dry_run_reports_the_same_as_the_import(
    store: Store, file: Path, options: dict[str, Any]
) -> None:
    """It changes nothing, and neither report holds the token."""
    store.save_profile({"id": "other", "name": "Other"})
    if "replace" in options:
        import_profile(file)
        store.save_query("p_1", {"id": "gone"})
    before = everything(store.backend)
    planned = run_import(file, dry_run=True, **options)
    assert everything(store.backend) == before
    assert run_import(file, **options) == planned
    assert planned.removed_queries == (["gone"] if "replace" in options else [])
    assert CANARY not in repr(planned) + json.dumps(planned.to_document())


def test_a_taken_id_or_name_is_refused_with_advice(store: Store, file: Path) -> None:
    for profile in ({"id": "p_1", "name": "Else"}, {"id": "else", "name": "team a"}):
        store.clear()
        store.save_profile(profile)
        before = everything(store.backend)
        with pytest.raises(ValidationError, match=r"`--name`.*`--replace`") as caught:
            run_import(file)
        assert str(caught.value).startswith(f"{file}: profile_data: Profile")
        assert everything(store.backend) == before


def test_another_name_gives_another_id_if_that_is_taken(store: Store, file: Path) -> None:
    assert import_profile(file) == "p_1"
    assert import_profile(file, "Copy") == "copy"
    assert len(store.list_queries("p_1")) == len(store.list_queries("copy")) == 2


def test_a_profile_more_than_allowed_is_refused(
    store: Store, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BURNDOWN_MAX_PROFILES", "1")
    store.clear()
    store.save_profile({"id": "other"})
    with pytest.raises(ValidationError, match="at most 1 profiles"):
        run_import(file)
    assert [profile["id"] for profile in store.list_profiles()] == ["other"]
