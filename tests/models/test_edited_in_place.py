"""Edits in place, at any depth of a profile, are stored as the model has them, or refused."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burndown import Profile, SQLiteBackend, ValidationError
from burndown.models import (
    DoraFieldMappings,
    FieldMappings,
    FlowTypeMapping,
    FlowTypeMappings,
    JiraConfig,
    ProjectClassification,
)
from burndown.models.codec import codec_of
from burndown.models.submodel import Submodel
from burndown.repositories import ProfileRepository
from burndown.testing.contract.drawn import SECTIONS, flow_types, json_values, profiles, strings
from tests.support.strategies import hidden

NEW = "7a2f-new"
"""A key that no generated document has."""
VALUES = {
    "base_url": "https://jira.example.com",
    "api_version": "v3",
    "cache_size_mb": 50,
    "max_results_per_call": 50,
    "configured": True,
    "last_test_timestamp": "2025-12-23T10:00:00",
    "last_test_success": True,
    "pert_factor": 3,
    "deadline": "2025-12-31",
    "milestone": "2025-12-31",
    "data_points_count": 6,
    "revision_date": "2025-12-23T10:00:00",
    "week_label": "2025-W52",
    "time_allocated_weeks_delta": 6,
    "team_cost_delta": 6,
    "budget_total_delta": -0.5,
    "created_at": "2025-12-23T10:00:00",
    "metadata": {NEW: 1},
}
"""The new value where a string is not valid."""


@pytest.fixture(scope="module")
def shared_backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SQLiteBackend]:
    with SQLiteBackend(tmp_path_factory.mktemp("edited") / "burndown.db") as new:
        yield new


def exact(document: dict[str, Any]) -> str:
    """Return a form that is equal only for equal JSON: ``True`` is not 1 and 3 is not 3.0."""
    return json.dumps(document, sort_keys=True)


def stored(backend: SQLiteBackend, profile: Profile) -> Profile:
    """Return the profile as it is read after it was saved."""
    with backend.database.session() as session:
        ProfileRepository(session).save(profile)
    with backend.database.read_session() as session:
        found = ProfileRepository(session).get(profile.id)
    assert found is not None
    return found


def values_within(value: Any) -> Iterator[Any]:
    """Return all sections, lists and dicts below a value, including itself."""
    if isinstance(value, Submodel):
        yield value
        for inner in [*dict(value).values()]:
            yield from values_within(inner)
    elif isinstance(value, dict | list):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from values_within(inner)


def values_of(profile: Profile) -> list[Any]:
    """Return all sections, lists and dicts of a profile."""
    fields = (getattr(profile, name) for name in Profile.model_fields)
    return [value for field in fields for value in values_within(field)]


def edit(value: Any, data: st.DataObject) -> None:
    """Change a section, list or dict in place, into something valid."""
    if isinstance(value, list):
        change: Callable[[], object] = data.draw(
            st.sampled_from([value.clear, value.reverse, lambda: value.extend([NEW, NEW])])
        )
        change()
    elif isinstance(value, dict):
        value[NEW] = data.draw(json_values)
    elif data.draw(st.booleans()):
        delattr(value, data.draw(st.sampled_from(list(type(value).model_fields))))
    else:
        document = data.draw(SECTIONS[type(value)])
        for key, item in document.items():
            if key.isidentifier() and not key.startswith(("_", "model_")):
                setattr(value, key, item)


@given(document=profiles(), data=st.data())
def test_a_profile_is_stored_as_it_was_edited(
    shared_backend: SQLiteBackend, document: dict[str, Any], data: st.DataObject
) -> None:
    for earlier in shared_backend.list_profiles():
        shared_backend.delete_profile(earlier["id"])
    profile = codec_of(Profile).entity(document)
    if data.draw(st.booleans()):
        profile = stored(shared_backend, profile)
    for _ in range(data.draw(st.integers(1, 4))):
        edit(data.draw(st.sampled_from(values_of(profile))), data)
    found = stored(shared_backend, profile)
    assert found.model_dump() == profile.model_dump()
    assert exact(found.to_document()) == exact(profile.to_document())
    assert shared_backend.get_profile(profile.id) == profile.to_document()


def edit_deeply(section: Submodel, name: str) -> None:
    """Change the value of a field of a section at its deepest level."""
    value = getattr(section, name)
    if isinstance(value, Submodel):
        edit_deeply(value, next(iter(type(value).model_fields)))
    elif isinstance(value, list):
        value.append(NEW)
    else:
        setattr(section, name, VALUES.get(name, NEW))


@pytest.mark.parametrize("model", SECTIONS, ids=lambda model: model.__name__)
def test_a_section_stores_only_the_edited_field(model: type[Submodel]) -> None:
    for name, field in model.model_fields.items():
        section = model()
        edit_deeply(section, name)
        document = section.to_document()
        assert list(document) == [field.alias or name]
        again = model.model_validate(document)
        assert again.model_dump() == section.model_dump() != model().model_dump()


def test_fields_that_were_not_edited_are_not_stored() -> None:
    profile = Profile(id="k")
    profile.field_mappings.dora.deployment_date = "fixVersions"
    profile.flow_type_mappings.technical_debt.issue_types.append("Task")  # type: ignore[union-attr]
    document = profile.to_document()
    assert document["field_mappings"] == {"dora": {"deployment_date": "fixVersions"}}
    assert document["flow_type_mappings"] == {"Technical Debt": {"issue_types": ["Task"]}}
    assert document["jira_config"] == document["project_classification"] == {}
    assert FieldMappings(dora=DoraFieldMappings()).to_document() == {"dora": {}}
    assert Profile(id="k").to_document()["project_classification"] == {}


def test_a_deleted_field_has_its_default_again() -> None:
    config = JiraConfig(cache_size_mb=50, unknown=1)
    del config.cache_size_mb
    del config.unknown  # type: ignore[attr-defined]
    assert config.cache_size_mb == 100
    assert config.to_document() == {}
    with pytest.raises(AttributeError):
        del config.unknown  # type: ignore[attr-defined]
    mappings = FlowTypeMappings(feature=["Story"])
    delattr(mappings, "Feature")
    assert mappings.feature == FlowTypeMapping()


def test_an_alias_sets_its_field() -> None:
    mappings = FlowTypeMappings()
    mappings.Feature = ["Story"]
    assert mappings.feature == ["Story"]
    assert mappings.to_document() == {"Feature": ["Story"]}


def test_a_document_shares_nothing_with_its_section() -> None:
    section = ProjectClassification(bug_types=["Bug"], unknown={"list": [1]})
    document = section.to_document()
    document["bug_types"].append("Story")
    document["unknown"]["list"].append(2)
    assert section.to_document() == {"bug_types": ["Bug"], "unknown": {"list": [1]}}


# --- invalid values --------------------------------------------------------------------------


def self_containing() -> list[Any]:
    value: list[Any] = []
    value += [value, value]
    return value


def deep() -> list[Any]:
    value: list[Any] = []
    for _ in range(900):
        value = [value]
    return value


def into_a_list(profile: Profile) -> None:
    profile.project_classification.bug_types.append(3)  # type: ignore[arg-type]


def into_a_nested_list(profile: Profile) -> None:
    profile.flow_type_mappings.risk.issue_types.append(None)  # type: ignore[union-attr,arg-type]


def into_a_flag(profile: Profile) -> None:
    profile.show_points.append(1)  # type: ignore[union-attr,arg-type]


def into_a_field_of_the_profile(profile: Profile) -> None:
    profile.extra["name"] = "other"


def into_a_field_of_a_section(profile: Profile) -> None:
    profile.jira_config.model_extra["token"] = "other"  # type: ignore[index]


def into_an_aliased_field(profile: Profile) -> None:
    profile.flow_type_mappings.model_extra["Feature"] = ["Story"]  # type: ignore[index]


def into_itself(profile: Profile) -> None:
    profile.jira_config.model_extra["loop"] = self_containing()  # type: ignore[index]


def into_deep_nesting(profile: Profile) -> None:
    profile.jira_config.model_extra["deep"] = deep()  # type: ignore[index]


def into_a_timestamp(profile: Profile) -> None:
    profile.jira_config.model_extra["at"] = profile.created_at  # type: ignore[index]


@pytest.mark.parametrize(
    ("spoil", "path"),
    [
        (into_a_list, "project_classification.bug_types[0]"),
        (into_a_nested_list, "flow_type_mappings.Risk"),
        (into_a_flag, "show_points"),
        (into_a_field_of_the_profile, "extra.name"),
        (into_a_field_of_a_section, "token"),
        (into_an_aliased_field, "Feature"),
        (into_itself, "jira_config.loop[0]"),
        (into_deep_nesting, "jira_config.deep[0]"),
        (into_a_timestamp, "jira_config.at"),
    ],
)
def test_an_invalid_edit_is_refused_with_its_path(
    backend: SQLiteBackend, spoil: Callable[[Profile], None], path: str
) -> None:
    profile = stored(backend, Profile(id="k", show_points=["show"]))
    before = backend.get_profile("k")
    spoil(profile)
    with pytest.raises(ValidationError) as refused:
        stored(backend, profile)
    assert refused.value.problems[0].path.startswith(path)
    assert backend.get_profile("k") == before


@given(strings, flow_types, hidden(st.builds(object)))
def test_unknown_keys_edited_in_place_are_checked_as_any_others(
    key: str, flow_type: Any, found: tuple[dict[str, Any], str]
) -> None:
    value, path = found
    profile = Profile(id="k", jira_config={"unknown": {}}, flow_type_mappings={"Other": flow_type})
    profile.jira_config.unknown[key] = value  # type: ignore[attr-defined]
    with pytest.raises(ValidationError) as refused:
        codec_of(Profile).rows([profile.to_document()])
    assert refused.value.problems[0].path == f"jira_config.unknown.{key}.{path}"
