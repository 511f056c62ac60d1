"""The code of a user, and of the documents, has the types that it should have."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

pytest.importorskip("mypy")
pytest.importorskip("basedpyright")

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent

USER_CODE = """
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, assert_type

from pydantic import SecretStr
from sqlmodel import Session

from burndown import ForecastSettings, JiraConfig, Profile, Query, SQLiteBackend, database
from burndown.models import FlowTypeMapping
from burndown.database import SQLiteDatabase
from burndown.jira import History, Stay, Value, issues_of
from burndown.persistence import PersistenceBackend, get_backend
from burndown.repositories import ProfileRepository

team = Profile(name="Team A")
named = Profile(id="team-a", jira_config=JiraConfig(base_url="https://jira.example.com"))
bugs = Query(profile_id=team.id, name="Bugs", jql="issuetype = Bug")
assert_type(team.id, str)
assert_type(team.name, str)
assert_type(team.created_at, datetime)
assert_type(team.jira_config, JiraConfig)
assert_type(team.jira_config.token, SecretStr)
assert_type(team.forecast_settings.pert_factor, int | float)
assert_type(team.field_mappings.dora.deployment_date, str | dict[str, Any] | None)
assert_type(team.flow_type_mappings.technical_debt, list[str] | FlowTypeMapping)
assert_type(team.project_classification.bug_types, list[str])
assert_type(bugs.updated_at, datetime | None)
team.forecast_settings = ForecastSettings(pert_factor=2, data_points_count=12.5)
team.jira_config.token = SecretStr("secret")

with SQLiteBackend("burndown.db") as backend:
    assert_type(backend, SQLiteBackend)
    assert_type(backend.database, SQLiteDatabase)
assert_type(get_backend(), PersistenceBackend)

document = get_backend().get_profile("team-a")
if document is not None:
    assert_type(document["jira_config"].get("api_version", "v2"), Literal["v2", "v3"])
    assert_type(document["name"], str)

for issue in issues_of(get_backend().get_jira_cache("team-a", "bugs", "k"), document):
    assert_type(issue.status, str | None)
    assert_type(issue.labels, tuple[str, ...])
    assert_type(issue.created, datetime | None)
    assert_type(issue.points, float | None)
    assert_type(issue.history, History)
    assert_type(issue.history.stays, tuple[Stay, ...])
    assert_type(issue.value_of(team.field_mappings.dora.deployment_date), Value)

with database.session() as session:
    assert_type(session, Session)
    assert_type(ProfileRepository(session).get("team-a"), Profile | None)
    assert_type(ProfileRepository(session).list(), Sequence[Profile])
"""

MISTAKES = """
Profile(nam="Team A")
Profile(name=3)
Profile(name="Team A", jira_config=3)
Query(name="Bugs")
Query(profile_id="team-a", name="Bugs", jqll="")
ForecastSettings(pert_factor="x")
ForecastSettings(pert_faktor=1)
JiraConfig(api_version="v4")
JiraConfig(base_ulr="https://jira.example.com")
team.forcast_settings
team.jira_config.base_url = 3
team.forecast_settings.pert_factor = "x"
document["forcast_settings"]
document["forecast_settings"]["pert_faktor"]
document["jira_config"]["api_version"] = "v4"
backend.get_profil("team-a")
backend.save_profile(3)
"""

PREAMBLES = {
    "quickstart": """
import logging
from collections.abc import Callable
from typing import TypeVar

Function = TypeVar("Function")
logger = logging.getLogger()


def callback(*_: object) -> Callable[[Function], Function]:
    raise NotImplementedError
""",
}
"""The names that the examples of a document take for granted."""


class Found(NamedTuple):
    """An error of a checker."""

    file: str
    line: int
    message: str


def examples(document: Path) -> str:
    """Return the examples of a document as one module, without those that show a mistake."""
    parts = [PREAMBLES.get(document.stem, "")]
    text = document.read_text("utf-8")
    for code in re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for part in re.split(r"(?=^# (?:BAD|GOOD|BETTER))", code, flags=re.MULTILINE):
            if part.startswith("await "):
                parts.append(f"async def coroutine() -> None:\n    {part}")
            elif not part.startswith("# BAD"):
                parts.append(part)
    return "\n".join(parts)


def mistakes() -> str:
    given = "team = Profile(id='a')\nbackend = get_backend()\n"
    given += "document = backend.get_profile('a')\nassert document is not None\n"
    names = "ForecastSettings, JiraConfig, Profile, Query, get_backend"
    return f"from burndown import {names}\n{given}{MISTAKES}"


def by_mypy(folder: Path) -> list[Found]:
    # The documents leave out the annotations of their functions, whose bodies are checked.
    loosened = ["--allow-untyped-defs", "--allow-incomplete-defs", "--allow-untyped-calls"]
    loosened.append("--disable-error-code=import-untyped")  # pandas has no types of its own
    # What is installed and has not changed is not analyzed again.
    cache = ["--cache-dir", str(ROOT / ".mypy_cache" / "user")]
    command = ["mypy", "--strict", *loosened, "--output", "json", "--config-file=", *cache, "."]
    output = run_in(folder, command)
    found = [json.loads(line) for line in output.splitlines()]
    return [
        Found(Path(each["file"]).stem, each["line"], each["message"])
        for each in found
        if each["severity"] == "error"
    ]


def by_basedpyright(folder: Path) -> list[Found]:
    output = run_in(folder, ["basedpyright", "--outputjson", "--pythonpath", sys.executable, "."])
    return [
        Found(Path(each["file"]).stem, each["range"]["start"]["line"] + 1, each["message"])
        for each in json.loads(output)["generalDiagnostics"]
        if each["severity"] == "error"
    ]


def run_in(folder: Path, command: list[str]) -> str:
    """Return the output of a checker that runs where a user has only the installed package."""
    result = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert result.returncode == 1, result.stdout + result.stderr  # there are the mistakes
    return result.stdout


@pytest.fixture(scope="module", params=[by_mypy, by_basedpyright], ids=lambda check: check.__name__)
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Found]:
    """Return the errors of a checker in the code of a user."""
    folder = tmp_path_factory.mktemp("user")
    modules = {"user_code": USER_CODE, "mistakes": mistakes()}
    for document in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        # With a prefix, since "secrets" would hide a module of the standard library.
        modules[f"of_{document.stem.lower().replace('-', '_')}"] = examples(document)
    for name, code in modules.items():
        (folder / f"{name}.py").write_text(code, "utf-8")
    errors: list[Found] = request.param(folder)
    return errors


def test_the_code_of_a_user_and_of_the_documents_has_no_error(found: list[Found]) -> None:
    assert [error for error in found if error.file != "mistakes"] == []


def test_each_mistake_is_an_error(found: list[Found]) -> None:
    lines = mistakes().splitlines()
    wrong = {lines[error.line - 1] for error in found if error.file == "mistakes"}
    assert wrong == set(MISTAKES.split("\n")) - {""}
