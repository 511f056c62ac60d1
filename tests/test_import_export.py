"""What is exported can be read, comes back whole, and holds no token; damage imports nothing."""

import json
import os
import resource
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from burndown import (
    ImportExportError,
    PersistenceError,
    ProfileNotFoundError,
    SQLiteBackend,
    ValidationError,
    set_backend,
)
from burndown.import_export import export_profile, import_profile
from tests.stored import everything
from tests.strategies import json_objects, json_values, nested, profiles, queries, snapshots

CANARY = "canary-7f3a"
SECRET_WORDS = ("token", "password", "secret", "authorization", "api_key", "apikey")
SNAPSHOT = {"snapshot_date": "2025-W12", "metric_type": "dora", "metrics": {"k": 1}}
TOMORROW = datetime.now(UTC) + timedelta(days=1)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with what :func:`kafka` says."""
    path = tmp_path_factory.mktemp("template") / "burndown.db"
    with SQLiteBackend(path) as backend, backend.transaction():
        backend.save_profile(
            {
                "id": "kafka",
                "name": "Kafka",
                "jira_config": {"base_url": "https://jira.example.com", "token": CANARY},
                "forecast_settings": {"pert_factor": 1.5},
                "unknown": {"Größe": [1, 2.0, None]},
            }
        )
        for query_id in ("12w", "bugs"):
            backend.save_query("kafka", {"id": query_id, "jql": "project = KAFKA"})
            backend.save_metrics_snapshots(
                "kafka", query_id, [SNAPSHOT, {**SNAPSHOT, "metric_type": "flow", "forecast": {}}]
            )
        backend.save_project_data("kafka", "12w", {"statistics": [{"week": "2025-W12"}]})
        backend.save_jira_cache("kafka", "12w", "k", {"issues": [CANARY]}, TOMORROW)
        backend.save_jira_changelog("kafka", "12w", "K-1", {"histories": [CANARY]})
    return path


@pytest.fixture
def kafka(template: Path, backend: SQLiteBackend) -> SQLiteBackend:
    """The backend in use, with the profile ``kafka`` and its queries ``12w`` and ``bugs``."""
    shutil.copy(template, backend.database.path)
    set_backend(backend)
    return backend


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SQLiteBackend]:
    with SQLiteBackend(tmp_path_factory.mktemp("shared") / "burndown.db") as backend:
        yield backend


def tree(folder: Path) -> dict[str, bytes | str]:
    """Everything below a folder, links by what they point to."""
    found: dict[str, bytes | str] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = f"to {path.readlink()}"
        else:
            found[name] = path.read_bytes() if path.is_file() else "folder"
    return found


def without_manifest(folder: Path) -> dict[str, bytes | str]:
    return {name: content for name, content in tree(folder).items() if name != "manifest.json"}


def without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: without_secrets(item)
            for key, item in value.items()
            if not any(word in key.lower() for word in SECRET_WORDS)
        }
    return [without_secrets(item) for item in value] if isinstance(value, list) else value


def whole(backend: SQLiteBackend, profile_id: str) -> str:
    """What an export is to keep of a profile, as text that tells 1 from 1.0 and true."""
    of_week = ("snapshot_date", "metric_type", "metrics", "forecast")
    found = {
        "profile": without_secrets(backend.get_profile(profile_id)),
        "queries": {
            query["id"]: {
                "query": query,
                "project_data": backend.get_project_data(profile_id, query["id"]),
                "snapshots": [
                    {key: snapshot[key] for key in of_week}
                    for snapshot in backend.get_metrics_snapshots(
                        profile_id, query["id"], limit=None
                    )
                ],
            }
            for query in backend.list_queries(profile_id)
        },
    }
    return json.dumps(found, sort_keys=True)


@contextmanager
def nothing_imported(backend: SQLiteBackend) -> Iterator[None]:
    """All rows of all tables are the same afterwards."""
    before = everything(backend.database.path)
    yield
    assert everything(backend.database.path) == before


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """As on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


# --- out and in again ------------------------------------------------------------------------


@st.composite
def generated(draw: st.DrawFn) -> dict[str, Any]:
    """A profile with queries and what an export keeps of them."""
    profile = draw(profiles())
    if "name" in profile:
        profile["name"] = profile["name"].strip()
    of_profile = draw(
        st.lists(
            queries(),
            max_size=3,
            unique_by=(
                lambda query: query["id"].casefold(),
                lambda query: query.get("name", query["id"]),
            ),
        )
    )
    return {
        "profile": profile,
        "queries": of_profile,
        "data": [draw(st.none() | json_objects) for _ in of_profile],
        "snapshots": [draw(st.lists(snapshots, max_size=3)) for _ in of_profile],
    }


def save(backend: SQLiteBackend, content: dict[str, Any]) -> str:
    """Only this profile is there afterwards."""
    profile_id: str = content["profile"]["id"]
    with backend.transaction():
        for profile in backend.list_profiles():
            backend.delete_profile(profile["id"])
        backend.save_profile(content["profile"])
        for query, data, weeks in zip(
            content["queries"], content["data"], content["snapshots"], strict=True
        ):
            backend.save_query(profile_id, query)
            if data is not None:
                backend.save_project_data(profile_id, query["id"], data)
            backend.save_metrics_snapshots(profile_id, query["id"], weeks)
    return profile_id


@given(content=generated())
def test_what_is_exported_comes_back_whole(
    shared: SQLiteBackend, tmp_path_factory: pytest.TempPathFactory, content: dict[str, Any]
) -> None:
    """And exported again, it is the same text."""
    assume(without_secrets(content["queries"]) == content["queries"])
    assume(without_secrets(content["data"]) == content["data"])
    assume(without_secrets(content["snapshots"]) == content["snapshots"])
    set_backend(shared)
    profile_id = save(shared, content)
    before = whole(shared, profile_id)
    folder = export_profile(profile_id, tmp_path_factory.mktemp("export") / "profile")
    assert whole(shared, profile_id) == before
    shared.delete_profile(profile_id)
    assert import_profile(folder) == profile_id
    assert whole(shared, profile_id) == before
    again = export_profile(profile_id, folder.with_name("again"))
    for part in ("queries", "project_data"):
        assert tree(again / part) == tree(folder / part)
    assert (again / "profile.json").read_bytes() == (folder / "profile.json").read_bytes()
    shutil.rmtree(folder.parent)


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
def test_what_is_nested_as_deep_as_can_be_stored_comes_back(
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
def test_a_query_comes_back_however_long_its_id(
    kafka: SQLiteBackend, tmp_path: Path, query_id: str
) -> None:
    """An id is safe as a file name, and has up to 200 bytes."""
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


# --- the folder ------------------------------------------------------------------------------


def test_the_folder_is_laid_out_as_the_quickstart_says(
    kafka: SQLiteBackend, tmp_path: Path
) -> None:
    """A path is relative to the current folder, and the folders above it are made."""
    folder = export_profile(profile_id="kafka", export_path="backups/kafka-backup")
    assert folder == Path("backups/kafka-backup")
    assert set(tree(tmp_path / "backups")) == {
        f"kafka-backup{below}"
        for below in (
            "",
            "/manifest.json",
            "/metrics",
            "/metrics/snapshots.json",
            "/profile.json",
            "/project_data",
            "/project_data/12w.json",
            "/queries",
            "/queries/12w.json",
            "/queries/bugs.json",
        )
    }
    profile_id = import_profile(import_path=str(folder), profile_name="Kafka (Restored)")
    assert profile_id == "kafka-restored"


def test_a_profile_without_queries_is_laid_out_likewise(
    backend: SQLiteBackend, tmp_path: Path
) -> None:
    set_backend(backend)
    backend.save_profile({"id": "empty"})
    folder = export_profile("empty", tmp_path / "export")
    assert set(tree(folder)) == {
        "manifest.json",
        "metrics",
        "metrics/snapshots.json",
        "profile.json",
        "queries",
    }
    backend.delete_profile("empty")
    assert import_profile(folder) == "empty"


def test_every_file_is_text_for_people_with_sorted_keys(
    kafka: SQLiteBackend, tmp_path: Path
) -> None:
    folder = export_profile("kafka", tmp_path / "export")
    assert "Größe" in (folder / "profile.json").read_text("utf-8")
    for path in folder.rglob("*.json"):
        text = path.read_text("utf-8")
        value = json.loads(text)
        assert text == json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def test_a_second_export_has_the_same_bytes_but_for_its_time(
    kafka: SQLiteBackend, tmp_path: Path
) -> None:
    one, other = (export_profile("kafka", tmp_path / name) for name in ("one", "other"))
    assert without_manifest(one) == without_manifest(other)
    manifests = [
        json.loads((folder / "manifest.json").read_text("utf-8")) for folder in (one, other)
    ]
    for manifest in manifests:
        assert datetime.fromisoformat(manifest.pop("exported_at")).tzinfo is not None
    assert manifests[0] == manifests[1]
    assert export_profile("kafka", one) == one
    assert without_manifest(one) == without_manifest(other)


def test_exporting_changes_nothing_that_is_stored(kafka: SQLiteBackend, tmp_path: Path) -> None:
    with nothing_imported(kafka):
        export_profile("kafka", tmp_path / "export")


# --- no token --------------------------------------------------------------------------------

secret_keys = st.builds(
    lambda before, word, after: before + word + after,
    st.sampled_from(["", "jira_", "old ", "X-"]),
    st.sampled_from([*SECRET_WORDS, *(word.upper() for word in SECRET_WORDS), "Authorization"]),
    st.sampled_from(["", "s", "_2"]),
)


@st.composite
def with_canary(draw: st.DrawFn) -> dict[str, Any]:
    """An object with a secret somewhere in it, and other values."""
    inner: Any = draw(st.sampled_from([CANARY, [CANARY], {"k": CANARY}]))
    value: dict[str, Any] = {**draw(json_objects), draw(secret_keys): inner}
    for _ in range(draw(st.integers(0, 3))):
        value = {"nested": draw(st.sampled_from([value, [value], [[1, value]]]))}
    return value


@given(value=with_canary(), other=json_values)
def test_no_secret_of_a_profile_is_in_any_file(
    shared: SQLiteBackend, tmp_path_factory: pytest.TempPathFactory, value: Any, other: Any
) -> None:
    """What is beside it is exported."""
    set_backend(shared)
    profile = {
        "id": "p",
        "jira_token": CANARY,
        "jira_config": {"token": CANARY, "unknown": value},
        "field_mappings": {"dora": {"severity_level": value}},
        "unknown": [value],
        "other": other,
    }
    save(shared, {"profile": profile, "queries": [], "data": [], "snapshots": []})
    folder = export_profile("p", tmp_path_factory.mktemp("export") / "p")
    for path in folder.rglob("*.json"):
        assert CANARY not in path.read_text("utf-8")
    written = json.loads((folder / "profile.json").read_text("utf-8"))
    assert written == without_secrets(shared.get_profile("p"))
    shutil.rmtree(folder.parent)


SECRETS_OF_A_QUERY: dict[str, Callable[[SQLiteBackend, dict[str, Any]], None]] = {
    "query": lambda backend, secret: backend.save_query("kafka", {"id": "12w", **secret}),
    "within a query": lambda backend, secret: backend.save_query(
        "kafka", {"id": "12w", "unknown": [secret]}
    ),
    "project data": lambda backend, secret: backend.save_project_data("kafka", "12w", secret),
    "metrics": lambda backend, secret: backend.save_metrics_snapshot(
        "kafka", "12w", "2025-W12", "other", {"settings": secret}
    ),
}


@pytest.mark.parametrize("put", SECRETS_OF_A_QUERY.values(), ids=SECRETS_OF_A_QUERY)
def test_no_secret_beside_a_query_is_in_any_file(
    kafka: SQLiteBackend, tmp_path: Path, put: Callable[[SQLiteBackend, dict[str, Any]], None]
) -> None:
    put(kafka, {"jira_token": CANARY})
    folder = export_profile("kafka", tmp_path / "export")
    found = [path.name for path in folder.rglob("*.json") if CANARY in path.read_text("utf-8")]
    assert found == []


def test_an_imported_profile_has_no_token(kafka: SQLiteBackend, tmp_path: Path) -> None:
    folder = export_profile("kafka", tmp_path / "export")
    found = kafka.get_profile(import_profile(folder, "New"))
    assert found is not None
    assert found["jira_config"] == {"base_url": "https://jira.example.com"}


# --- where an export may go ------------------------------------------------------------------

OTHERS: dict[str, Callable[[Path], object]] = {
    "a file": lambda path: path.write_text("mine"),
    "a folder of other files": lambda path: (path / "sub").mkdir(parents=True),
    "another manifest": lambda path: (
        path.mkdir(),
        (path / "manifest.json").write_text('{"format": "of an app"}'),
    ),
    "a damaged manifest": lambda path: (
        path.mkdir(),
        (path / "manifest.json").write_text('{"format": "burndown export"'),
    ),
    "a manifest that is a list": lambda path: (
        path.mkdir(),
        (path / "manifest.json").write_text('["burndown export"]'),
    ),
    "a link to a folder": lambda path: (
        path.with_name("elsewhere").mkdir(),
        path.symlink_to(path.with_name("elsewhere")),
    ),
    "a link to an export": lambda path: path.symlink_to(
        export_profile("kafka", path.with_name("elsewhere"))
    ),
    "a link to nowhere": lambda path: path.symlink_to(path.with_name("nowhere")),
    "something below a file": lambda path: path.parent.rmdir() or path.parent.write_text("mine"),
}


@pytest.mark.parametrize("make", OTHERS.values(), ids=OTHERS)
def test_what_is_no_export_is_left_alone(
    kafka: SQLiteBackend, tmp_path: Path, make: Callable[[Path], object]
) -> None:
    """And nothing is left beside it."""
    target = tmp_path / "folder" / "export"
    target.parent.mkdir()
    make(target)
    before = tree(tmp_path / "folder")
    with nothing_imported(kafka), pytest.raises(ImportExportError, match="export"):
        export_profile("kafka", target)
    assert tree(tmp_path / "folder") == before


def test_an_export_takes_the_place_of_an_earlier_one(kafka: SQLiteBackend, tmp_path: Path) -> None:
    """Nothing of the earlier one is left, in it or beside it."""
    target = tmp_path / "folder" / "export"
    export_profile("kafka", target)
    kafka.delete_query("kafka", "12w")
    kafka.save_profile({"id": "other"})
    for profile_id in ("kafka", "other", "kafka"):
        export_profile(profile_id, target)
        assert [path.name for path in target.parent.iterdir()] == ["export"]
        assert json.loads((target / "profile.json").read_text("utf-8"))["id"] == profile_id
    assert not (target / "queries" / "12w.json").exists()
    kafka.delete_profile("kafka")
    import_profile(target)
    assert [query["id"] for query in kafka.list_queries("kafka")] == ["bugs"]


def test_an_export_may_go_to_an_empty_folder(kafka: SQLiteBackend, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    export_profile("kafka", tmp_path / "empty")
    assert (tmp_path / "empty" / "profile.json").exists()


@pytest.mark.parametrize("here", [".", "", "./", "../here", "../here/."])
def test_an_export_to_the_current_folder_is_made_or_refused(
    kafka: SQLiteBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, here: str
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    try:
        export_profile("kafka", here)
    except ImportExportError:
        assert tree(tmp_path / "here") == {}
    else:
        assert (tmp_path / "here" / "profile.json").exists()


def test_a_profile_that_is_not_there_is_not_exported(kafka: SQLiteBackend, tmp_path: Path) -> None:
    """An earlier export stays."""
    folder = export_profile("kafka", tmp_path / "export")
    before = tree(folder)
    with pytest.raises(ProfileNotFoundError, match="Profile 'xyz' not found"):
        export_profile("xyz", folder)
    with pytest.raises(ProfileNotFoundError):
        export_profile("xyz", tmp_path / "new")
    assert tree(folder) == before
    assert not (tmp_path / "new").exists()


def test_an_export_that_cannot_be_written_leaves_the_earlier_one(
    kafka: SQLiteBackend, tmp_path: Path
) -> None:
    target = tmp_path / "folder" / "export"
    export_profile("kafka", target)
    before = tree(target.parent)
    kafka.save_project_data("kafka", "bugs", {"long": "x" * 300_000})
    for path in (target, target.with_name("new")):
        with files_no_larger_than(200_000), pytest.raises(ImportExportError, match="not written"):
            export_profile("kafka", path)
        assert tree(target.parent) == before


# --- names and ids ---------------------------------------------------------------------------


def test_a_name_that_is_taken_imports_nothing(kafka: SQLiteBackend, tmp_path: Path) -> None:
    folder = export_profile("kafka", tmp_path / "export")
    kafka.save_profile({"id": "other", "name": "Straße"})
    for name in (None, "Kafka", " kAFKA ", "STRASSE"):
        with nothing_imported(kafka), pytest.raises(ValidationError, match="name other than"):
            import_profile(folder, name)
    for name in (" ", "x" * 101, "a\0b", "\ud800"):
        with nothing_imported(kafka), pytest.raises(ValidationError, match="name"):
            import_profile(folder, name)


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


# --- damage ----------------------------------------------------------------------------------

FILES = ("manifest.json", "profile.json", "metrics/snapshots.json", "queries/12w.json")
DAMAGE: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-4]),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "doubled": lambda path: path.write_bytes(path.read_bytes() * 2),
    "no UTF-8": lambda path: path.write_bytes(path.read_bytes().replace(b'"', b'"\xff', 1)),
    "a list": lambda path: path.write_text("[]"),
    "a text": lambda path: path.write_text('"text"'),
    "null": lambda path: path.write_text("null"),
    "NaN": lambda path: path.write_text('{"k": NaN}'),
    "infinity": lambda path: path.write_text('{"k": -Infinity}'),
    "half a surrogate pair": lambda path: path.write_text('{"k": "\\ud800"}'),
    "too deep": lambda path: path.write_text('{"k": ' + "[" * 10_000 + "]" * 10_000 + "}"),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "a link to itself": lambda path: (path.unlink(), path.symlink_to(path)),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize("name", [*FILES, "project_data/12w.json"])
def test_a_damaged_file_is_named_and_nothing_is_imported(
    kafka: SQLiteBackend, tmp_path: Path, name: str, damage: Callable[[Path], object]
) -> None:
    folder = export_profile("kafka", tmp_path / "export")
    if (name, damage) == ("project_data/12w.json", DAMAGE["missing"]):
        pytest.skip("a query may have no project data")
    damage(folder / name)
    with nothing_imported(kafka), pytest.raises(ImportExportError) as caught:
        import_profile(folder, "New")
    assert name in str(caught.value)


def test_a_folder_that_is_no_export_is_refused(kafka: SQLiteBackend, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("{}")
    for name in ("nowhere", "empty", "file"):
        with nothing_imported(kafka), pytest.raises(ImportExportError, match=name):
            import_profile(tmp_path / name)


@pytest.mark.parametrize(
    "manifest",
    [{}, {"format": "burndown export"}, {"format": "another", "format_version": 1}]
    + [{"format": "burndown export", "format_version": version} for version in (0, 2, "1", None)],
    ids=str,
)
def test_an_export_of_another_version_is_refused(
    kafka: SQLiteBackend, tmp_path: Path, manifest: dict[str, Any]
) -> None:
    folder = export_profile("kafka", tmp_path / "export")
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with nothing_imported(kafka), pytest.raises(ImportExportError, match="no export"):
        import_profile(folder, "New")


def test_an_export_without_its_queries_is_refused(kafka: SQLiteBackend, tmp_path: Path) -> None:
    """As one that was copied in part."""
    folder = export_profile("kafka", tmp_path / "export")
    shutil.rmtree(folder / "queries")
    with nothing_imported(kafka), pytest.raises(ImportExportError, match="queries"):
        import_profile(folder, "New")


HOSTILE: dict[str, tuple[str, Any]] = {
    "a query that is a dot": ("queries/..json", {"jql": "a = b"}),
    "a query that is two dots": ("queries/...json", {"jql": "a = b"}),
    "a query without an id": ("queries/.json", {"jql": "a = b"}),
    "a hidden query": ("queries/.hidden.json", {}),
    "a query with blanks around": ("queries/ q.json", {}),
    "a query with a line break": ("queries/a\nb.json", {}),
    "a query with a backslash": ("queries/..\\up.json", {}),
    "a list as query": ("queries/list.json", [{"jql": "a = b"}]),
    "a number as JQL": ("queries/new.json", {"jql": 3}),
    "a name that is taken": ("queries/new.json", {"name": "bugs"}),
    "a bad moment of a query": ("queries/new.json", {"created_at": "yesterday"}),
    "a list as data": ("project_data/12w.json", [1]),
    "snapshots of an unknown query": ("metrics/snapshots.json", {"gone": [SNAPSHOT]}),
    "snapshots that are an object": ("metrics/snapshots.json", {"12w": SNAPSHOT}),
    "snapshots that are a text": ("metrics/snapshots.json", {"12w": "dora"}),
    "snapshots that are null": ("metrics/snapshots.json", {"12w": None}),
    "a number as snapshot": ("metrics/snapshots.json", {"12w": [SNAPSHOT, 3]}),
    "null as snapshot": ("metrics/snapshots.json", {"12w": [None]}),
    "a text as snapshot": ("metrics/snapshots.json", {"12w": ["dora"]}),
    "a list as snapshot": ("metrics/snapshots.json", {"12w": [[["metrics", {}]]]}),
    "an empty snapshot": ("metrics/snapshots.json", {"12w": [{}]}),
    "a week that is none": (
        "metrics/snapshots.json",
        {"12w": [SNAPSHOT, {**SNAPSHOT, "snapshot_date": "2025-W53"}]},
    ),
    "a list as metrics": ("metrics/snapshots.json", {"12w": [{**SNAPSHOT, "metrics": []}]}),
    "more than a snapshot": ("metrics/snapshots.json", {"12w": [{**SNAPSHOT, "more": 1}]}),
    "a path as id": ("profile.json", {"id": "../up", "name": "Up"}),
    "no id of a folder": ("profile.json", {"id": "", "name": "Up"}),
    "a list as section": ("profile.json", {"id": "new", "jira_config": [1]}),
    "a bad number": ("profile.json", {"id": "new", "forecast_settings": {"pert_factor": 0}}),
    "a bad moment": ("profile.json", {"id": "new", "created_at": "yesterday"}),
}


@pytest.mark.parametrize(("name", "content"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_contents_import_nothing(
    kafka: SQLiteBackend, tmp_path: Path, name: str, content: Any
) -> None:
    folder = export_profile("kafka", tmp_path / "export")
    (folder / name).write_text(json.dumps(content), "utf-8")
    before = tree(tmp_path / "export")
    with nothing_imported(kafka), pytest.raises(PersistenceError):
        import_profile(folder, "New")
    assert tree(tmp_path / "export") == before


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_file_name_that_is_no_text_imports_nothing(kafka: SQLiteBackend, tmp_path: Path) -> None:
    folder = export_profile("kafka", tmp_path / "export")
    (folder / "queries" / os.fsdecode(b"\xff.json")).write_text("{}")
    with nothing_imported(kafka), pytest.raises(PersistenceError) as caught:
        import_profile(folder, "New")
    str(caught.value).encode()


@pytest.mark.parametrize("name", [None, 3, ["Kafka"], {}, ""])
def test_a_profile_without_a_name_can_be_given_one(
    kafka: SQLiteBackend, tmp_path: Path, name: object
) -> None:
    folder = export_profile("kafka", tmp_path / "export")
    profile = json.loads((folder / "profile.json").read_text("utf-8"))
    (folder / "profile.json").write_text(json.dumps({**profile, "name": name}))
    with nothing_imported(kafka), pytest.raises(ValidationError, match="name"):
        import_profile(folder)
    assert import_profile(folder, "New") == "new"


@pytest.mark.parametrize("profile_id", [None, 3, ["kafka"], {}, "kafka"])
def test_an_id_that_is_no_text_gives_way_to_one_made_of_the_name(
    kafka: SQLiteBackend, tmp_path: Path, profile_id: object
) -> None:
    folder = export_profile("kafka", tmp_path / "export")
    (folder / "profile.json").write_text(json.dumps({"id": profile_id}))
    assert import_profile(folder, "New") == "new"


def test_a_query_belongs_to_the_import_whatever_its_file_says(
    kafka: SQLiteBackend, tmp_path: Path
) -> None:
    """Its id is the name of its file."""
    folder = export_profile("kafka", tmp_path / "export")
    kafka.save_profile({"id": "victim"})
    claims = {"id": "../../up", "profile_id": "victim", "jql": "a = b"}
    (folder / "queries" / "12w.json").write_text(json.dumps(claims))
    assert import_profile(folder, "New") == "new"
    assert kafka.list_queries("victim") == []
    assert {query["id"] for query in kafka.list_queries("new")} == {"12w", "bugs"}
    found = kafka.get_query("new", "12w")
    assert found is not None
    assert (found["profile_id"], found["jql"]) == ("new", "a = b")


def test_what_is_beside_the_files_of_an_export_is_not_read(
    kafka: SQLiteBackend, tmp_path: Path
) -> None:
    folder = export_profile("kafka", tmp_path / "export")
    for name in ("README.txt", "queries/notes.txt", "queries/12w.json.bak", "other.json"):
        (folder / name).write_text("no JSON")
    import_profile(folder, "New")
    assert {query["id"] for query in kafka.list_queries("new")} == {"12w", "bugs"}
