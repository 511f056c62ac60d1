"""An exchange file of the published dashboard imports to equal values."""

import json
import tempfile
from datetime import timedelta
from pathlib import Path

from burndown import set_backend
from burndown.import_export import run_import
from burndown.models import ENTITIES, Entity, JiraCache
from burndown.published import REBUILT
from burndown.testing.contract.examples import given
from burndown.testing.controlled_store import Store
from tests.import_export.exchange_models import Document, stores
from tests.import_export.exports import without_revision
from tests.support.exchange_files import exchange_of, write_exchange

OF_PROFILE = [entity for entity in ENTITIES if entity.PROFILE_COLUMN]


def records_of(store: Store, profile_id: str) -> dict[str, str]:
    """Return all of a profile as JSON, in which the types of numbers count.

    A response that is made of rows says so in a key of its own, which is not compared.
    """
    found = {}
    for entity in OF_PROFILE:
        records = [without_revision(each) for each in store.records(entity, profile_id)]
        if entity is JiraCache:
            for each in records:
                each["response"].pop(REBUILT, None)
        found[entity.__name__] = json.dumps(records, sort_keys=True)
    return found


@given(content=stores(), divisor=2)
def test_an_exchange_file_imports_to_equal_values(
    any_store: Store, content: dict[type[Entity], list[Document]]
) -> None:
    """Every value of every entity, with nothing to report."""
    any_store.clear()
    set_backend(any_store.backend)
    with any_store.transaction():
        for entity, records in content.items():
            any_store.save_records(entity, records)
    [profile_id] = (profile["id"] for profile in any_store.list_profiles())
    before = records_of(any_store, profile_id)
    with tempfile.TemporaryDirectory() as folder:
        path = write_exchange(
            exchange_of(any_store.backend, profile_id), Path(folder) / "file.json"
        )
        any_store.delete_profile(profile_id)
        any_store.clock.now += timedelta(days=1)
        report = run_import(path)
    assert records_of(any_store, profile_id) == before
    assert (report.profile_id, report.converted, report.skipped) == (profile_id, [], [])
    counts = {entity.LABEL: len(records) for entity, records in content.items() if records}
    assert {"profiles": 1, **report.imported} == {"queries": 0, **counts}
