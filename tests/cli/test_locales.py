"""The commands in locales that cannot encode every name."""

import json
from pathlib import Path

import pytest

from burndown.cli.exit_codes import ExitCode
from tests.support.command_line import start

LOCALES = {
    "ascii": {"PYTHONIOENCODING": "ascii:strict"},
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


@pytest.mark.parametrize("environment", LOCALES.values(), ids=LOCALES)
def test_a_locale_without_unicode_prints_replacements(
    workspace: Path, environment: dict[str, str]
) -> None:
    """Other characters are replaced, and the rest is printed."""
    ended = start("show", **environment)
    assert ended.stderr == b""
    assert ended.returncode == 0
    assert b"Kafka (kafka), active" in ended.stdout
    assert b"(zh)" in ended.stdout
    assert b"| offen |" in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["demo", "new", "--issues", "1"], 0),
        (["show", "zh", "offen"], 0),
        (["show", "Zürich ✓"], ExitCode.NOT_FOUND),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_every_command_works_in_a_locale_without_unicode(
    workspace: Path, arguments: list[str], code: int
) -> None:
    ended = start(*arguments, **LOCALES["ascii"])
    assert b"Traceback" not in ended.stderr
    assert ended.returncode == code
    assert ended.stdout if code == 0 else ended.stderr.startswith(b"Error: ")


@pytest.mark.parametrize("environment", LOCALES.values(), ids=LOCALES)
def test_json_is_the_same_in_every_locale(workspace: Path, environment: dict[str, str]) -> None:
    found = json.loads(start("show", "--json", **environment).stdout)
    assert "Zürich ✓ 中" in {profile["name"] for profile in found["profiles"]}


@pytest.mark.parametrize("environment", [LOCALES["ascii"], LOCALES["C"]], ids=["ascii", "C"])
def test_a_folder_may_have_a_name_that_the_locale_cannot_encode(
    old: Path, environment: dict[str, str]
) -> None:
    """Neither a command there nor an error about it ends in a traceback."""
    (old / "profiles").rename(old / "Größe ✓")
    for arguments in (["migrate"], ["show"]):
        ended = start(*arguments, "--profiles", "Größe ✓", **environment)
        assert ended.stderr == b""
        assert ended.returncode == 0
    ended = start("check", "--profiles", "Größe ✗", **environment)
    assert ended.returncode == ExitCode.NOT_FOUND
    assert ended.stderr.startswith(b"Error: There is no database at ")
    assert ended.stderr.count(b"\n") == 1
