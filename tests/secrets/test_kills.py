"""A killed change of secrets leaves all of them as they were, or all changed."""

import json
import random
from pathlib import Path

import pytest

from burndown.models import OPEN_ENTITIES
from burndown.persistence import open_backend
from burndown.sealing import Resealing, change_secrets, secrets_status
from tests.support.processes import count_calls, killed_at, needs_fork
from tests.support.secret_keys import CANARY, KEY, OTHER_KEY, VARIABLE, files_with


@needs_fork
@pytest.mark.parametrize("kills", [5, pytest.param(100, marks=pytest.mark.soak)])
@pytest.mark.parametrize("change", Resealing)
@pytest.mark.parametrize("name", ["sqlite", "json"])
def test_a_killed_change_is_complete_or_absent(
    name: str, change: Resealing, kills: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whenever it is killed, each secret is there, and the next one completes it."""
    folder = tmp_path / "store"
    place = str(folder / "burndown.db") if name == "sqlite" else f"json:{folder}"
    if change is not Resealing.SEAL:
        monkeypatch.setenv(VARIABLE, KEY)
    with open_backend(place) as store:
        for number in range(3):
            store.save_profile({"id": f"p{number}", "jira_config": {"token": CANARY}})
        before = {entity: json.dumps(list(store.records(entity))) for entity in OPEN_ENTITIES}
    monkeypatch.setenv(VARIABLE, f"{OTHER_KEY},{KEY}")

    def run() -> None:
        with open_backend(place) as store:
            change_secrets(change, store)

    def states() -> set[str]:
        with open_backend(place) as store:
            found = {entity: json.dumps(list(store.records(entity))) for entity in OPEN_ENTITIES}
            assert found == before
            return {each["state"] for each in secrets_status(store)["secrets"]}

    original = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    expected = "in plain text" if change is Resealing.UNSEAL else "sealed"
    calls = 0
    for number in [0, *sorted(random.Random(0).choices(range(1, 10_000), k=kills))]:
        for path in folder.rglob("*"):
            if path.is_file() and path not in original:
                path.unlink()
        for path, content in original.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        if number == 0:
            calls = count_calls(run)
            assert states() == {expected}
            continue
        killed_at(run, 1 + number % (calls - 1))
        assert len(states()) == 1
        run()
        assert states() == {expected}
        assert bool(files_with(folder)) == (change is Resealing.UNSEAL)
