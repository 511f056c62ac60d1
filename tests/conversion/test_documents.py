"""Any single value of an entity is stored, converted or kept, and no other is lost."""

import copy
import json
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from burndown.conversion import LEGACY_HIDDEN, LEGACY_VALUES, convert
from burndown.models import Budget, Entity, Profile, Query, Submodel
from burndown.models.codec import codec_of
from burndown.models.documents import QUERY_IDS
from burndown.testing.contract.drawn import budgets, json_objects, json_values, profiles, queries
from tests.legacy.damaged_workspace import CANARY

Document = dict[str, Any]
Steps = tuple[str, ...]

UNEXPECTED_VALUES: st.SearchStrategy[Any] = (
    json_values
    | st.sampled_from(
        [
            *(0, 1, 2, 1.0, 100.0, -1, 10**400, "1", "0", "100", " 1.5 ", "1e3", "\u0661"),
            *(True, "true", "FALSE", "yes", "", " ", None, [], {}, [None], [[]], ["show"], "show"),
            *("2026-03-31T00:00:00", "2026-03-31 25:00", "2026-W14", "NaT", "31.03.2026"),
            *(" http://a.example ", "a.example", "V3", 3, "a, b", "\0", {"issue_types": "x"}),
        ]
    )
    | st.lists(json_values, min_size=1, max_size=1)
    | st.dictionaries(st.sampled_from(["dora", "issue_types", "deadline", "token"]), json_values)
)


def steps_of(model: Any) -> list[Steps]:
    """Return the path to each field of a model, and to the fields of its sections."""
    found: list[Steps] = []
    for name, field in model.model_fields.items():
        key = field.alias or name
        found.append((key,))
        if isinstance(field.annotation, type) and issubclass(field.annotation, Submodel):
            found += [(key, *steps) for steps in steps_of(field.annotation)]
    return found


PLACES: dict[type[Entity], list[Steps]] = {
    Profile: [steps for steps in steps_of(Profile) if steps not in [("id",), ("extra",)]],
    Query: [
        steps for steps in steps_of(Query) if steps not in [("id",), ("extra",), ("profile_id",)]
    ],
    Budget: [steps for steps in steps_of(Budget) if steps[0] not in {"extra", *QUERY_IDS}],
}
DOCUMENTS: dict[type[Entity], st.SearchStrategy[Document]] = {
    Profile: profiles(),
    Query: queries(),
    Budget: budgets,
}
IDS: dict[type[Entity], Document] = {
    Profile: {"id": "id"},
    Query: {"profile_id": "id", "id": "id"},
    Budget: dict.fromkeys(QUERY_IDS, "id"),
}


@st.composite
def with_unexpected_value(draw: st.DrawFn) -> tuple[type[Entity], Document, Steps, Any]:
    """Draw a model, a valid document, and a path in it with a value to be put there."""
    model = draw(st.sampled_from(list(PLACES)))
    return (
        model,
        draw(DOCUMENTS[model]),
        draw(st.sampled_from(PLACES[model])),
        draw(UNEXPECTED_VALUES),
    )


def put(document: Document, steps: Steps, value: Any) -> Document:
    """Return the document with the value, creating missing sections."""
    changed = copy.deepcopy(document)
    section = changed
    for step in steps[:-1]:
        section = section.setdefault(step, {})
    section[steps[-1]] = value
    return changed


def without(document: Document, steps: Steps) -> Document:
    """Return the document without the value at the path, and without kept values."""
    rest = put(document, steps, None)
    for key in (LEGACY_VALUES, LEGACY_HIDDEN):
        rest.pop(key, None)
    section = rest
    for step in steps[:-1]:
        section = section[step]
    del section[steps[-1]]
    return rest


def at(document: Document, steps: Steps) -> Any:
    for step in steps:
        document = document.get(step, {})
    return document


def accepted(model: type[Entity], document: Document) -> bool:
    """Return whether the model accepts the document; names are shortened later."""
    given = {**IDS[model], **document}
    if model is not Budget:
        given.pop("name", None)
    [stored] = codec_of(model).complete([given])
    times = ("created_at", "last_used", "updated_at")
    return all(
        json.dumps(stored[key]) == json.dumps(as_stored(value, stored[key]))
        for key, value in given.items()
        if key not in times
    )


def as_stored(value: Any, stored: Any) -> Any:
    """Return a value of a document, as a float if it is an integer for which that is stored."""
    return float(value) if type(value) is int and type(stored) is float else value


@given(example=with_unexpected_value())
def test_an_unexpected_value_affects_no_other(
    example: tuple[type[Entity], Document, Steps, Any],
) -> None:
    """It is stored, converted or kept by its path; whatever is done with it is reported."""
    model, document, steps, value = example
    assume(LEGACY_VALUES not in document)
    written = put(document, steps, value)
    before = copy.deepcopy(written)
    told: list[str] = []
    converted = convert(model, written, told.append)
    assert written == before
    assert accepted(model, converted)
    assert without(converted, steps) == without(written, steps)
    if json.dumps(converted, default=str) != json.dumps(written, default=str):
        assert told
        assert all(what.startswith(".".join(steps)) for what in told)
    kept = {**converted.get(LEGACY_VALUES, {}), **converted.get(LEGACY_HIDDEN, {})}
    assert all(place.startswith(".".join(steps)) for place in kept)
    if not isinstance(value, dict | list) and at(converted, steps) == {}:
        assert value in (None, {}) or not str(value).strip() or kept == {".".join(steps): value}


@given(document=profiles() | json_objects, parts=st.lists(with_unexpected_value(), max_size=4))
def test_any_object_becomes_a_profile_that_needs_no_conversion(
    document: Document, parts: list[tuple[type[Entity], Document, Steps, Any]]
) -> None:
    """Converting it again changes and reports nothing."""
    written = {**document, "id": "id"}
    for model, _, steps, value in parts:
        if model is Profile and all(isinstance(at(written, steps[:n]), dict) for n in (0, 1)):
            written = put(written, steps[:2], value)
    converted = convert(Profile, written, lambda what: None)
    assert accepted(Profile, converted)
    again: list[str] = []
    assert convert(Profile, converted, again.append) == converted
    assert not again or all(what.startswith("name: ") for what in again)


IN_URLS = [
    f"https://me:{CANARY}@jira.example.com",
    [f"https://me:{CANARY}@jira.example.com", "x"],
    json.dumps({"token": CANARY}),
    {"password": [CANARY]},
]
SECRETS = [*IN_URLS, [CANARY, CANARY], {"value": CANARY}, [[CANARY], 5], [CANARY, None]]


@given(
    place=st.tuples(st.sampled_from(["jira_config", "jira_config/token"]), st.sampled_from(SECRETS))
    | st.tuples(
        st.sampled_from(["jira_config/base_url", "description", "forecast_settings/deadline"]),
        st.sampled_from(IN_URLS),
    )
)
def test_values_that_may_be_secrets_are_not_reported_or_kept(
    place: tuple[str, Any],
) -> None:
    steps, value = tuple(place[0].split("/")), place[1]
    told: list[str] = []
    converted = convert(Profile, put({"id": "a"}, steps, value), told.append)
    assert CANARY in str(converted)
    assert CANARY not in str(converted.get(LEGACY_VALUES))
    assert CANARY not in str(told)
