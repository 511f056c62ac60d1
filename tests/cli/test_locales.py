"""The commands in locales that cannot encode every name."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from burndown.cli.exit_codes import ExitCode
from tests.support.command_line import start
from tests.support.programs import skip_without

RUN_ALL = """
import json, sys
from burndown.__main__ import main

for command in map(json.loads, sys.argv[1:]):
    sys.argv[1:] = command
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise
"""

LOCALES = {
    "ascii": {"PYTHONIOENCODING": "ascii:strict"},
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


def start_all(*commands: list[str], **environment: str) -> "subprocess.CompletedProcess[bytes]":
    """Run commands in one program, until one fails."""
    program = [sys.executable, "-c", RUN_ALL]
    # Not in ASCII, so that names come to the program as in arguments of a command.
    arguments = (json.dumps(command, ensure_ascii=False) for command in commands)
    return start(*arguments, program=program, **environment)


@pytest.mark.parametrize("environment", LOCALES.values(), ids=LOCALES)
def test_a_locale_without_unicode_prints_replacements(
    workspace: Path, environment: dict[str, str]
) -> None:
    """Other characters are replaced, and the rest is printed; JSON is the same everywhere."""
    ended = start_all(["show"], ["show", "--json"], **environment)
    assert ended.stderr == b""
    assert ended.returncode == 0
    tables, opening, document = ended.stdout.partition(b"\n{")
    assert b"Kafka (kafka), active" in tables
    assert b"(zh)" in tables
    assert b"| offen |" in tables
    found = json.loads(opening + document)
    assert "Zürich ✓ 中" in {profile["name"] for profile in found["profiles"]}


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


@pytest.mark.parametrize("environment", [LOCALES["ascii"], LOCALES["C"]], ids=["ascii", "C"])
def test_a_folder_may_have_a_name_that_the_locale_cannot_encode(
    old: Path, environment: dict[str, str]
) -> None:
    """Neither a command there nor an error about it ends in a traceback."""
    (old / "profiles").rename(old / "Größe ✓")
    place = ["--profiles", "Größe ✓"]
    ended = start_all(["migrate", *place], ["show", *place], **environment)
    assert ended.stderr == b""
    assert ended.returncode == 0
    ended = start("check", "--profiles", "Größe ✗", **environment)
    assert ended.returncode == ExitCode.NOT_FOUND
    assert ended.stderr.startswith(b"Error: There is no database at ")
    assert ended.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    ("language", "encoding"), [("tr_TR", "ISO-8859-9"), ("de_DE", "ISO-8859-1")]
)
def test_the_rules_of_a_language_change_nothing(
    old: Path, tmp_path: Path, language: str, encoding: str
) -> None:
    """In Turkish, the lower case of I is another letter; in German, numbers have a comma."""
    name = f"{language}.{encoding}"
    try:
        subprocess.run(
            ["localedef", "-i", language, "-f", encoding, tmp_path / name],
            check=True,
            capture_output=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        skip_without(f"localedef of {language}", error)
    locale = {"LOCPATH": str(tmp_path), "LC_ALL": name, "PYTHONUTF8": "0"}
    ended = start_all(
        ["migrate"],
        ["export", "kafka", "k.zip", "--json"],
        ["import", "k.zip", "--name", "IMPORTIERT I"],
        **locale,
    )
    assert ended.returncode == 0
    found = json.loads(start("show", "--json", **locale).stdout)
    names = {profile["name"]: profile["id"] for profile in found["profiles"]}
    assert "Zürich ✓ 中" in names
    assert names["IMPORTIERT I"].startswith("importiert")
