"""Every install command installs this package, and not another one of a similar name."""

import re
import shlex
import tomllib
from importlib.metadata import metadata
from pathlib import Path
from typing import Any

import pytest
from readme_renderer import markdown

from burndown.database import open_database, postgresql
from burndown.distribution import DISTRIBUTION, install_command
from burndown.errors import SchemaTooNewError, StorageError
from tests.support.command_line import SCRIPT, start

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
INSTALL = re.compile(r"\bpip install\b([^\n`&;|)]*)")
REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+|\.)(?:\[([a-z,]+)\])?")


def installed_by(command: str) -> list[str]:
    """Return what a command installs, if it is a name or this folder."""
    words = shlex.split(command.partition("pip install")[2])
    assert words, command
    return [word for word in words if not word.startswith("-")]


def assert_installs_this_package(command: str) -> None:
    for requirement in installed_by(command):
        found = REQUIREMENT.fullmatch(requirement)
        assert found, command
        assert found[1] in (".", PROJECT["name"]), command
        extras = set(found[2].split(",")) if found[2] else set()
        assert extras <= PROJECT["optional-dependencies"].keys(), command


def test_the_name_is_the_one_of_the_project() -> None:
    """The code, the metadata and the extras that name other extras agree."""
    assert PROJECT["name"] == DISTRIBUTION == metadata(DISTRIBUTION)["Name"] != "burndown"
    for requirements in PROJECT["optional-dependencies"].values():
        for requirement in requirements:
            assert not re.match(r"burndown\b(?!-store)", requirement)


def test_every_command_in_the_documents_installs_this_package() -> None:
    """This includes the commands that set up the tests."""
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / ".ci").iterdir()]
    commands = [
        found[0] for path in documents for found in INSTALL.finditer(path.read_text("utf-8"))
    ]
    assert len(commands) >= 5
    for command in commands:
        assert_installs_this_package(command)


def test_the_code_has_the_name_in_one_place() -> None:
    """No other module spells it out."""
    files = [*(ROOT / "burndown").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")]
    assert [path.name for path in files if "pip install" in path.read_text("utf-8")] == [
        "distribution.py"
    ]
    for command in (install_command(), *map(install_command, PROJECT["optional-dependencies"])):
        assert_installs_this_package(command)


def test_errors_name_this_package_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as when the release is too old, or the driver of PostgreSQL is missing."""
    too_new = SchemaTooNewError("burndown.db", "7.3", "1.1")
    assert str(too_new).endswith(f"upgrade it: {install_command()}")

    def without_a_driver(*_: object, **__: object) -> None:
        raise ImportError

    monkeypatch.setattr(postgresql, "create_engine", without_a_driver)
    with pytest.raises(StorageError) as no_driver:
        open_database("postgresql://host/name")
    assert str(no_driver.value).endswith(install_command("postgres"))


def test_the_command_is_called_burndown() -> None:
    """So is the package that is imported."""
    assert PROJECT["scripts"] == {"burndown": "burndown.__main__:main"}
    result = start("--version", program=SCRIPT)
    assert result.stdout.decode().split() == ["burndown", PROJECT["version"]]


def test_the_page_on_pypi_has_complete_links() -> None:
    """What is a path in the README leads to this file in the repository."""
    page = markdown.render(metadata(DISTRIBUTION)["Description"])
    assert page is not None
    links = re.findall(r'<a href="([^"#]+)', page)
    repository = PROJECT["urls"]["Homepage"]
    files = [link.removeprefix(f"{repository}/blob/main/") for link in links if repository in link]
    assert len(files) > 20
    assert all((ROOT / path).exists() for path in files)
    assert all(link.startswith("https://") for link in links)


def test_the_addresses_of_the_project_are_in_one_repository() -> None:
    """The page on PyPI links to it as well."""
    assert all(url.startswith(PROJECT["urls"]["Homepage"]) for url in PROJECT["urls"].values())


def test_the_source_distribution_has_what_its_contributors_run() -> None:
    """The files and folders that the page for them names."""
    named = re.findall(r"`([\w.-]+)[\w./-]*`", (ROOT / "CONTRIBUTING.md").read_text("utf-8"))
    wanted = {each for each in named if (ROOT / each).exists()}
    wanted -= {"pyproject.toml", "build"}  # the one is always in it, and the other is made
    found = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    included = found["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    assert ".ci" in wanted
    assert wanted <= set(included)
