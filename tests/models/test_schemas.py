"""JSON schemas accept and refuse what the models do, and describe what they dump."""

import json
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError as SchemaError
from jsonschema.validators import extend
from pydantic.json_schema import JsonSchemaMode

from burndown import models
from burndown.models import Entity
from burndown.models.codec import codec_of
from burndown.models.submodel import View
from burndown.testing.contract.drawn import ENTITIES, SECTIONS, json_objects, json_values

VIEWS = {
    model: json_objects
    for name in models.__all__
    if isinstance(model := getattr(models, name), type) and issubclass(model, View)
}
DOCUMENTS = {**ENTITIES, **SECTIONS, **VIEWS}

every_model = pytest.mark.parametrize("model", DOCUMENTS, ids=lambda model: model.__name__)


def is_whole_float(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer()


def is_long(value: Any) -> bool:
    return isinstance(value, str) and len(value.encode()) > 200


def is_url(value: Any) -> bool:
    return isinstance(value, str) and value.lower().startswith("http")


def is_timestamp(value: Any) -> bool:
    return isinstance(value, str) and re.match(r"\d{4}-?(\d\d-?\d\d|W\d\d)", value) is not None


def is_day(value: Any) -> bool:
    return isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d", value) is not None


def is_week(value: Any) -> bool:
    return isinstance(value, str) and re.match(r"\d{4}-W?\d\d", value) is not None


INEXPRESSIBLE: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "valid integer": (
        "1.0 is an integer of JSON schemas; as stored JSON it is a float",
        is_whole_float,
    ),
    "id of 1 to 200 bytes": ("schemas count characters", is_long),
    "URL": ("the grammar of hosts and ports; users", is_url),
    "datetime or an ISO 8601 string": ("the calendar", is_timestamp),
    "timestamp within the years": ("the time zone", is_timestamp),
    "date such as": ("the calendar", is_day),
    "ISO week": ("years of 53 weeks, Mondays", is_week),
}
"""Refusals of the models that a schema cannot express: a part of the message, why, and for what."""


def _ecma_pattern(
    validator: Any, pattern: str, instance: Any, schema: Any
) -> Iterator[SchemaError]:
    """Compare as JavaScript does; in Python, ``$`` is also before a newline at the end."""
    if isinstance(instance, str) and not re.search(pattern.replace("$", r"\Z"), instance):
        yield SchemaError(f"{instance!r} does not match {pattern!r}")


Validator = extend(Draft202012Validator, {"pattern": _ecma_pattern})


@cache
def validator(model: type[pydantic.BaseModel], mode: JsonSchemaMode) -> Any:
    schema = model.model_json_schema(mode=mode)
    Draft202012Validator.check_schema(schema)
    return Validator(schema)


odd_values = json_values | st.sampled_from(
    [
        *(
            0,
            1,
            0.0,
            -0.0,
            0.5,
            -1,
            9,
            10,
            10.0,
            100,
            100.0,
            100.5,
            1000,
            1001,
            5e-324,
            True,
            False,
        ),
        *(
            "",
            " ",
            "a",
            "a\n",
            "\n",
            "\0",
            "x" * 200,
            "x" * 201,
            "ä" * 101,
            "a/b",
            ".a",
            " a",
            "\x85",
        ),
        *("\u1680a", "\ufeff", "v2", "v4", "Running", "dora", "a_1", "1a", "1"),
        *("2025-W12", "2025-12", "2025-W53", "2025-W60", "2025-W00", "2026-W53", "2025-W1"),
        *("2025-12-31", "2025-02-30", "2025-13-01", "20251231", "31.12.2025", "0000-01-01"),
        *(
            "2025-12-29",
            "2025-12-29T00:00:00",
            "2025-12-31T10:00:00",
            "2025-12-31T10:00Z",
            "2025-12-31T25:00Z",
            "2025-W12-1T10",
        ),
        *("0001-01-01T00:00:00+14:00", "2025-12-31 10:00:00.5+05:30", "yesterday", "*****", "**a"),
        *(
            "https://jira.example.com",
            "HTTP://localhost:8080",
            "https://",
            "http://a:b@c",
            "ftp://a",
        ),
        *([], {}, ["a"], [1], [None], {"a": 1}, {"issue_types": "Bug"}, {"issue_types": ["Bug"]}),
    ]
).map(deepcopy)  # they are changed
"""Values of other types and near the bounds."""


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Generate each container in a JSON value, with each of its keys or positions."""
    keys = list(value) if isinstance(value, dict) else range(len(value))
    for key in keys:
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


@st.composite
def mutated(draw: st.DrawFn, documents: st.SearchStrategy[Any], keys: list[str]) -> Any:
    """Draw a document with up to three changes, at any depth."""
    document = json.loads(json.dumps(draw(documents), default=lambda value: value.isoformat()))
    for _ in range(draw(st.integers(0, 3))):
        found = list(places(document))
        action = draw(st.sampled_from(["replace", "remove", "add"]))
        if action == "add" or not found:
            owners = [document, *(c[k] for c, k in found if isinstance(c[k], dict))]
            draw(st.sampled_from(owners))[draw(st.sampled_from(keys))] = draw(odd_values)
            continue
        container, key = draw(st.sampled_from(found))
        if action == "replace":
            container[key] = draw(odd_values)
        else:
            del container[key]
    return document


def is_inexpressible(error: Any) -> bool:
    return any(
        part in error["msg"] and applies(error["input"])
        for part, (_, applies) in INEXPRESSIBLE.items()
    )


@every_model
@pytest.mark.parametrize("mode", ["validation", "serialization"])
def test_every_schema_is_valid(model: Any, mode: JsonSchemaMode) -> None:
    assert validator(model, mode).schema["properties"].keys() <= {
        field.alias or name for name, field in model.model_fields.items()
    }


@every_model
@given(data=st.data())
def test_a_schema_accepts_and_refuses_what_the_model_does(model: Any, data: st.DataObject) -> None:
    keys = [*validator(model, "validation").schema["properties"], "unknown"]
    document = data.draw(mutated(DOCUMENTS[model], keys))
    problems = [error.message for error in validator(model, "validation").iter_errors(document)]
    try:
        model.model_validate(document)
    except pydantic.ValidationError as error:
        others = [each for each in error.errors() if not is_inexpressible(each)]
        assert problems or not others
    else:
        assert not problems


@every_model
@given(data=st.data())
def test_a_schema_describes_what_the_model_dumps(model: Any, data: st.DataObject) -> None:
    document = data.draw(DOCUMENTS[model])
    made = codec_of(model).entity(document) if issubclass(model, Entity) else model(**document)
    described = validator(model, "serialization")
    for dump in (made.model_dump(mode="json"), json.loads(made.model_dump_json())):
        described.validate(dump)
        assert dump.keys() >= described.schema["properties"].keys()
