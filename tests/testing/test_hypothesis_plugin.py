"""Hypothesis finds the strategy of every model, and loads nothing for it that is not used."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Return a folder for ``PYTHONPATH`` with the entry point of the distribution."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    [(name, value)] = project["entry-points"]["hypothesis"].items()
    folder = tmp_path / "entry_of_burndown-0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: entry_of_burndown\nVersion: 0\n")
    (folder / "entry_points.txt").write_text(f"[hypothesis]\n{name} = {value}\n")
    return tmp_path


def run(installed: Path, code: str) -> str:
    """Return what code prints in a process of its own, in which a warning is an error."""
    path = os.pathsep.join([str(installed), str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_hypothesis_alone_loads_no_model(installed: Path) -> None:
    """Neither does it load pydantic, SQLAlchemy or any strategy."""
    code = """
import sys, hypothesis
loaded = {"burndown.models", "burndown.testing.strategies", "pydantic", "sqlalchemy"}
assert "burndown.testing.hypothesis_plugin" in sys.modules
assert not loaded & sys.modules.keys()
"""
    run(installed, code)


def test_models_alone_load_no_strategy(installed: Path) -> None:
    """The strategies of models are loaded when one is asked for."""
    code = """
import sys, hypothesis, burndown.models
assert "burndown.testing.strategies" not in sys.modules
hypothesis.strategies.from_type(burndown.models.Profile).validate()
assert "burndown.testing.strategies" in sys.modules
"""
    run(installed, code)


FIRST = {
    "hypothesis first": "import hypothesis, burndown.models",
    "the models first": "import burndown.models, hypothesis",
}


@pytest.mark.parametrize("imports", FIRST.values(), ids=FIRST)
def test_every_model_has_a_strategy(installed: Path, imports: str) -> None:
    """Whichever is imported first: ``from_type`` and ``builds`` draw instances of all of them."""
    code = f"""
{imports}
import copy, inspect, pickle
from hypothesis import Phase, given, settings, strategies as st
from burndown.models import ENTITIES, Submodel, Week

def check(model, strategy):
    @settings(max_examples=2, deadline=None, database=None, phases=[Phase.generate])
    @given(strategy)
    def test(instance):
        assert type(instance) is model
        assert pickle.loads(pickle.dumps(instance)) == copy.copy(instance) == instance
    test()

for model in (*ENTITIES, *Submodel.__subclasses__()):
    check(model, st.from_type(model))
    check(model, st.builds(model))
for entity in ENTITIES:
    check(entity, st.builds(entity, **dict.fromkeys(inspect.signature(entity).parameters, ...)))
check(Week, st.from_type(Week))
"""
    run(installed, code)


def test_a_base_class_is_any_of_its_classes(installed: Path) -> None:
    code = """
from hypothesis import find, strategies as st
from burndown.models import Budget, Entity, JiraCache, JiraConfig, Profile, QueryData, Submodel

classes = [(Entity, Profile), (QueryData, Budget), (QueryData, JiraCache), (Submodel, JiraConfig)]
for base, model in classes:
    assert type(find(st.from_type(base), lambda each: type(each) is model)) is model
"""
    run(installed, code)


def test_the_types_of_documents_have_strategies(installed: Path) -> None:
    """Documents of entities have all keys, as a backend returns them."""
    code = """
from hypothesis import Phase, given, settings, strategies as st
from burndown.models import BudgetDocument, BudgetRevisionDocument, ProfileDocument, QueryDocument

@settings(max_examples=5, deadline=None, database=None, phases=[Phase.generate])
@given(
    st.from_type(ProfileDocument),
    st.from_type(list[QueryDocument]),
    st.from_type(BudgetDocument),
    st.from_type(BudgetRevisionDocument),
)
def test(profile, queries, budget, revision):
    assert ProfileDocument.__required_keys__ <= profile.keys()
    assert all(QueryDocument.__required_keys__ <= query.keys() for query in queries)
    assert BudgetDocument.__required_keys__ <= budget.keys()
    assert type(profile["created_at"]) is str
    assert type(revision) is dict

test()
"""
    run(installed, code)


def test_the_clock_of_the_system_decides_no_example(installed: Path) -> None:
    """A time that is not drawn is the start of a clock for tests, or that of the creation."""
    code = """
from hypothesis import find, strategies as st
from burndown.models import ENTITIES, Profile, ProfileDocument

for entity in ENTITIES:
    found = find(st.from_type(entity), lambda each: True).model_dump(mode="json")
    times = {found.get(name) for name in ("created_at", "last_used", "updated_at")}
    assert times <= {None, "2026-01-05T09:00:00Z"}
profile = find(st.from_type(ProfileDocument), lambda each: each["created_at"] < "2026")
assert profile["last_used"] == profile["created_at"]
"""
    run(installed, code)


def test_arguments_narrow_what_is_built(installed: Path) -> None:
    """What is given is kept, required arguments are drawn, and others are if they are inferred."""
    code = """
from hypothesis import Phase, given, settings, strategies as st
from burndown import JiraCache, JiraConfig, Profile, Query

@settings(max_examples=2, deadline=None, database=None, phases=[Phase.generate])
@given(
    st.builds(Profile, name=st.just("x"), jira_config=...),
    st.builds(Query, name=st.just("x"), jql=...),
    st.builds(JiraCache, response=st.just({"issues": []})),
    st.builds(JiraConfig, token=st.just("secret")),
)
def test(profile, query, cache, config):
    assert profile.name == query.name == "x"
    assert type(profile.jira_config) is JiraConfig
    assert type(query.jql) is str
    assert cache.issue_count == 0
    assert config.token.get_secret_value() == "secret"

test()
"""
    run(installed, code)


def test_the_types_of_results_have_strategies(installed: Path) -> None:
    """They agree with each other, and each state is drawn."""
    code = """
from hypothesis import find, given, settings, strategies as st
from burndown.models import *
from burndown.testing.strategies.results import RESULTS

def check(kind, holds):
    @settings(max_examples=20, deadline=None, database=None)
    @given(st.from_type(kind))
    def test(result):
        assert result.keys() == kind.__required_keys__
        assert holds(result), result
    test()

for kind in (FoundResponse, FoundChangelog):
    check(kind, lambda found: found["age"] is None or found["age"] >= 0)
for kind in (JiraCacheEntry, JiraChangelogEntry):
    check(kind, lambda found: type(found["expired"]) is bool)
check(QueryStatus, lambda status: status["has_data"] is (status["state"] is not None))

def agrees(series):
    weeks = [Week.of(week) for week in series["weeks"]]
    lists = [series[name] for name in ("values", "forecast", "lower", "upper")]
    assert weeks == Week.span(weeks[0], weeks[-1]) if weeks else True
    assert all(len(each) == len(weeks) for each in lists)
    return all(low is None or low <= value <= high for _, value, low, high in zip(*lists))

check(MetricSeries, agrees)
for state in ("fresh", "stale", None):
    for kind in (FoundResponse, FoundChangelog, QueryStatus) if state else (QueryStatus,):
        find(st.from_type(kind), lambda found: found["state"] == state)
assert len(RESULTS) == 6
"""
    run(installed, code)
