"""What all tests share: the Hypothesis profile, a backend, and a workspace of their own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import burndown
from burndown import SQLiteBackend

settings.register_profile("default", max_examples=50, deadline=None)
settings.register_profile("ci", max_examples=50, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(autouse=True)
def _workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test reads the settings of the caller, writes into the checkout or leaves a backend."""
    for variable in list(os.environ):
        if variable.upper().startswith("BURNDOWN_"):
            monkeypatch.delenv(variable)
    monkeypatch.chdir(tmp_path)
    yield
    burndown.set_backend(None)


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[SQLiteBackend]:
    """A backend on a new file."""
    with SQLiteBackend(tmp_path / "burndown.db") as new:
        yield new
