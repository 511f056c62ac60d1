"""No command prints a token or a password."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from burndown import (
    SQLiteBackend,
)
from burndown.cli import run
from tests.support.command_line import CANARY, Capture, all_output_of, start

BROKEN: dict[str, Callable[[Any], Any]] = {
    "other value": lambda jira: {**jira, "api_version": "v9"},
    "list": lambda jira: {**jira, "token": [CANARY]},
    "object": lambda jira: {**jira, "token": {"value": CANARY}},
    "number": lambda jira: {**jira, "token": CANARY + "\ud800"},
    "in the URL": lambda jira: {**jira, "base_url": f"https://user:{CANARY}@jira.example.com"},
    "in a list": lambda jira: [jira],
}


@pytest.mark.parametrize("options", [[], ["--json"], ["--debug"], ["--json", "--debug"]])
@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_neither_a_report_nor_an_error_contains_a_token(
    capsys: Capture, old: Path, change: Callable[[Any], Any], options: list[str]
) -> None:
    """Not even if the token is the invalid value, nor in a traceback."""
    path = old / "profiles/kafka/profile.json"
    profile = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**profile, "jira_config": change(profile["jira_config"])}))
    data = old / "profiles/kafka/queries/12w/project_data.json"
    whole = data.read_bytes()
    for content, is_valid in ((b"{", False), (whole, True)):
        data.write_bytes(content)
        code, shown = all_output_of(capsys, ["migrate", *options])
        assert (code == 0) is is_valid
        assert CANARY not in shown
    assert "profile.json" in re.sub(r"[\s│]", "", shown)


@pytest.mark.parametrize("options", [[], ["--json"], ["--debug"]])
def test_no_command_prints_a_token(capsys: Capture, old: Path, options: list[str]) -> None:
    """The database holds one."""
    for arguments in (
        ["migrate", "--dry-run"],
        ["migrate"],
        ["show"],
        ["show", "kafka"],
        ["show", "kafka", "12w"],
        ["check"],
        ["export", "kafka", "out"],
        ["export", "kafka", "out.zip", "--include-cache"],
        ["export", "kafka", "secret.zip", "--include-secrets"],
        ["export", "--legacy", "old"],
        ["export", "--legacy", "secret", "--include-secrets"],
        ["import", "secret.zip", "--dry-run", "--replace"],
        ["import", "secret.zip", "--replace"],
        ["import", "secret.zip", "--name", "New"],
        ["import", "out", "--replace"],
    ):
        code, shown = all_output_of(capsys, [*arguments, *options])
        assert code == 0
        assert shown
        assert CANARY not in shown
    with SQLiteBackend(old / "profiles/burndown.db") as backend:
        found = backend.get_profile("kafka")
    assert found is not None
    assert found["jira_config"]["token"] == CANARY


def test_the_program_prints_no_token_in_a_traceback(old: Path) -> None:
    """The file is truncated after the token."""
    path = old / "profiles/kafka/profile.json"
    text = path.read_text("utf-8")
    path.write_text(text[: text.index(CANARY) + len(CANARY) + 1], "utf-8")
    ended = start("migrate", "--debug")
    assert ended.returncode == 1
    assert b"Traceback" in ended.stderr
    assert CANARY.encode() not in ended.stdout + ended.stderr


@pytest.mark.parametrize("command", ["migrate", "show", "check", "export kafka out", "import out"])
@pytest.mark.parametrize("options", [[], ["--debug"]])
@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:{}@127.0.0.1:1/db",
        "mysql://user:{}@host/db",
        "://user:{}@host",
        "x://:{}@:",
    ],
)
def test_no_command_prints_the_password_of_a_database(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, command: str, options: list[str], url: str
) -> None:
    monkeypatch.setenv("BURNDOWN_DATABASE_URL", url.format(CANARY))
    code, shown = all_output_of(capsys, [*command.split(), *options])
    assert code != 0
    assert CANARY not in shown


@pytest.mark.parametrize("options", [[], ["--json"], ["--debug"]])
def test_the_refusal_of_an_export_contains_no_token(
    capsys: Capture, workspace: Path, options: list[str]
) -> None:
    """The token is in a description, where an export does not omit it."""
    with SQLiteBackend(workspace / "profiles/burndown.db") as backend:
        backend.save_query("kafka", {"id": CANARY, "description": f"Bearer {CANARY}"})
    for arguments in (["kafka", "out"], ["kafka", "out.zip"], ["--legacy", "old"]):
        code, shown = all_output_of(capsys, ["export", *arguments, *options])
        assert code != 0
        assert "Jira token of profile 'kafka'" in shown
        assert CANARY not in shown
    assert [path.name for path in workspace.iterdir() if path.name.startswith("o")] == []


@pytest.mark.parametrize("options", [[], ["--json"], ["--debug"]])
@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_the_error_of_an_import_contains_no_token(
    capsys: Capture, workspace: Path, change: Callable[[Any], Any], options: list[str]
) -> None:
    """Not even if the token is the invalid value, nor in a traceback."""
    assert run(["export", "kafka", "out", "--include-secrets"]) == 0
    path = workspace / "out/profile.json"
    profile = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**profile, "jira_config": change(profile["jira_config"])}))
    capsys.readouterr()
    code, shown = all_output_of(capsys, ["import", "out", "--replace", *options])
    assert code != 0
    assert "profile.json" in shown
    assert CANARY not in shown
