"""Callbacks of a Dash application lose nothing acknowledged, in workers and in forked processes."""

import json
import os
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from burndown.persistence import open_backend
from tests.web.gunicorn import running_gunicorn

pytest.importorskip("dash")
pytest.importorskip("gunicorn")

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="gunicorn needs a fork")
CALLBACKS = 48
WORKERS = 2


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Run two workers, forked from a process with an open store."""
    with running_gunicorn("tests.web.dash_app:server", tmp_path, CALLBACKS, WORKERS) as url:
        yield url


def run_callback(address: str, button: str, clicks: int) -> str:
    """Run a callback as the page in a browser does; return the process that saved."""
    target = {"save": "saved", "fork": "forked"}[button]
    body = {
        "output": f"{target}.children",
        "outputs": {"id": target, "property": "children"},
        "inputs": [{"id": button, "property": "n_clicks", "value": clicks}],
        "changedPropIds": [f"{button}.n_clicks"],
    }
    request = urllib.request.Request(
        f"{address}/_dash-update-component",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return str(json.load(response)["response"][target]["children"])


def test_all_callbacks_of_forked_workers_are_stored(address: str, tmp_path: Path) -> None:
    """They run in two workers, and in processes that are forked from their threads."""

    def run(number: int) -> str:
        return run_callback(address, "fork" if number % 4 == 0 else "save", number)

    with ThreadPoolExecutor(CALLBACKS) as pool:
        processes = list(pool.map(run, range(CALLBACKS)))
    with open_backend(tmp_path / "burndown.db") as backend:
        saved = {backend.get_app_state(f"save-{number}") for number in range(CALLBACKS)}
        assert saved == {"x"}
        assert backend.get_app_state("count") == str(CALLBACKS)
        assert backend.get_app_state("started_in") not in processes
        assert backend.check_integrity() == (True, [])
    workers = {process for number, process in enumerate(processes) if number % 4}
    assert len(workers) <= WORKERS < len(set(processes))
