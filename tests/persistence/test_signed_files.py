"""JSON files that are not as this package wrote them are damaged, or were edited elsewhere."""

import json
import random
import shutil
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burndown import PersistenceError
from burndown.legacy.signature import has_signature, sign, verified
from burndown.models import ENTITIES
from burndown.persistence.json_backend import JSONBackend
from burndown.testing.contract.drawn import json_values
from burndown.testing.controlled_store import HOUR
from tests.support.damage import changed_bit

IDS = ("kafka", "12w")


@given(content=st.binary(max_size=200))
def test_a_signed_content_is_returned_unchanged(content: bytes) -> None:
    assert has_signature(sign(content))
    assert verified(sign(content)) == content


@pytest.mark.parametrize("content", [b"", b"{}", b'{"issues": []}'])
def test_each_changed_bit_of_a_signature_is_found(content: bytes) -> None:
    signed = sign(content)
    for bit in range(8 * len(content), 8 * len(signed)):
        damaged = bytearray(signed)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ValueError, match="not as it was saved"):
            verified(bytes(damaged))


@given(value=json_values, indent=st.sampled_from([None, 1, 2, 4, 8, 16, "\t"]), end=st.text(" \n"))
def test_a_file_without_a_signature_is_read_as_it_is(
    value: Any, indent: int | str | None, end: str
) -> None:
    """However it is indented."""
    data = (json.dumps({"a": [[value]]}, indent=indent) + end[:60]).encode()
    assert verified(data) == data


@given(value=st.dictionaries(st.text(), st.integers()))
def test_json_ignores_a_signature(value: dict[str, int]) -> None:
    assert json.loads(sign(json.dumps(value).encode())) == value


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write a workspace with every file that there can be."""
    with JSONBackend(tmp_path / "profiles") as backend:
        backend.save_profile({"id": "kafka", "name": "Kafka"})
        backend.save_query("kafka", {"id": "12w", "name": "12 weeks", "jql": "project = KAFKA"})
        for key in ("a", "b"):
            response = {"issues": [{"key": f"K-{key}", "fields": {"summary": "x" * 40}}]}
            backend.save_jira_cache(*IDS, key, response, HOUR)
        backend.save_jira_changelog(*IDS, "K-1", {"changelog": {"histories": []}})
        backend.save_project_data(*IDS, {"statistics": [{"date": "2025-01-06"}]})
        backend.save_metrics_snapshot(*IDS, "2025-W12", "dora", {"lead_time_days": 2.5})
        backend.save_budget(*IDS, {"time_allocated_weeks": 10})
        backend.set_app_state("theme", "dark")
        backend.save_task_progress("fetch", 5, "running")
    return tmp_path / "profiles"


def reads(backend: JSONBackend) -> list[Callable[[], Any]]:
    return [partial(backend.records, entity) for entity in ENTITIES]


def returned(read: Callable[[], Any]) -> set[str]:
    return {json.dumps(each) for each in read()}


def test_an_intact_workspace_has_neither_damage_nor_edits(folder: Path) -> None:
    backend = JSONBackend(folder)
    assert backend.check_integrity() == (True, [])
    assert backend.integrity_notes() == []


@pytest.mark.parametrize("count", [40, pytest.param(500, marks=pytest.mark.soak)])
def test_a_changed_bit_is_reported_and_never_returned(
    folder: Path, tmp_path: Path, count: int
) -> None:
    """What Jira can return again is then absent, any other read raises an error."""
    expected = [returned(read) for read in reads(JSONBackend(folder))]
    files = sorted(path.relative_to(folder) for path in folder.rglob("*.json"))
    rng = random.Random(count)
    for number in range(count):
        damaged = tmp_path / "damaged"
        shutil.copytree(folder, damaged)
        path = damaged / rng.choice(files)
        content = bytearray(path.read_bytes())
        changed_bit(content, rng)
        path.write_bytes(content)
        backend = JSONBackend(damaged)
        for read, records in zip(reads(backend), expected, strict=True):
            with suppress(PersistenceError):
                assert returned(read) <= records, number
        is_intact, _ = backend.check_integrity()
        assert not is_intact, number
        shutil.rmtree(damaged)


def test_a_file_that_the_dashboard_has_written_is_noted_and_read(folder: Path) -> None:
    """It writes without the signature of this package."""
    path = folder / "kafka/queries/12w/project_data.json"
    path.write_text(json.dumps({"statistics": []}, indent=2), "utf-8")
    backend = JSONBackend(folder)
    assert backend.get_project_data(*IDS) == {"statistics": []}
    assert backend.check_integrity() == (True, [])
    assert backend.integrity_notes() == [f"{path} was written by another program"]


def test_a_damaged_file_can_be_accepted_by_deleting_its_signature(folder: Path) -> None:
    """The error says so, for those who have edited it."""
    path = folder / "kafka/queries/12w/project_data.json"
    path.write_bytes(path.read_bytes().replace(b"2025-01-06", b"2025-01-13"))
    backend = JSONBackend(folder)
    with pytest.raises(PersistenceError, match=r"project_data\.json is damaged.*last line"):
        backend.get_project_data(*IDS)
    path.write_text(path.read_text("utf-8").rstrip(), "utf-8")
    assert backend.get_project_data(*IDS) == {"statistics": [{"date": "2025-01-13"}]}
