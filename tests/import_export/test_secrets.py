"""No token leaves the store unless it is asked for, and none is told."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burndown import (
    SQLiteBackend,
    set_backend,
)
from burndown.import_export import export_profile, import_profile
from tests.import_export.exports import (
    CANARY,
    SECRET_WORDS,
    without_secrets,
)
from tests.strategies import json_objects, json_values

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
    shared.save_profile(profile)
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
