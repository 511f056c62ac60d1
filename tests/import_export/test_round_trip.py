"""An export can be imported without changes, from every backend, as a folder and as an archive."""

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume
from hypothesis import strategies as st

from burndown import SQLiteBackend, ValidationError, set_backend
from burndown.import_export import export_profile, import_profile, run_import
from burndown.models import Budget, Entity, MetricsSnapshot, Profile, ProjectData, Query
from burndown.testing.contract.drawn import ENTITIES, identifiers, nested, profiles, queries
from burndown.testing.contract.examples import given
from burndown.testing.controlled_store import KEYS, Document, Store, everything
from tests.import_export.exports import (
    FETCHED,
    FORMS,
    KINDS,
    SECRET_WORDS,
    SNAPSHOT,
    manifest_of,
    records_of,
    whole,
    without_revision,
    without_time,
)

Content = dict[type[Entity], list[Document]]

odd_ids = st.sampled_from(["token", "my_password", "secret", "a.json", "ä b", "%2e", "Q", "q"])
secrets = st.fixed_dictionaries(
    {},
    optional={
        "token": st.sampled_from(["", None, "xyz", 0, {"k": 1}]),
        "X_Secret": st.just("xyz"),
        "nested": st.just([{"jira_token": ["xyz"], "token_count": 3}]),
    },
)
"""Keys that an export omits from any object, and similar ones."""


@st.composite
def stores(draw: st.DrawFn) -> Content:
    """Draw a profile with some queries and every entity below them."""
    profile = {**draw(profiles()), **draw(secrets)}
    found = draw(
        st.lists(
            queries(id=identifiers | odd_ids),
            max_size=2,
            unique_by=(lambda query: query["id"], lambda query: query.get("name", query["id"])),
        )
    )
    content: Content = {model: [] for model in KINDS}
    content[Profile] = [profile]
    of_profile = {"profile_id": profile["id"]}
    for query in found:
        content[Query].append({**query, **draw(secrets), **of_profile})
        ids = {**of_profile, "query_id": query["id"]}
        for model in KINDS[2:]:
            some = draw(st.lists(ENTITIES[model], max_size=2 if KEYS[model][2:] else 1))
            unique = {tuple(each[key] for key in KEYS[model][2:]): each for each in some}
            content[model] += ({**each, **ids} for each in unique.values())
    for snapshot in content[MetricsSnapshot]:
        snapshot["metrics"] = {**snapshot["metrics"], **draw(secrets)}
    content[Budget] = [{**budget, **draw(secrets)} for budget in content[Budget]]
    for data in content[ProjectData]:
        data["data"] = {**data["data"], **draw(secrets)}
    return content


def save(store: Store, content: Content) -> str:
    """Save only this, and set the store as the current one."""
    store.clear()
    set_backend(store.backend)
    with store.transaction():
        for model, records in content.items():
            store.save_records(model, records)
    profile_id: str = content[Profile][0]["id"]
    return profile_id


@contextmanager
def new_path(name: str) -> Iterator[Path]:
    """Return a path to export to."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / name


# --- properties --------------------------------------------------------------------------------


@given(content=stores(), form=st.sampled_from(FORMS), divisor=2)
def test_an_export_comes_back_as_it_was(any_store: Store, content: Content, form: str) -> None:
    """Every value of every entity, including timestamps; a second export has the same bytes."""
    profile_id = save(any_store, content)
    before, stored = records_of(any_store.backend, profile_id), everything(any_store.backend)
    with new_path(form) as path:
        export_profile(profile_id, path, include_cache=True, include_secrets=True)
        assert everything(any_store.backend) == stored
        any_store.delete_profile(profile_id)
        any_store.clock.now += timedelta(days=1)
        report = run_import(path)
        assert report.profile_id == profile_id
        assert report.warnings == []
        assert records_of(any_store.backend, profile_id) == before
        again = path.with_name(f"again-{form}")
        export_profile(profile_id, again, include_cache=True, include_secrets=True)
        assert without_time(again) == without_time(path)
        counts = manifest_of(path)["counts"]
        assert {name: report.imported.get(name, 0) for name in counts} == counts


@given(content=stores(), form=st.sampled_from(FORMS), divisor=2)
def test_only_what_the_manifest_lists_is_omitted(
    any_store: Store, content: Content, form: str
) -> None:
    """These are entities and secrets; no secret is omitted without being listed."""
    profile_id = save(any_store, content)
    token = content[Profile][0].get("jira_config", {}).get("token", "")
    assume(len(token) < 8)  # a longer one could be part of another string, which is refused
    before = {
        model: [without_revision(each) for each in any_store.records(model, profile_id)]
        for model in KINDS
    }
    with new_path(form) as path:
        export_profile(profile_id, path)
        any_store.delete_profile(profile_id)
        report = run_import(path)
        manifest = manifest_of(path)
    left_out = manifest["left_out"]
    assert left_out["kinds"] == [model.LABEL for model in FETCHED]
    paths = set(left_out["secrets"])
    assert all(any(word in each.lower() for word in SECRET_WORDS) for each in paths)
    assert set(report.missing_secrets) == paths
    removed: set[str] = set()
    expected = {
        model: json.dumps(
            less(model, records, manifest["query_ids"], paths, removed), sort_keys=True
        )
        for model, records in before.items()
    }
    assert removed == paths
    assert records_of(any_store.backend, profile_id) == expected


def less(
    model: type[Entity],
    records: list[Document],
    query_ids: dict[str, str],
    paths: set[str],
    removed: set[str],
) -> list[Document]:
    """Return the records without the values at the paths; note the paths that were found."""
    stems = {query_id: stem for stem, query_id in query_ids.items()}
    if model in FETCHED:
        return []
    if model is Profile:
        return [without(each, "profile.json: ", paths, removed) for each in records]
    if model is Query:
        names = [stems.get(each["id"], each["id"]) for each in records]
        return [
            without(each, f"queries/{name}.json: ", paths, removed)
            for each, name in zip(records, names, strict=True)
        ]
    if model is ProjectData:
        names = [stems.get(each["query_id"], each["query_id"]) for each in records]
        return [
            {**each, "data": without(each["data"], f"project_data/{name}.json: ", paths, removed)}
            for each, name in zip(records, names, strict=True)
        ]
    if model is Budget:  # a list of one
        names = [stems.get(each["query_id"], each["query_id"]) for each in records]
        return [
            without(each, f"budgets/{name}.json: [0]", paths, removed)
            for each, name in zip(records, names, strict=True)
        ]
    counted: dict[str, int] = {}
    found = []
    for each in records:
        query_id = each["query_id"]
        number = counted[query_id] = counted.get(query_id, -1) + 1
        found.append(without(each, f"metrics/snapshots.json: {query_id}[{number}]", paths, removed))
    return found


def without(value: Any, path: str, paths: set[str], removed: set[str]) -> Any:
    if isinstance(value, list):
        return [
            without(item, f"{path}[{index}]", paths, removed) for index, item in enumerate(value)
        ]
    if not isinstance(value, dict):
        return value
    kept = {}
    for key, item in value.items():
        below = f"{path}{key}" if path.endswith(": ") else f"{path}.{key}"
        if below in paths:
            removed.add(below)
        else:
            kept[key] = without(item, below, paths, removed)
    return kept


@pytest.mark.parametrize("form", FORMS)
def test_an_export_can_be_read_by_every_backend(
    any_store: Store, kafka: SQLiteBackend, tmp_path: Path, form: str
) -> None:
    """Whichever backend wrote it."""
    path = export_profile("kafka", tmp_path / form, include_cache=True, include_secrets=True)
    any_store.clear()
    set_backend(any_store.backend)
    assert import_profile(path) == "kafka"
    assert records_of(any_store.backend, "kafka") == records_of(kafka, "kafka")


def test_other_profiles_are_neither_exported_nor_changed(any_store: Store, tmp_path: Path) -> None:
    """Neither are tasks and the active profile."""
    any_store.empty()
    set_backend(any_store.backend)
    any_store.save_profile({"id": "kafka"})
    any_store.save_query("kafka", {"id": "q"})
    any_store.set_app_state("active_profile_id", "p")
    any_store.save_task_progress("task", 1, "running")
    before = everything(any_store.backend)
    path = export_profile("kafka", tmp_path / "export.zip")
    any_store.delete_profile("kafka")
    import_profile(path)
    assert everything(any_store.backend) == before


# --- limits ------------------------------------------------------------------------------------

DEEPEST: dict[str, Callable[[SQLiteBackend, dict[str, Any]], None]] = {
    "unknown key": lambda backend, value: backend.save_profile({"id": "p", "unknown": value}),
    "section": lambda backend, value: backend.save_profile(
        {"id": "p", "field_mappings": {"dora": {"severity_level": value}}}
    ),
    "query": lambda backend, value: backend.save_query("p", {"id": "q", "unknown": value}),
    "project data": lambda backend, value: backend.save_project_data("p", "q", value),
    "metrics": lambda backend, value: backend.save_metrics_snapshot(
        "p", "q", "2025-W12", "dora", value
    ),
    "forecast": lambda backend, value: backend.save_metrics_snapshot(
        "p", "q", "2025-W12", "dora", {}, value
    ),
}


@pytest.mark.parametrize("put", DEEPEST.values(), ids=DEEPEST)
def test_the_deepest_storable_nesting_comes_back(
    backend: SQLiteBackend, tmp_path: Path, put: Callable[[SQLiteBackend, dict[str, Any]], None]
) -> None:
    set_backend(backend)
    backend.save_profile({"id": "p"})
    backend.save_query("p", {"id": "q"})
    for depth in range(203, 190, -1):
        try:
            put(backend, nested(depth))
        except ValidationError:
            continue
        break
    else:
        pytest.fail("nothing was stored")
    before = whole(backend, "p")
    folder = export_profile("p", tmp_path / "export")
    backend.delete_profile("p")
    import_profile(folder)
    assert whole(backend, "p") == before


@pytest.mark.parametrize("query_id", ["a.json", "a.", "a b", "*", "[1]", "%2e", "~", "-", "ä🚀"])
def test_a_query_comes_back_whatever_its_id(
    kafka: SQLiteBackend, tmp_path: Path, query_id: str
) -> None:
    kafka.save_query("kafka", {"id": query_id, "jql": "a = b"})
    kafka.save_project_data("kafka", query_id, {"k": 1})
    before = whole(kafka, "kafka")
    folder = export_profile("kafka", tmp_path / "export")
    kafka.delete_profile("kafka")
    assert import_profile(folder) == "kafka"
    assert whole(kafka, "kafka") == before


@pytest.mark.parametrize("query_id", ["q" * 200, "ä" * 100, "🚀" * 50], ids=["1", "2", "4"])
def test_a_query_comes_back_with_an_id_of_any_length(
    kafka: SQLiteBackend, tmp_path: Path, query_id: str
) -> None:
    """An id is a valid file name, and has up to 200 bytes."""
    kafka.save_query("kafka", {"id": query_id, "name": "long"})
    before = whole(kafka, "kafka")
    folder = export_profile("kafka", tmp_path / "export")
    kafka.delete_profile("kafka")
    import_profile(folder)
    assert whole(kafka, "kafka") == before


def test_more_than_a_year_of_weeks_comes_back(kafka: SQLiteBackend, tmp_path: Path) -> None:
    kafka.save_metrics_snapshots(
        "kafka",
        "12w",
        [
            {**SNAPSHOT, "snapshot_date": f"{year}-W{week:02d}"}
            for year in (2023, 2024)
            for week in range(1, 53)
        ],
    )
    before = whole(kafka, "kafka")
    folder = export_profile("kafka", tmp_path / "export")
    kafka.delete_profile("kafka")
    import_profile(folder)
    assert whole(kafka, "kafka") == before
    assert len(kafka.get_metrics_snapshots("kafka", "12w", limit=None)) == 106
