"""The models: all that they accept is valid and exact, and they print no secret."""

import json
import math
from datetime import datetime
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, TypeAdapter
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from burndown import ValidationError, models
from burndown.models import (
    OPEN_ENTITIES,
    DoraMetrics,
    FieldMappings,
    FlowMetrics,
    FlowTypeMappings,
    ForecastSettings,
    JiraCache,
    JiraChangelog,
    JiraConfig,
    MetricForecast,
    MetricsSnapshot,
    Profile,
    ProjectClassification,
    ProjectData,
    ProjectScope,
    Query,
    WeeklyStatistics,
)
from burndown.models.codec import codec_of
from burndown.models.redaction import without_secrets
from burndown.testing.contract.drawn import (
    ENTITIES,
    PROFILE_SECTIONS,
    SECTIONS,
    VALID,
    json_objects,
    json_values,
    profiles,
    unstorable_leaves,
    unstorable_values,
)
from tests.support.strategies import ASSIGNABLE_REFUSALS, hidden

MODELS = [
    model
    for name in models.__all__
    if isinstance(model := getattr(models, name), type) and issubclass(model, pydantic.BaseModel)
]

entities = pytest.mark.parametrize("model", ENTITIES, ids=lambda model: model.__name__)
sections = pytest.mark.parametrize("model", SECTIONS, ids=lambda model: model.__name__)
refusals = pytest.mark.parametrize(
    ("model", "attribute", "value"),
    ASSIGNABLE_REFUSALS,
    ids=[f"{m.__name__}.{a}-{i}" for i, (m, a, _) in enumerate(ASSIGNABLE_REFUSALS)],
)


def exact(value: Any) -> str:
    """Return a form that is equal only for equal JSON: ``True`` is not 1 and 3 is not 3.0."""
    return json.dumps(value, sort_keys=True, default=_as_text)


def _as_text(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else value.isoformat()


# --- round trips -----------------------------------------------------------------------------


@sections
@given(data=st.data())
def test_a_section_returns_the_document_it_was_created_from(
    model: Any, data: st.DataObject
) -> None:
    document = data.draw(SECTIONS[model])
    assert exact(model.model_validate(document).to_document()) == exact(document)


@sections
@given(data=st.data())
def test_a_section_survives_its_own_dumps(model: Any, data: st.DataObject) -> None:
    document = data.draw(SECTIONS[model])
    section = model.model_validate(document)
    again = model.model_validate(section.model_dump())
    assert again == section
    assert exact(again.model_dump()) == exact(section.model_dump())


@sections
@given(data=st.data())
def test_a_section_survives_json_text_without_its_secrets(model: Any, data: st.DataObject) -> None:
    document = without_secrets(data.draw(SECTIONS[model]))
    section = model.model_validate(document)
    again = model.model_validate_json(section.model_dump_json())
    assert exact(again.model_dump()) == exact(section.model_dump())


@entities
@given(data=st.data())
def test_an_entity_survives_its_document_its_dump_and_a_copy(
    model: Any, data: st.DataObject
) -> None:
    entity = codec_of(model).entity(data.draw(ENTITIES[model]))
    again = codec_of(model).entity(entity.to_document())
    assert again == entity
    assert exact(again.to_document()) == exact(entity.to_document())
    assert model.model_validate(entity) == entity
    dumped = model.model_validate(entity.model_dump())
    assert exact(dumped.model_dump()) == exact(entity.model_dump())


@entities
@given(data=st.data())
def test_an_entity_survives_json_text_without_its_secrets(model: Any, data: st.DataObject) -> None:
    entity = codec_of(model).entity(without_secrets(data.draw(ENTITIES[model])))
    again = model.model_validate_json(entity.model_dump_json())
    assert exact(again.model_dump()) == exact(entity.model_dump())


@entities
@given(data=st.data())
def test_an_entity_keeps_every_value_that_it_was_given(model: Any, data: st.DataObject) -> None:
    document = data.draw(ENTITIES[model])
    stored = codec_of(model).entity(document).to_document()
    for key, value in document.items():
        is_time = key in model.model_fields and key.endswith(("_at", "_until", "last_used"))
        if is_time and value is not None:
            timestamp = datetime.fromisoformat(value) if isinstance(value, str) else value
            assert datetime.fromisoformat(stored[key]) == timestamp.astimezone()
        elif key == "progress_percent":
            assert exact(stored[key]) == exact(abs(float(value)))
        else:
            assert exact(stored[key]) == exact(value)


@pytest.mark.parametrize("key", ["self", "data", "cls", "obj", "model_config", "copy", "json"])
def test_a_key_may_have_any_name(key: str) -> None:
    document = {"id": "a", key: 1}
    assert codec_of(Profile).entity(document).extra == {key: 1}
    assert Profile.model_validate(document).extra == {key: 1}
    assert Profile.model_validate_json(json.dumps(document)).extra == {key: 1}


@pytest.mark.parametrize("model", OPEN_ENTITIES)
@pytest.mark.parametrize("value", [1, None, [], {}, {"k": 1}, {"created_at": 1}, {"extra": 1}])
def test_extra_is_a_key_like_any_other(model: Any, value: Any) -> None:
    """Documents, dumps and JSON text have it next to the fields, each as deep as it was."""
    document = {**VALID[model], "k": 2, "extra": value}
    entity = codec_of(model).entity(document)
    assert entity.extra == {"k": 2, "extra": value}
    for again in (
        model.model_validate(document),
        model.model_validate(entity.to_document()),
        model.model_validate(entity.model_dump()),
        model.model_validate_json(entity.model_dump_json()),
        TypeAdapter(model).validate_python(document),
        TypeAdapter(list[model]).validate_json(json.dumps([document]))[0],
    ):
        assert again.extra == entity.extra
        assert again.to_document()["extra"] == value


@pytest.mark.parametrize("model", OPEN_ENTITIES)
def test_extra_is_the_field_of_unknown_keys_as_an_argument_and_attribute(model: Any) -> None:
    entity = model(**VALID[model], extra={"k": 1})
    assert entity.extra == {"k": 1}
    assert entity.to_document()["k"] == 1
    invalid: list[Any] = [{"k": math.nan}, {"created_at": "a field of its own"}, [], None]
    for value in invalid:
        with pytest.raises(pydantic.ValidationError):
            model(**VALID[model], extra=value)
        with pytest.raises(pydantic.ValidationError):
            entity.extra = value
    assert entity.extra == {"k": 1}


@given(json_objects)
def test_objects_keep_the_order_of_their_keys(value: dict[str, Any]) -> None:
    of = {"profile_id": "p", "query_id": "q"}
    data = ProjectData(**of, data=value)
    assert json.dumps(data.data) == json.dumps(value)
    assert json.dumps(codec_of(ProjectData).entity(data.to_document()).data) == json.dumps(value)
    assert json.dumps(Query(profile_id="p", id="q", extra={"k": value}).extra["k"]) == json.dumps(
        value
    )


@pytest.mark.parametrize(
    ("one", "other"), [(True, 1), (False, 0), (3, 3.0), (0.0, -0.0), (None, False)]
)
def test_values_that_are_equal_in_python_keep_their_types(one: Any, other: Any) -> None:
    for value in (one, other):
        assert exact(JiraConfig(unknown=value).to_document()) == exact({"unknown": value})
        metrics = MetricsSnapshot(**{**VALID[MetricsSnapshot], "metrics": {"k": value}}).metrics
        assert exact(metrics) == exact({"k": value})
        assert exact(codec_of(Profile).entity({"id": "a", "k": value}).extra) == exact({"k": value})


def test_integers_and_floats_keep_their_types_where_both_are_valid() -> None:
    for number in (3, 3.0):
        settings = ForecastSettings(pert_factor=number, data_points_count=number)
        document = {"pert_factor": number, "data_points_count": number}
        assert exact(settings.to_document()) == exact(document)
        again = ForecastSettings.model_validate_json(settings.model_dump_json(exclude_unset=True))
        assert exact(again.to_document()) == exact(document)


def test_the_document_of_a_section_has_only_what_was_set() -> None:
    for model in SECTIONS:
        assert model().to_document() == {}
    assert JiraConfig(api_version="v2").to_document() == {"api_version": "v2"}


def test_defaults_are_not_shared() -> None:
    one, other = ProjectClassification(), ProjectClassification()
    one.bug_types.append("Bug")
    assert other.bug_types == []
    first, second = Profile(id="a"), Profile(id="b")
    first.extra["k"] = 1
    first.jira_config.base_url = "https://jira.example.com"
    assert second.extra == {}
    assert second.jira_config.base_url == ""


# --- refusals --------------------------------------------------------------------------------


@refusals
def test_construction_validates(model: Any, attribute: str, value: Any) -> None:
    document = {**VALID[model], attribute: value}
    with pytest.raises(pydantic.ValidationError):
        model(**document)
    with pytest.raises(pydantic.ValidationError):
        model.model_validate(document)


@refusals
def test_a_refused_assignment_keeps_the_old_value(model: Any, attribute: str, value: Any) -> None:
    entity = model(**VALID[model])
    before = exact(entity.model_dump())
    with pytest.raises(pydantic.ValidationError):
        setattr(entity, attribute, value)
    assert exact(entity.model_dump()) == before


@refusals
def test_json_text_is_validated(model: Any, attribute: str, value: Any) -> None:
    try:
        text = json.dumps({**VALID[model], attribute: value})
    except TypeError:
        return  # JSON text cannot represent it
    if json.loads(text)[attribute] != value and value == value:
        return  # JSON text differs: keys are always strings
    with pytest.raises(ValueError):  # noqa: PT011 - pydantic's own, or that of the JSON reader
        model.model_validate_json(text)


@refusals
def test_an_error_has_the_path(model: Any, attribute: str, value: Any) -> None:
    document = {**VALID[model], attribute: value}
    if model in SECTIONS:
        section = next(
            (name for name in PROFILE_SECTIONS if type(getattr(Profile(id="a"), name)) is model),
            None,
        )
        if section is None:
            return
        model, document = Profile, {"id": "a", section: document}
        attribute = f"{section}.{attribute}"
    with pytest.raises(ValidationError) as refused:
        codec_of(model).entity(document)
    paths = [problem.path for problem in refused.value.problems]
    assert any(path.startswith(attribute) for path in paths), paths
    assert all(path in str(refused.value) for path in paths)


def test_a_refused_document_does_not_change_its_argument() -> None:
    document = {"id": "a", "forecast_settings": {"pert_factor": -1}, "k": [1]}
    before = json.dumps(document)
    with pytest.raises(ValidationError):
        codec_of(Profile).entity(document)
    assert json.dumps(document) == before


def test_an_error_lists_all_problems() -> None:
    with pytest.raises(ValidationError) as refused:
        codec_of(Profile).entity(
            {
                "id": "a",
                "jira_config": {"base_url": "nowhere", "cache_size_mb": 1},
                "forecast_settings": {"pert_factor": 0},
            }
        )
    assert {problem.path for problem in refused.value.problems} == {
        "jira_config.base_url",
        "jira_config.cache_size_mb",
        "forecast_settings.pert_factor",
    }
    assert refused.value.subject == "Profile 'a'"


@given(hidden(unstorable_leaves))
def test_values_that_json_cannot_represent_are_refused_with_their_path(
    found: tuple[dict[str, Any], str],
) -> None:
    value, path = found
    for model, attribute in (
        (JiraCache, "response"),
        (JiraChangelog, "changelog"),
        (ProjectData, "data"),
        (MetricsSnapshot, "metrics"),
        (MetricsSnapshot, "forecast"),
    ):
        with pytest.raises(ValidationError) as refused:
            codec_of(model).entity({**VALID[model], attribute: value})
        assert [problem.path for problem in refused.value.problems] == [f"{attribute}.{path}"]


def test_the_error_of_a_value_that_is_not_an_object_has_its_type() -> None:
    with pytest.raises(ValidationError) as refused:
        codec_of(ProjectData).entity({**VALID[ProjectData], "data": (1, 2)})
    assert [problem.got for problem in refused.value.problems] == ["a value of type tuple"]


@given(hidden(unstorable_leaves))
def test_unknown_keys_are_refused_with_the_path_to_such_values(
    found: tuple[dict[str, Any], str],
) -> None:
    value, path = found
    for section in ("jira_config", "forecast_settings", "project_classification"):
        with pytest.raises(ValidationError) as refused:
            codec_of(Profile).entity({"id": "a", section: {"unknown": value}})
        assert refused.value.problems[0].path == f"{section}.unknown.{path}"
    for name in ("points_field",):
        with pytest.raises(ValidationError) as refused:
            codec_of(Profile).entity({"id": "a", "jira_config": {name: value}})
        assert refused.value.problems[0].path == f"jira_config.{name}.{path}"
    with pytest.raises(ValidationError) as refused:
        codec_of(Profile).entity({"id": "a", "unknown": value})
    assert refused.value.problems[0].path.endswith(f"unknown.{path}")


@given(unstorable_values)
def test_such_values_are_refused_wherever_they_are(value: Any) -> None:
    for document in (
        {"id": "a", "unknown": value},
        {"id": "a", "jira_config": {"unknown": value}},
        {"id": "a", "jira_config": {"points_field": {"k": value}}},
        {"id": "a", "field_mappings": {"dora": {"unknown": value}}},
        {"id": "a", "field_mappings": {"flow": {"status": {"k": value}}}},
        {"id": "a", "forecast_settings": {"unknown": [value]}},
        {"id": "a", "project_classification": {"unknown": value}},
        {"id": "a", "flow_type_mappings": {"Feature": {"unknown": value}}},
    ):
        with pytest.raises(ValidationError):
            codec_of(Profile).entity(document)


@pytest.mark.parametrize("key", [3, None, True, 1.5, b"k", ("k",), "\ud800"])
def test_keys_other_than_strings_are_refused_everywhere(key: Any) -> None:
    for document in (
        {"id": "a", key: 1},
        {"id": "a", "jira_config": {key: 1}},
        {"id": "a", "jira_config": {"points_field": {key: 1}}},
        {"id": "a", "field_mappings": {"dora": {"severity_level": {key: 1}}}},
        {"id": "a", "flow_type_mappings": {key: []}},
    ):
        with pytest.raises(ValidationError):
            codec_of(Profile).entity(document)
    for model in ENTITIES:
        with pytest.raises(ValidationError):
            codec_of(model).entity({**VALID[model], key: 1})


@pytest.mark.parametrize("key", ["unknown", "self"])
def test_tables_without_extra_refuse_unknown_keys(key: str) -> None:
    for model in (each for each in ENTITIES if not each.UNKNOWN_KEYS):
        with pytest.raises(ValidationError) as refused:
            codec_of(model).entity({**VALID[model], key: 1})
        assert refused.value.problems[0].path == key


@entities
def test_json_text_other_than_an_object_is_refused(model: Any) -> None:
    for text in ("", "3", "[]", "null", '{"id":', '{"id": NaN}'):
        with pytest.raises(ValueError):  # noqa: PT011 - pydantic's own, or that of the JSON reader
            model.model_validate_json(text)


def test_a_model_raises_the_error_of_pydantic_and_the_backend_ours() -> None:
    with pytest.raises(pydantic.ValidationError):
        Profile(name="")
    with pytest.raises(ValidationError):
        codec_of(Profile).entity({"name": ""})


# --- names -----------------------------------------------------------------------------------


def test_the_default_id_is_made_of_the_name_and_the_default_name_is_the_id() -> None:
    assert Profile(name="Team Ä / 1").id == "team-a-1"
    assert Profile(name="日本").id == "profile"
    assert Query(profile_id="p", name="…").id == "query"
    assert Profile(id="kafka").name == "kafka"


@given(profiles())
def test_the_default_last_use_is_the_creation_time(document: dict[str, Any]) -> None:
    document.pop("last_used", None)
    document.setdefault("created_at", datetime.fromisoformat("2025-12-23T10:00:00+00:00"))
    profile = codec_of(Profile).entity(document)
    assert profile.last_used == profile.created_at


# --- schemas and views -----------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_property_of_every_schema_is_described(model: type[pydantic.BaseModel]) -> None:
    schema = model.model_json_schema()
    for owner in (schema, *schema.get("$defs", {}).values()):
        for name, described in owner.get("properties", {}).items():
            assert described.get("description", "").strip(), name


@given(json_objects, st.data())
def test_views_accept_any_value(value: dict[str, Any], data: st.DataObject) -> None:
    for view in (DoraMetrics, FlowMetrics, MetricForecast, ProjectScope, WeeklyStatistics):
        known = data.draw(
            st.dictionaries(st.sampled_from(list(view.model_fields)), json_values, max_size=3)
        )
        view.model_validate({**value, **known})


@given(json_objects, json_values)
def test_typed_properties_never_fail(value: dict[str, Any], inner: Any) -> None:
    of = {"profile_id": "p", "query_id": "q"}
    for data in (value, {**value, "project_scope": inner, "statistics": inner}):
        assert ProjectData(**of, data=data).scope is not None
        assert isinstance(ProjectData(**of, data=data).statistics, list)
    for metrics in (value, {**value, "flow_time": inner, "lead_time_days": inner}):
        snapshot = MetricsSnapshot(
            **of, snapshot_date="2025-W12", metric_type="dora", metrics=metrics, forecast=metrics
        )
        assert snapshot.dora is not None
        assert snapshot.flow is not None
        assert snapshot.typed_forecast is not None
    cache = JiraCache(**{**VALID[JiraCache], "response": {**value, "issues": inner}})
    assert isinstance(cache.issues, list)
    for changelog in (value, {"changelog": inner}, {"histories": inner}):
        history = JiraChangelog(**{**VALID[JiraChangelog], "changelog": changelog})
        assert isinstance(history.histories, list)


def test_fields_that_are_set_are_attributes() -> None:
    profile = codec_of(Profile).entity(
        {
            "id": "kafka",
            "jira_config": {"base_url": "https://jira.example.com"},
            "field_mappings": {"dora": {"deployment_date": "customfield_1"}},
            "flow_type_mappings": {"Technical Debt": {"issue_types": ["Task"]}},
        }
    )
    assert profile.jira_config.base_url == "https://jira.example.com"
    assert isinstance(profile.field_mappings, FieldMappings)
    assert profile.field_mappings.dora.deployment_date == "customfield_1"
    assert isinstance(profile.flow_type_mappings, FlowTypeMappings)
    assert profile.flow_type_mappings.technical_debt.issue_types == ["Task"]  # type: ignore[union-attr]
    assert profile.forecast_settings.pert_factor == 1.2


def test_an_application_has_tables_of_its_own() -> None:
    """Its metadata has no table of this package, and its models may have the same names."""

    class Base(SQLModel, registry=registry()):
        pass

    class Profile(Base, table=True):
        __tablename__ = "profiles"
        id: int = Field(primary_key=True)

    assert list(Profile.metadata.tables) == ["profiles"]
    assert "queries" not in SQLModel.metadata.tables
    assert models.Entity.metadata.tables.keys() > {"profiles", "queries"}
