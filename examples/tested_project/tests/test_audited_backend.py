"""The audited backend is a backend, and logs what it should."""

import logging
from pathlib import Path

import pytest

from burndown.testing import BackendContract, make_profile
from burndown.testing.contract import OpenBackend
from delivery_forecast import AuditedBackend


@pytest.fixture(scope="module")
def open_backend() -> OpenBackend:
    return lambda folder, clock: AuditedBackend(folder / "store.db", clock)


class TestAuditedBackend(BackendContract):
    """It does all that a backend does."""


def test_changes_of_profiles_are_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "delivery_forecast")
    with AuditedBackend(tmp_path / "store.db", user=lambda: "ada") as backend:
        backend.save_profile(make_profile())
        backend.patch_profile("kafka", {"name": "Streams"})
        backend.delete_profile("kafka")
    assert caplog.messages == [
        "ada saved the profile 'kafka'",
        "ada changed the profile 'kafka'",
        "ada deleted the profile 'kafka'",
    ]
