"""A few cases of ``python -m tests.fuzz``; and each of its rules detects a fault."""

import random
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from burndown import ImportExportError, get_backend
from tests.fuzz import cases, running
from tests.fuzz.box import BAIT, Box
from tests.fuzz.material import CANARY, Material, demo_material
from tests.fuzz.running import Result, case_of, run_case, run_here

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "alarm"), reason="a case is stopped by a signal"
)


@pytest.fixture(scope="module")
def material() -> Material:
    return demo_material()


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return the folder of the cases."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def test_malformed_input_is_refused_or_imported_completely(
    material: Material, folder: Path
) -> None:
    summary = run_here(material, 7, range(75), folder)
    assert not summary.findings, summary.findings[0]
    ended = " ".join(summary.outcomes)
    assert all(word in ended for word in ("imported", "refused", "migrated", "stopped", "exported"))
    assert not any(folder.iterdir())


def test_a_case_depends_on_seed_and_number_only(material: Material, folder: Path) -> None:
    def results() -> list[Result]:
        return [
            run_case(*case_of(1, number), number, material, folder)._replace(memory_mb=0)
            for number in (3, 1, 2)
        ]

    assert results() == results()


# --- faults are detected ---------------------------------------------------------------------


def raise_value_error(box: Box) -> None:
    raise ValueError("raised by the package")


def write_outside(box: Box) -> None:
    (box.outside / "evil.json").write_text("{}")


def change_outside(box: Box) -> None:
    (box.outside / "bait.json").write_text("{}")


def remove_outside(box: Box) -> None:
    (box.outside / "bait.json").unlink()


def save_some_rows(box: Box) -> None:
    get_backend().save_profile({"id": "half"})
    raise ImportExportError("refused too late")


def print_token(box: Box) -> None:
    raise ImportExportError(f"not valid, got {CANARY!r}")


def raise_with_token_as_cause(box: Box) -> None:
    try:
        raise KeyError(CANARY)
    except KeyError as error:
        raise ImportExportError("not valid") from error


def print_outside_file(box: Box) -> None:
    raise ImportExportError(f"not valid, got {BAIT!r}")


def hang(box: Box) -> None:
    time.sleep(10)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (raise_value_error, "ValueError: raised by the package"),
        (write_outside, "'outside/evil.json' was made"),
        (change_outside, "'outside/bait.json' was changed"),
        (remove_outside, "'outside/bait.json' was removed"),
        (save_some_rows, "rows of profiles have changed"),
        (print_token, "the token is told"),
        (raise_with_token_as_cause, "the token is told"),
        (print_outside_file, "what lies outside is told"),
    ],
)
@pytest.mark.parametrize("case", [cases.import_folder, cases.import_archive])
def test_a_fault_of_an_import_is_detected(
    case: cases.Case,
    fault: Callable[[Box], None],
    told: str,
    material: Material,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    result = run_with(fault, case, material, folder, monkeypatch)
    assert any(told in problem for problem in result.problems), result


def run_with(
    fault: Callable[[Box], None],
    case: cases.Case,
    material: Material,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Result:
    """Run a case in which the package breaks a rule, and then raises an error."""
    boxes: list[Box] = []

    def noted(rng: random.Random, material: Material, box: Box) -> str:
        boxes.append(box)
        return case(rng, material, box)

    def faulty(*_: Any, **__: Any) -> None:
        fault(boxes[-1])
        raise ImportExportError("refused")

    for name in ("run_import", "import_profile", "read_manifest"):
        monkeypatch.setattr(cases, name, faulty)
    return run_case(noted, random.Random(1), 1, material, folder)


def test_a_migration_that_fails_half_way_is_detected(
    material: Material, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(profiles: Path, *_: Any, **__: Any) -> None:
        (profiles / "burndown.db").write_bytes(b"half")
        (profiles / "kafka" / "profile.json").unlink()
        raise ImportExportError("stopped too late")

    monkeypatch.setattr(cases, "run_migration_if_needed", faulty)
    monkeypatch.setattr(cases, "damaged_tree", lambda *_: ["nothing"])
    monkeypatch.setattr(random.Random, "choice", lambda self, values: values[0])
    result = run_case(cases.migrate, random.Random(1), 1, material, folder)
    assert "'input/profiles/burndown.db' was made" in result.problems
    assert "'input/profiles/kafka/profile.json' was removed" in result.problems


def test_a_hang_is_detected(
    material: Material, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "SECONDS", 1)
    result = run_with(hang, cases.import_folder, material, folder, monkeypatch)
    assert "took more than 1 seconds" in result.problems[0]


def test_memory_is_limited(
    material: Material, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = iter((100, 600))
    monkeypatch.setattr(running, "_memory_mb", lambda: next(told))
    result = run_case(lambda *_: "done", random.Random(1), 1, material, folder)
    assert result.problems == ("took 600 MB of memory",)
