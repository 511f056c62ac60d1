"""The commands that report, seal and unseal secrets."""

import json
from pathlib import Path
from typing import Any

import pytest

from burndown import SQLiteBackend
from burndown.cli import run
from burndown.cli.exit_codes import ExitCode
from tests.support.command_line import Capture, printed, refused
from tests.support.secret_keys import CANARY, KEY, OTHER_KEY, VARIABLE, files_with


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Make a database with a token in plain text, where commands find it."""
    path = tmp_path / "profiles/burndown.db"
    with SQLiteBackend(path) as backend:
        backend.save_profile({"id": "p", "jira_config": {"token": CANARY}})
        backend.save_query("p", {"id": "q", "pwd": CANARY})
    return path


def states(capsys: Capture) -> list[tuple[str | None, str]]:
    found: Any = json.loads(printed(capsys, "secrets", "status", "--json"))
    return [(each["query_id"], each["state"]) for each in found["secrets"]]


def test_secrets_in_plain_text_are_reported(capsys: Capture, database: Path) -> None:
    """By `status` and by `check`, with what to do."""
    for command in (["secrets", "status"], ["check"]):
        output = printed(capsys, *command)
        assert "Secrets in plain text: 2" in output
        assert "BURNDOWN_SECRET_KEY" in output
        assert "`burndown secrets seal`" in output
        assert CANARY not in output
    assert states(capsys) == [(None, "in plain text"), ("q", "in plain text")]


def test_seal_rotate_and_unseal(
    capsys: Capture, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, KEY)
    assert "Changed 2" in printed(capsys, "secrets", "seal")
    assert files_with(database.parent) == []
    assert "plain text" not in printed(capsys, "check")
    assert states(capsys) == [(None, "sealed"), ("q", "sealed")]
    monkeypatch.setenv(VARIABLE, f"{OTHER_KEY} {KEY}")
    assert "Changed 2" in printed(capsys, "secrets", "rotate")
    monkeypatch.setenv(VARIABLE, KEY)
    assert states(capsys) == [(None, "locked"), ("q", "locked")]
    assert "a sealed token that no key opens" in printed(capsys, "show", "p")
    assert "Locked: 2" in printed(capsys, "secrets", "status")
    for export in (["export", "p", "out"], ["export", "--legacy", "old"]):
        output = printed(capsys, *export, "--include-secrets")
        assert "jira_config.token" in output
        assert "pwd" in output
    for command in ("rotate", "unseal"):
        assert "locked" in printed(capsys, "secrets", command, code=1)
    monkeypatch.setenv(VARIABLE, OTHER_KEY)
    assert "Changed 2" in printed(capsys, "secrets", "unseal")
    assert states(capsys) == [(None, "in plain text"), ("q", "in plain text")]


@pytest.mark.parametrize("command", ["seal", "rotate", "unseal"])
def test_without_a_key_nothing_is_changed(capsys: Capture, database: Path, command: str) -> None:
    before = database.read_bytes()
    message = refused(capsys, "secrets", command, code=ExitCode.FAILED)
    assert "There is no secret key" in message
    assert database.read_bytes() == before


def test_a_key_that_cannot_be_read_is_reported_and_hides_nothing(
    capsys: Capture, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, KEY)
    printed(capsys, "secrets", "seal")
    monkeypatch.setenv(VARIABLE, "passw0rd")
    output = printed(capsys, "secrets", "status")
    assert "No keys: BURNDOWN_SECRET_KEY holds what is no key" in output
    assert "passw0rd" not in output
    assert printed(capsys, "show", "p")
    assert "holds what is no key" in refused(capsys, "secrets", "rotate")


def test_a_store_that_does_not_exist_is_not_made(capsys: Capture, tmp_path: Path) -> None:
    for command in ("status", "seal"):
        assert run(["secrets", command]) == ExitCode.NOT_FOUND
    assert list(tmp_path.iterdir()) == []
