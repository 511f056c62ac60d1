"""Rows are made by a fast path, and are always those that the models make."""

import json
import math
from collections import OrderedDict, UserDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from benchmarks import sample
from burndown import ValidationError
from burndown.models import (
    DoraFieldMappings,
    FieldMappings,
    FlowFieldMappings,
    FlowTypeMapping,
    FlowTypeMappings,
    ForecastSettings,
    JiraConfig,
    MetricsSnapshot,
    Profile,
    ProjectClassification,
)
from burndown.models.codec import Row, codec_of
from burndown.testing.contract.drawn import (
    ENTITIES,
    PROFILE_SECTIONS,
    SECTIONS,
    VALID,
    flow_types,
    json_values,
    nested,
    profiles,
    strings,
    unstorable_leaves,
    unstorable_values,
)
from tests.support.strategies import ASSIGNABLE_REFUSALS

Document = dict[str, Any]

TIMESTAMP = datetime(2025, 12, 23, 10, tzinfo=UTC)
EAST = timezone(timedelta(hours=1))


class Colour(StrEnum):
    RED = "red"


class Text(str):
    """A subclass of ``str``."""


ODD: list[Any] = [
    *(..., Colour.RED, Text("a"), Text("\ud800"), True, False, None, object(), int),
    *(0, 1, 12, 0.0, 1.0, -0.0, 50.5, 10**30, 10**5000, math.nan, math.inf, 1 + 0j),
    *(Decimal("1.5"), Decimal("0.1"), Fraction(1, 2)),
    *("", "*", "**", "a*", " ", "\x1f", "\0", "\n", ".", "a ", "a b", "v2", "v3", "\ud800"),
    *("x" * 200, "x" * 201, "é" * 101, "a/b", "a-b_c.d", ".a", "日本", "…", "\u200b", "\xad"),
    *("2025-12", "2025-W53", "2026-W53", "2025-W01", "0000-W01", "0001-W01", "2025-W12\n"),
    *("2025-12-31", "2025-02-29", "0000-01-01", "0001-01-01", "2025-12-31\n", "1735689600"),
    *("\uff12\uff10\uff12\uff15-12-31", "2025-12-23T10:00:00", "2025-12-23T10:00:00+01:00"),
    *("https://jira", "HTTPS://jira/", "https://jira\x1f", " https://jira", "http://a@b"),
    *("https://1.2.3.999", "https://jira:99999", "https://bücher.example", "https://", "https:/a"),
    *("https://a/b?c=@", "https://a:b@c", "https://xn--a", "https://[::1]/", "ftp://jira"),
    *("https://" + "a" * 2080, "https://" + "a." * 1050),
    *(b"", b"a", ("a",), {"a"}, [], ["a"], [b"a"], [Text("a")], [1], ["\ud800"], [["a"]]),
    *({}, {"a": 1}, {1: 2}, {"\ud800": 1}, {Text("a"): 1}, {"a": ...}, {"a": math.nan}),
    *(OrderedDict(b=1, a=2), UserDict(a=1), MappingProxyType({"a": 1})),
    *(nested(194), nested(195), nested(196), nested(200), nested(201)),
    *({"issue_types": ["a"]}, {"issue_types": ("a",)}, {"issue_types": "a", "b": 1}),
    *(TIMESTAMP, TIMESTAMP.replace(tzinfo=None), TIMESTAMP.astimezone(EAST), TIMESTAMP.time()),
    *(date(2025, 12, 31), datetime.min, datetime.max, UUID(int=0), Path("a")),
    *(SecretStr(""), SecretStr("a"), SecretStr("**")),
    *(JiraConfig(token="t"), FlowTypeMapping(issue_types=["a"])),
    *(DoraFieldMappings(status="a"), FlowTypeMappings(feature=["a"])),
]
"""Values that a field may be given, valid and invalid ones."""

unexpected_values = st.one_of(
    st.sampled_from(ODD), json_values, unstorable_leaves, unstorable_values, flow_types
)


def with_timestamps(model: Any, document: Document) -> Document:
    """Return the document with a timestamp wherever the clock would be used."""
    timestamps = {name for name in model.model_fields if name.endswith(("_at", "last_used"))}
    return {**dict.fromkeys(timestamps, TIMESTAMP), **document}


def stored_or_error(rows: Callable[[], list[Row]]) -> str:
    """Return what is stored, or the error."""
    try:
        return repr(rows())
    except ValidationError as error:
        return f"{error.subject}: {error.problems}"


def assert_rows_are_those_of_the_entity(model: Any, document: Document) -> None:
    document = with_timestamps(model, document)
    codec = codec_of(model)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codec, "_validated", codec._validated_by_entity)
        by_entity = stored_or_error(lambda: codec.rows([document]))
    assert stored_or_error(lambda: codec.rows([document])) == by_entity


@contextmanager
def without_models(model: Any) -> Iterator[None]:
    def refuse(document: Document) -> Any:
        raise AssertionError(f"a model was made of {document}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codec_of(model), "_validated_by_entity", refuse)
        yield


def fields_of(model: Any) -> list[str]:
    """Return the names and aliases of the model's fields, and an unknown one."""
    aliases = [field.alias for field in model.model_fields.values() if field.alias]
    return [*model.model_fields, *aliases, "unknown"]


entities = pytest.mark.parametrize("model", ENTITIES, ids=lambda model: model.__name__)
sections = pytest.mark.parametrize("name", PROFILE_SECTIONS)


@entities
@given(data=st.data())
def test_a_valid_document_gives_the_row_of_its_model(model: Any, data: st.DataObject) -> None:
    assert_rows_are_those_of_the_entity(model, data.draw(ENTITIES[model]))


@pytest.mark.parametrize(
    ("model", "field"), [(model, field) for model in ENTITIES for field in fields_of(model)]
)
def test_any_value_of_a_field_gives_the_row_of_the_model(model: Any, field: str) -> None:
    for value in ODD:
        assert_rows_are_those_of_the_entity(model, {**VALID[model], field: value})


@pytest.mark.parametrize(
    ("path", "model"),
    [
        *((("jira_config",), JiraConfig), (("field_mappings",), FieldMappings)),
        (("field_mappings", "dora"), DoraFieldMappings),
        (("field_mappings", "flow"), FlowFieldMappings),
        *((("forecast_settings",), ForecastSettings), (("flow_type_mappings",), FlowTypeMappings)),
        (("project_classification",), ProjectClassification),
        *((("flow_type_mappings", key), FlowTypeMapping) for key in ("Feature", "unknown")),
    ],
)
def test_any_value_of_a_key_of_a_section_gives_the_row_of_the_model(
    path: tuple[str, ...], model: Any
) -> None:
    for key in fields_of(model):
        for value in ODD:
            document: Any = {"z": [], key: value}
            for step in reversed(path):
                document = {step: document}
            assert_rows_are_those_of_the_entity(Profile, {"id": "a", **document})


def sections_given(model: Any) -> st.SearchStrategy[Document]:
    keys = st.sampled_from(fields_of(model)) | strings
    return st.dictionaries(keys, unexpected_values, min_size=1, max_size=3)


@sections
@given(data=st.data())
def test_any_value_of_a_section_gives_the_row_of_the_model(name: str, data: st.DataObject) -> None:
    model = Profile.model_fields[name].annotation
    section = data.draw(sections_given(model) | SECTIONS[model])  # type: ignore[index]
    assert_rows_are_those_of_the_entity(Profile, {"id": "a", name: section})


@pytest.mark.parametrize("key", ["feature", "technical_debt"])
def test_the_name_of_a_field_is_stored_under_its_alias(key: str) -> None:
    document = {"id": "a", "flow_type_mappings": {"more": [], key: ["Story"]}}
    alias = FlowTypeMappings.model_fields[key].alias
    [row] = codec_of(Profile).rows([document])
    assert row["flow_type_mappings"] == json.dumps(
        {alias: ["Story"], "more": []}, separators=(",", ":")
    )


@pytest.mark.parametrize(
    ("section", "stored"),
    [
        ({"token": SecretStr("t")}, '{"token":"t"}'),
        (JiraConfig(token="t", unknown=...), '{"token":"t","unknown":null}'),
    ],
)
def test_a_token_is_stored_in_plain_text(section: Any, stored: str) -> None:
    assert codec_of(Profile).rows([{"id": "a", "jira_config": section}])[0]["jira_config"] == stored


def test_a_number_of_another_type_is_stored_as_a_number() -> None:
    settings = {"pert_factor": Decimal("1.5"), "data_points_count": Fraction(25, 2), "k": {"b": 1}}
    [row] = codec_of(Profile).rows([{"id": "a", "forecast_settings": settings}])
    stored = '{"pert_factor":1.5,"data_points_count":12.5,"k":{"b":1}}'
    assert row["forecast_settings"] == stored


def test_a_date_is_stored_as_a_string() -> None:
    [row] = codec_of(Profile).rows(
        [{"id": "a", "forecast_settings": {"deadline": date(2025, 12, 31)}}]
    )
    assert row["forecast_settings"] == '{"deadline":"2025-12-31"}'


@pytest.mark.parametrize(
    ("model", "attribute", "value"),
    [each for each in ASSIGNABLE_REFUSALS if each[0] in ENTITIES],
)
def test_what_a_model_refuses_gives_no_row(model: Any, attribute: str, value: Any) -> None:
    document = {**VALID[model], attribute: value}
    with pytest.raises(ValidationError) as refused:
        codec_of(model).rows([VALID[model], document])
    with pytest.raises(ValidationError) as expected:
        codec_of(model).entity(document)
    assert refused.value.problems == expected.value.problems


OF_QUERY = {"profile_id": "kafka", "query_id": "12w"}


@pytest.mark.parametrize(
    ("model", "document"),
    [
        *VALID.items(),
        (Profile, sample.profile()),
        (MetricsSnapshot, {**VALID[MetricsSnapshot], "snapshot_date": "2026-W53"}),
    ],
    ids=lambda each: each.__name__ if isinstance(each, type) else "",
)
def test_an_ordinary_document_is_not_validated_by_a_model(model: Any, document: Document) -> None:
    if model in ENTITIES:
        with without_models(model):
            [row] = codec_of(model).rows([document])
        assert list(row) == list(model.model_fields)


@given(profiles())
def test_a_document_is_not_changed(document: Document) -> None:
    before = repr(document)
    codec_of(Profile).rows([document])
    assert repr(document) == before
