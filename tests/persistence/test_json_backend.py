"""The files of the old dashboard as a store: exact, private, and shared with the dashboard."""

import hashlib
import json
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from burndown import PersistenceBackend, SQLiteBackend, jira_cache_key
from burndown.errors import DatabaseCorruptionError, StorageError, ValidationError
from burndown.models import JiraCache, Profile, Query
from burndown.persistence.json_backend import JSONBackend
from burndown.testing.contract.drawn import json_objects, nested, profiles, queries, snapshots
from burndown.testing.contract.examples import given
from burndown.testing.controlled_store import stored_records
from tests.support.legacy_workspaces import files_without_locks, migrated_records

NOW = datetime(2025, 12, 23, 10, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
CANARY = "canary-token"
IDS = ("p", "q")
QUERY = "p/queries/q"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "profiles"


@pytest.fixture
def files(folder: Path) -> Iterator[JSONBackend]:
    """Create a folder with the profile ``p`` and its query ``q``."""
    with JSONBackend(folder, clock=lambda: NOW) as backend:
        backend.save_profile({"id": "p", "name": "Kafka", "jira_config": {"token": CANARY}})
        backend.save_query("p", {"id": "q", "jql": "project = K"})
        yield backend


def value_of(path: Path) -> Any:
    return json.loads(path.read_bytes())


# --- values come back ------------------------------------------------------------------------

marked_objects = json_objects | st.dictionaries(st.just("_burndown"), json_objects)
unexpected_profiles = st.builds(
    lambda profile, more: {**more, **profile},
    profiles(id=st.sampled_from(["p", "profiles.json", "%p%", "CON", "queries", "a.lock", "ü 1"])),
    marked_objects,
)
odd_queries = st.builds(
    lambda query, more: {**more, **query},
    queries(id=st.sampled_from(["q", "burndown.json", "query.json", "main", "%", "q.tmp"])),
    marked_objects,
)
caches = st.dictionaries(
    st.sampled_from(["a", "b", "ü/.."]),
    json_objects
    | st.fixed_dictionaries(
        {"issues": st.lists(st.fixed_dictionaries({"key": st.just("K-1")}))},
        optional={"timestamp": st.none(), "jql_query": st.just(3), "cache_version": st.just("1")},
    ),
)
changelogs = st.dictionaries(st.sampled_from(["K-1", "issues", "timestamp", ""]), json_objects)
metric_values: st.SearchStrategy[Any] = st.sampled_from([1, 1.0, True, None, "1", -0.0, {}])
few_snapshots = st.lists(
    st.fixed_dictionaries(
        {
            "snapshot_date": st.sampled_from(["2025-W01", "2025-W02"]),
            "metric_type": st.sampled_from(["dora", "flow", "other"]),
            "metrics": st.dictionaries(
                st.sampled_from(["flow_time", "dora_mttr", "x", "x (double)"]), metric_values
            ),
        },
        optional={"forecast": st.none() | json_objects, "forecasts": st.none() | json_objects},
    )
    | snapshots,
    max_size=4,
)


def save_all(
    backend: PersistenceBackend,
    profile: dict[str, Any],
    query: dict[str, Any],
    data: dict[str, Any],
) -> None:
    backend.save_profile(profile)
    backend.save_query(profile["id"], query)
    ids = profile["id"], query["id"]
    backend.save_project_data(*ids, data["project_data"])
    for cache_key, response in data["caches"].items():
        backend.save_jira_cache(*ids, cache_key, response, LATER)
    backend.save_jira_changelogs(
        *ids, {key: each for key, each in data["changelogs"].items() if key}, LATER
    )
    backend.save_metrics_snapshots(*ids, data["snapshots"])
    backend.set_app_state("active_query_id", query["id"])


@given(
    profile=unexpected_profiles,
    query=odd_queries,
    data=st.fixed_dictionaries(
        {
            "project_data": json_objects,
            "caches": caches,
            "changelogs": changelogs,
            "snapshots": few_snapshots,
        }
    ),
    divisor=2,
    large=True,
)
def test_json_files_hold_the_same_as_a_database(
    profile: dict[str, Any], query: dict[str, Any], data: dict[str, Any]
) -> None:
    """Key order, types of numbers and unknown keys are the same; so they are after a migration."""
    with tempfile.TemporaryDirectory() as root:
        backend = JSONBackend(Path(root) / "profiles", clock=lambda: NOW)
        with SQLiteBackend(Path(root) / "b.db", clock=lambda: NOW) as database:
            errors = []
            for each in (backend, database):
                try:
                    save_all(each, profile, query, data)
                except ValidationError as error:
                    errors.append(str(error))
            assert errors in ([], errors[:1] * 2)
            assert stored_records(backend) == stored_records(database)
        assert migrated_records(Path(root) / "profiles") == stored_records(backend)


@pytest.mark.parametrize("depth", [1, 196, 199, 200])
def test_the_deepest_storable_nesting_comes_back(files: JSONBackend, depth: int) -> None:
    value = nested(depth)
    files.save_project_data(*IDS, value)
    files.save_jira_cache(*IDS, "with issues", {**value, "issues": []}, LATER)
    files.save_jira_cache(*IDS, "k", value, LATER)
    files.save_jira_changelog(*IDS, "K-1", value)
    files.save_metrics_snapshot(*IDS, "2025-W12", "dora", value, value)
    files.save_metrics_snapshot(*IDS, "2025-W12", "flow", {key: [1] for key in value})
    assert files.get_project_data(*IDS) == value
    assert files.get_jira_cache(*IDS, "k") == value
    assert files.get_jira_changelog(*IDS, "K-1") == value
    assert files.get_metrics_snapshots(*IDS)[0]["metrics"] == value
    assert files.get_metrics_snapshots(*IDS)[0]["forecast"] == value
    assert files.check_integrity() == (True, [])


# --- read by the old dashboard ---------------------------------------------------------------


def test_files_have_the_format_of_the_dashboard(files: JSONBackend, folder: Path) -> None:
    """This includes their keys, and the copy of the profile in the registry."""
    files.save_metrics_snapshot(*IDS, "2025-W12", "dora", {"dora_mttr": {"value": 1}})
    files.save_metrics_snapshot(*IDS, "2025-W12", "flow", {"flow_time": {}})
    files.save_jira_changelog(*IDS, "K-1", {"key": "K-1"})
    files.save_project_data(*IDS, {"statistics": []})
    files.set_app_state("active_profile_id", "p")
    profile = value_of(folder / "p/profile.json")
    assert profile["name"] == "Kafka"
    assert profile["jira_config"] == {"token": CANARY}
    assert value_of(folder / QUERY / "query.json")["jql"] == "project = K"
    assert value_of(folder / QUERY / "jira_changelog_cache.json") == {"K-1": {"key": "K-1"}}
    assert value_of(folder / QUERY / "project_data.json") == {"statistics": []}
    weeks = {"2025-W12": {"dora_mttr": {"value": 1}, "flow_time": {}}}
    assert value_of(folder / QUERY / "metrics_snapshots.json") == weeks
    registry = value_of(folder / "profiles.json")
    entry = registry["profiles"].pop("p")
    assert registry == {
        "version": "3.0",
        "active_profile_id": "p",
        "active_query_id": None,
        "profiles": {},
    }
    assert entry == {
        "id": "p",
        "name": "Kafka",
        "description": "",
        "created_at": NOW.isoformat(),
        "last_used": NOW.isoformat(),
        "jira_config": {},
        "field_mappings": {},
        "forecast_settings": {},
        "project_classification": {},
        "flow_type_mappings": {},
        "queries": ["q"],
        "show_milestone": False,
        "show_points": False,
    }


def test_a_cached_response_has_the_envelope_of_the_dashboard(
    files: JSONBackend, folder: Path
) -> None:
    """The last one with issues is where the dashboard reads it; the others are kept."""
    files.save_jira_cache(*IDS, "first", {"issues": [], "total_issues": "kept"}, LATER)
    files.save_jira_cache(*IDS, "last", {"issues": [{"key": "K-1"}]}, LATER)
    files.save_jira_cache(*IDS, "without", {"total": 0}, LATER)
    assert value_of(folder / QUERY / "jira_cache.json") == {
        "issues": [{"key": "K-1"}],
        "cache_version": "2.0",
        "timestamp": NOW.isoformat(),
        "jql_query": "project = K",
        "fields_requested": "",
        "total_issues": 1,
        "last_updated": NOW.isoformat(),
        "jql_hash": hashlib.sha256(b"project = K").hexdigest()[:16],
        "changed_keys": ["K-1"],
    }
    assert files.get_jira_cache(*IDS, "last") == {"issues": [{"key": "K-1"}]}
    assert files.get_jira_cache(*IDS, "first") == {"issues": [], "total_issues": "kept"}
    assert files.get_jira_cache(*IDS, "without") == {"total": 0}
    files.save_jira_cache(*IDS, "last", {"total": 1}, LATER)
    assert value_of(folder / QUERY / "jira_cache.json")["total_issues"] == "kept"
    assert len(files.list_jira_caches(*IDS)) == 3


def test_the_token_is_in_the_profile_only(files: JSONBackend, folder: Path) -> None:
    """Not in the registry, even if an import of the dashboard has put it there."""
    registry = value_of(folder / "profiles.json")
    registry["profiles"]["p"].update(jira_config={"token": CANARY}, jira_token=CANARY, other=1)
    (folder / "profiles.json").write_text(json.dumps(registry))
    profile = files.get_profile("p")
    assert profile is not None
    assert profile["jira_config"] == {"token": CANARY}
    files.save_profile({**profile, "jira_token": CANARY, "field_mappings": {"token": CANARY}})
    for name, data in files_without_locks(folder).items():
        assert (CANARY.encode() in data) == (name == "p/profile.json"), name
    assert value_of(folder / "profiles.json")["profiles"]["p"]["other"] == 1


# --- written by the old dashboard ------------------------------------------------------------


def test_a_response_that_the_dashboard_wrote_is_read_by_its_rules(
    files: JSONBackend, folder: Path
) -> None:
    """It replaces the one in its place, and one with its key."""
    key = jira_cache_key("project = K", "key")
    files.save_jira_cache(*IDS, key, {"total": 0}, LATER)
    files.save_jira_cache(*IDS, "k", {"issues": []}, LATER)
    written = {
        "issues": [{"key": "K-1"}],
        "timestamp": NOW.isoformat(),
        "jql_query": "project = K",
        "fields_requested": "key",
    }
    (folder / QUERY / "jira_cache.json").write_text(json.dumps(written))
    assert files.get_jira_cache(*IDS, key) == written
    assert files.get_jira_cache(*IDS, "k") is None
    [listed] = files.list_jira_caches(*IDS)
    assert listed["expires_at"] == (NOW + timedelta(hours=24)).isoformat()
    files.save_jira_cache(*IDS, "k", {"issues": [1]}, LATER)
    assert files.get_jira_cache(*IDS, key) == written
    assert migrated_records(folder) == stored_records(files)


def test_metrics_that_the_dashboard_adds_are_returned_with_the_others(
    files: JSONBackend, folder: Path
) -> None:
    """Values are those of its file, without those that it has removed."""
    forecast = {"predicted_value": 1}
    files.save_metrics_snapshot(*IDS, "2025-W12", "custom", {"flow_x": 1, "gone": 1}, forecast)
    files.save_metrics_snapshot(*IDS, "2025-W12", "other", {"flow_x": 2})
    files.save_metrics_snapshot(*IDS, "2025-W13", "dora", {})
    path = folder / QUERY / "metrics_snapshots.json"
    weeks = {"2025-W12": {"flow_x": 3, "flow_time": {}, "more": 1}, "2025-W14": {"dora_mttr": {}}}
    path.write_text(json.dumps(weeks))
    found = {
        (each["snapshot_date"], each["metric_type"]): (each["metrics"], each["forecast"])
        for each in files.get_metrics_snapshots(*IDS)
    }
    assert found == {
        ("2025-W14", "dora"): ({"dora_mttr": {}}, None),
        ("2025-W12", "custom"): ({"flow_x": 3}, forecast),
        ("2025-W12", "flow"): ({"flow_time": {}}, None),
        ("2025-W12", "other"): ({"flow_x": 2, "more": 1}, None),
    }
    assert migrated_records(folder) == stored_records(files)


def test_histories_that_the_dashboard_adds_do_not_expire(files: JSONBackend, folder: Path) -> None:
    files.save_jira_changelog(*IDS, "K-1", {"k": 1}, LATER)
    path = folder / QUERY / "jira_changelog_cache.json"
    path.write_text(json.dumps({"K-1": {"k": 2}, "K-2": {}}))
    assert files.get_jira_changelogs(*IDS) == {"K-1": {"k": 2}, "K-2": {}}
    expiries = [each["expires_at"] for each in files.list_jira_changelogs(*IDS)]
    assert expiries == [LATER.isoformat(), None]


def test_a_profile_that_the_dashboard_rewrites_is_converted(
    files: JSONBackend, folder: Path
) -> None:
    """Without the marker, or with it if the dashboard has kept it in a changed file."""
    files.save_profile({"id": "p", "name": "Kafka", "deadline": "a key of its own"})
    saved: Any = files.get_profile("p")
    assert saved["deadline"] == "a key of its own"
    path = folder / "p/profile.json"
    for drop in (False, True):
        written = {**value_of(path), "deadline": "2026-01-01", "description": None}
        if drop:
            del written["_burndown"]
        path.write_text(json.dumps(written))
        found = files.get_profile("p")
        assert found is not None
        assert found["forecast_settings"] == {"deadline": "2026-01-01"}
        assert found.keys() & {"deadline", "_burndown"} == set()
        assert migrated_records(folder) == stored_records(files)
        files.save_profile({"id": "p", "deadline": "again"})


def test_the_selection_follows_the_registry_after_a_change(
    files: JSONBackend, folder: Path
) -> None:
    """Until then it is the stored one, even if that does not exist."""
    files.set_app_state("active_profile_id", "nobody")
    files.set_app_state("active_query_id", "q")
    assert files.get_app_state("active_profile_id") == "nobody"
    path = folder / "profiles.json"
    path.write_text(json.dumps({**value_of(path), "active_profile_id": "p"}))
    assert files.get_app_state("active_profile_id") == "p"
    assert files.get_app_state("active_query_id") == "q"
    path.write_text(json.dumps({**value_of(path), "active_query_id": "main"}))
    assert files.get_app_state("active_query_id") is None
    assert migrated_records(folder) == stored_records(files)


def test_a_deleted_file_deletes_its_entries(files: JSONBackend, folder: Path) -> None:
    files.save_jira_changelog(*IDS, "K-1", {}, LATER)
    files.save_metrics_snapshot(*IDS, "2025-W12", "dora", {})
    files.save_project_data(*IDS, {})
    files.save_jira_cache(*IDS, "aside", {}, LATER)
    files.save_jira_cache(*IDS, "k", {"issues": []}, LATER)
    for path in (folder / QUERY).glob("*_*.json"):
        path.unlink()
    assert files.get_jira_changelogs(*IDS) == {}
    assert files.get_metrics_snapshots(*IDS) == []
    assert files.get_project_data(*IDS) is None
    assert [each["cache_key"] for each in files.list_jira_caches(*IDS)] == ["aside"]
    assert migrated_records(folder) == stored_records(files)


def test_files_from_before_profiles_are_migrated_by_the_first_change(tmp_path: Path) -> None:
    (tmp_path / "project_data.json").write_text('{"k": 1}')
    (tmp_path / "app_settings.json").write_text('{"pert_factor": 3}')
    backend = JSONBackend(tmp_path / "profiles")
    before = stored_records(backend)
    assert backend.get_project_data("default", "main") == {"k": 1}
    backend.save_task_progress("fetch", 1, "running")
    backend.clear_task_progress("fetch")
    assert stored_records(backend) == before
    assert (tmp_path / "profiles/default/queries/main/project_data.json").exists()
    backend.delete_profile("default")
    assert backend.list_profiles() == []
    assert (tmp_path / "project_data.json").exists()


def test_a_profile_within_the_folder_of_another_survives_it(tmp_path: Path) -> None:
    """The dashboard accepted ids with slashes."""
    for name in ("a", "a/b"):
        (tmp_path / name / "queries/q").mkdir(parents=True)
        (tmp_path / name / "profile.json").write_text(json.dumps({"name": name}))
        (tmp_path / name / "queries/q/query.json").write_text('{"jql": ""}')
    backend = JSONBackend(tmp_path)
    [kept] = [each for each in backend.list_profiles() if each["id"] != "a"]
    backend.delete_profile("a")
    assert backend.list_profiles() == [kept]
    assert [each["id"] for each in backend.list_queries(kept["id"])] == ["q"]


# --- faults of files -------------------------------------------------------------------------

DAMAGED = {
    "profiles.json": lambda backend: backend.list_profiles(),
    "burndown.json": lambda backend: backend.get_app_state("key"),
    "p/profile.json": lambda backend: backend.get_profile("p"),
    f"{QUERY}/query.json": lambda backend: backend.get_query(*IDS),
    f"{QUERY}/burndown.json": lambda backend: backend.get_metrics_snapshots(*IDS),
    f"{QUERY}/project_data.json": lambda backend: backend.get_project_data(*IDS),
    f"{QUERY}/metrics_snapshots.json": lambda backend: backend.get_metrics_snapshots(*IDS),
}


@pytest.mark.parametrize("name", DAMAGED)
@pytest.mark.parametrize("data", [b'{"k', b"[]", b'{"version": []}'])
def test_a_damaged_file_is_reported_with_the_reason(
    files: JSONBackend, folder: Path, name: str, data: bytes
) -> None:
    """Also within a transaction, and by the integrity check."""
    files.save_metrics_snapshot(*IDS, "2025-W12", "dora", {})
    files.save_project_data(*IDS, {})
    (folder / name).write_bytes(data)
    if data == b'{"version": []}' and not name.endswith("burndown.json"):
        data = b"1e400"
        (folder / name).write_bytes(data)
    with pytest.raises(DatabaseCorruptionError) as caught:
        DAMAGED[name](files)
    assert str(folder / name) in str(caught.value)
    assert ".burndown-work" not in str(caught.value)
    whole, damages = files.check_integrity()
    assert not whole
    assert str(folder / name) in "".join(damages)


@pytest.mark.parametrize("name", ["profiles.json", "burndown.json"])
def test_a_damaged_file_of_the_workspace_leaves_profiles_readable(
    files: JSONBackend, folder: Path, name: str
) -> None:
    """Each change is refused, since it could write the file anew without what was in it."""
    files.save_project_data(*IDS, {"a": 1})
    (folder / name).write_bytes(b"{")
    assert files.get_profile("p") is not None
    assert files.get_query(*IDS) is not None
    assert files.get_project_data(*IDS) == {"a": 1}
    with pytest.raises(DatabaseCorruptionError, match=name):
        files.save_project_data(*IDS, {"a": 2})
    assert (folder / name).read_bytes() == b"{"


def test_a_profile_that_could_be_in_a_damaged_registry_is_not_taken_for_missing(
    files: JSONBackend, folder: Path
) -> None:
    (folder / "profiles.json").write_bytes(b"{")
    with pytest.raises(DatabaseCorruptionError, match=r"profiles\.json"):
        files.get_profile("other")


def test_damage_in_one_file_does_not_affect_others(files: JSONBackend, folder: Path) -> None:
    files.save_profile({"id": "other"})
    (folder / "other/profile.json").write_bytes(b"{")
    assert files.get_profile("p") is not None
    assert files.get_query(*IDS) is not None
    files.save_query("p", {"id": "more"})
    with pytest.raises(DatabaseCorruptionError, match="other"):
        files.list_profiles()
    files.delete_profile("other")
    assert [each["id"] for each in files.list_profiles()] == ["p"]


def test_a_response_that_cannot_be_read_is_missing(files: JSONBackend, folder: Path) -> None:
    files.save_jira_cache(*IDS, "aside", {}, LATER)
    files.save_jira_cache(*IDS, "k", {"issues": []}, LATER)
    (folder / QUERY / "jira_cache.json").write_bytes(b"{")
    assert files.get_jira_cache(*IDS, "k") is None
    assert files.get_jira_cache(*IDS, "aside") == {}


def test_files_and_folders_are_readable_by_the_owner_only(files: JSONBackend, folder: Path) -> None:
    with files.transaction():
        files.save_jira_cache(*IDS, "k", {}, LATER)
    for path in (folder, *folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.parametrize("place", ["new", "p/queries"])
@pytest.mark.parametrize("within", [False, True])
def test_no_link_is_followed(
    files: JSONBackend, folder: Path, tmp_path: Path, place: str, within: bool
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    if (folder / place).exists():
        files.delete_query(*IDS)
        (folder / place).rmdir()
    (folder / place).symlink_to(outside)
    before = files_without_locks(folder)

    def save() -> None:
        with files.transaction() if within else nullcontext():
            files.save_query("p", {"id": "q"})
            files.save_profile({"id": "new"})

    with pytest.raises(StorageError, match="a link"):
        save()
    if within:
        assert files_without_locks(folder) == before
    assert list(outside.iterdir()) == []


def test_the_size_is_that_of_its_own_files(
    files: JSONBackend, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "large").write_bytes(bytes(1000))
    before = files.describe()["size_bytes"]
    assert before == sum(
        path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(".lock")
    )
    (folder / "link").symlink_to(tmp_path / "outside")
    (folder / "p" / "link").symlink_to(tmp_path / "outside")
    assert files.describe()["size_bytes"] == before


def test_files_from_before_profiles_have_a_size_without_a_folder(tmp_path: Path) -> None:
    (tmp_path / "app_settings.json").write_text("{}")
    assert JSONBackend(tmp_path / "profiles").describe()["size_bytes"] == 0


CLASHING = ["profiles.json", "burndown.json", "BURNDOWN.db-wal", "a.lock", "a.tmp", "%", "nul.txt"]


@pytest.mark.parametrize("identifier", [*CLASHING, "queries", "%profiles.json%", "%%", "a."])
def test_an_id_may_be_the_name_of_a_file(files: JSONBackend, folder: Path, identifier: str) -> None:
    """Its folder then has another name; the id is unchanged."""
    files.save_profile({"id": identifier})
    files.save_query(identifier, {"id": identifier})
    files.save_project_data(identifier, identifier, {"k": 1})
    files.set_app_state("active_profile_id", identifier)
    again = JSONBackend(folder)
    assert [each["id"] for each in again.list_queries(identifier)] == [identifier]
    assert again.get_project_data(identifier, identifier) == {"k": 1}
    assert {record["id"] for record in again.records(Profile)} == {"p", identifier}
    assert ((folder / identifier).is_dir()) == (identifier == "queries")
    assert migrated_records(folder) == stored_records(again)
    again.delete_profile(identifier)
    assert [record["id"] for record in again.records(Query)] == ["q"]


@pytest.mark.parametrize("name", ["burndown.db", "team.db", "p/team.sqlite"])
def test_a_database_in_the_folder_does_not_belong_to_the_store(
    files: JSONBackend, folder: Path, name: str
) -> None:
    """It is neither counted nor linked, even while a transaction is open."""
    before = files.describe()["size_bytes"]
    (folder / name).write_bytes(bytes(5000))
    with files.transaction():
        files.save_profile({"id": "new"})
        files.save_query("new", {"id": "q"})
        assert (folder / name).stat().st_nlink == 1
        assert [path.name for path in folder.rglob(f"*{(folder / name).suffix}")] == [
            (folder / name).name
        ]
    files.delete_query("new", "q")
    files.delete_profile("new")
    assert (folder / name).read_bytes() == bytes(5000)
    assert abs(files.describe()["size_bytes"] - before) < 2000


def test_files_of_the_store_are_not_reported_as_leftovers(files: JSONBackend, folder: Path) -> None:
    """A migration knows all of them, including the locks."""
    from burndown.conversion import Findings
    from burndown.files.sqlite_files import SQLiteFiles
    from burndown.legacy import Workspace

    files.save_jira_cache(*IDS, "k", {}, LATER)
    files.save_task_progress("fetch", 1, "running")
    (folder / ".burndown-work").mkdir()
    findings = Findings()
    Workspace.read(folder, findings).report_leftovers(findings, SQLiteFiles(()))
    assert findings == Findings()
    assert [record["cache_key"] for record in files.records(JiraCache)] == ["k"]


# --- a folder that is taken away -------------------------------------------------------------


@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_transaction_in_a_folder_that_was_taken_away_is_reported(
    files: JSONBackend, folder: Path, is_replaced: bool
) -> None:
    """The next call is stored in the folder that is there then."""
    files.save_profile({"id": "first"})

    def save_and_move(name: str) -> None:
        with files.transaction():
            files.save_profile({"id": name})
            folder.rename(folder.with_name("moved"))
            if is_replaced:
                shutil.copytree(folder.with_name("moved"), folder)

    with pytest.raises(StorageError):
        save_and_move("second")
    files.save_profile({"id": "third"})
    found = {profile["id"] for profile in files.list_profiles()}
    assert found == ({"p", "first", "third"} if is_replaced else {"third"})
    with JSONBackend(folder.with_name("moved")) as moved:
        assert {profile["id"] for profile in moved.list_profiles()} == {"p", "first"}


def test_a_damaged_workspace_is_replaced_and_kept_as_it_is(
    files: JSONBackend, folder: Path, tmp_path: Path
) -> None:
    """Files of the dashboard that are newer than the backup are removed, other files stay."""
    copy = files.backup(tmp_path / "copy")
    files.save_profile({"id": "new"})
    (folder / "p" / "profile.json").write_text("{")
    (folder / "notes.txt").write_text("mine")
    kept = files.restore(copy)
    assert kept == folder.with_name("profiles.before-restore")
    assert (kept / "p" / "profile.json").read_text() == "{"
    assert [profile["id"] for profile in files.list_profiles()] == ["p"]
    assert (folder / "notes.txt").read_text() == "mine"
    with files.transaction(), pytest.raises(StorageError, match="within a transaction"):
        files.restore(copy)
    with pytest.raises(StorageError, match="no backup"):
        files.restore(tmp_path / "none")
