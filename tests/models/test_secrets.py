"""No secret is in an error of a model, in what is printed of it, or in its JSON dumps."""

import copy
import io
import json
import logging
import math
import pickle
import pprint
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from burndown import ValidationError, public_document
from burndown.models import ENTITIES, JiraConfig, Profile, Query
from burndown.models.codec import codec_of
from burndown.models.submodel import Submodel
from burndown.testing.contract.drawn import VALID, profiles

CANARY = "c4n4ry-t0k3n"
SECRET_KEYS = ["token", "api_token", "password", "client_secret", "Authorization", "apiKey"]

secrets: st.SearchStrategy[Any] = st.sampled_from(
    [CANARY, [CANARY], {"k": CANARY}, CANARY.encode(), (CANARY,), {CANARY}, CANARY + "\ud800"]
)
broken_values: st.SearchStrategy[Any] = st.sampled_from(
    [None, 3, "nowhere", math.nan, [], {"k": math.nan}, object(), {1: 2}, "2025-02-30", "\ud800"]
)


@st.composite
def broken_documents(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a profile with the canary at places of secrets, and other places broken."""
    document: dict[str, Any] = copy.deepcopy(draw(profiles()))
    sections = [name for name in Profile.model_fields if name.endswith(("_config", "_settings"))]
    for section in sections:
        document[section] = dict(document.get(section, {}))
    owners = [document, *(document[section] for section in sections)]
    for key in draw(st.lists(st.sampled_from(SECRET_KEYS), min_size=1, max_size=3)):
        draw(st.sampled_from(owners))[key] = draw(secrets)
    for _ in range(draw(st.integers(0, 3))):
        owner = draw(st.sampled_from(owners))
        known = Profile.model_fields if owner is document else JiraConfig.model_fields
        key = draw(st.sampled_from([*known, "unknown"]))
        if key not in SECRET_KEYS:
            owner[key] = draw(broken_values)
    if draw(st.booleans()):
        document.pop("id")
        document.pop("name", None)
    if draw(st.booleans()):
        document["jira_config"] = draw(st.sampled_from([CANARY, [CANARY], (CANARY,), b"{}"]))
    return document


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Generate an error, its causes and its contexts."""
    if error is not None:
        yield error
        yield from chain(error.__cause__)
        yield from chain(error.__context__)


def everything_about(error: BaseException) -> str:
    """Return all that an error and those behind it tell, as a log, a console and an API do."""
    console = Console(file=io.StringIO(), width=200)
    console.print(error)
    told = [console.file.getvalue(), "".join(traceback.format_exception(error))]  # type: ignore[attr-defined]
    for each in chain(error):
        told += [str(each), repr(each), repr(each.args), repr(vars(each)), f"{each!s:>5}"]
        record = logging.LogRecord("a", 40, "a", 1, "%r", (each,), (type(each), each, None))
        told.append(logging.Formatter().format(record))
        if isinstance(each, pydantic.ValidationError):
            told += [repr(each.errors()), str(each.errors()), repr(each.errors(include_url=False))]
            told.append(each.json())
        else:
            told.append(repr(pickle.loads(pickle.dumps(each))))
    return "\n".join(told)


def assign(document: dict[str, Any]) -> None:
    profile, config = Profile(id="a"), JiraConfig()
    for key in document.keys() & Profile.model_fields.keys():
        setattr(profile, key, document[key])
    jira = document["jira_config"]
    for key, value in jira.items() if isinstance(jira, dict) else ():
        setattr(config, key, value)


def validate_text(document: dict[str, Any]) -> None:
    Profile.model_validate_json(json.dumps(document, default=str))


class Application(pydantic.BaseModel):
    """A model that has the same classes in several places."""

    profile: Profile
    profiles: list[Profile]
    jira: JiraConfig


WAYS: dict[str, Callable[[dict[str, Any]], object]] = {
    "constructor": lambda document: Profile(**document),
    "constructor of a section": lambda document: JiraConfig(**dict(document["jira_config"])),
    "model_validate": Profile.model_validate,
    "model_validate of a section": lambda document: JiraConfig.model_validate(
        document["jira_config"]
    ),
    "model_validate_json": validate_text,
    "list": lambda document: pydantic.TypeAdapter(list[Profile]).validate_python([document]),
    "assignment": assign,
    "entity": codec_of(Profile).entity,
    "rows": lambda document: codec_of(Profile).rows([document]),
    "complete": lambda document: codec_of(Profile).complete([document]),
    "query": lambda document: Query.model_validate({**document, "profile_id": None}),
    "model of an application": lambda document: Application(
        profile=document, profiles=[document], jira=document["jira_config"]
    ),
    "model_copy": lambda document: Profile(id="a").model_copy(update=document),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@given(document=broken_documents())
def test_no_error_holds_a_secret(way: Callable[[Any], object], document: dict[str, Any]) -> None:
    try:
        way(document)
    except (AttributeError, TypeError, ValueError) as error:
        told = everything_about(error)
    else:
        told = ""
    assert CANARY not in told


@pytest.mark.parametrize(
    "config",
    [
        {"token": [CANARY]},
        {"token": {"k": CANARY}},
        {"token": CANARY.encode() + b"\xff"},
        {"token": CANARY + "\ud800"},
        {"token": CANARY, "base_url": "nowhere"},
        {"token": CANARY, "cache_size_mb": 1, "unknown": math.nan},
        {"base_url": f"https://user:{CANARY}@jira.example.com"},
        {"base_url": f"https://{CANARY}@jira.example.com"},
        {"base_url": f"ftp://user:{CANARY}@jira.example.com"},
        {"base_url": f"user:{CANARY}@jira.example.com"},
        {"base_url": {"token": CANARY}},
        {"api_token": {CANARY, CANARY}},
        {"nested": {"password": {"k": CANARY + "\ud800"}}},
        CANARY,
        json.dumps({"token": CANARY}),
        [CANARY],
    ],
    ids=repr,
)
def test_an_invalid_connection_is_an_error_without_a_secret(config: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        codec_of(Profile).rows([{"id": "a", "jira_config": config}])
    assert CANARY not in everything_about(refused.value)
    for make in (
        lambda: Profile(id="a", jira_config=config),
        lambda: setattr(Profile(id="a"), "jira_config", config),
        lambda: JiraConfig.model_validate(config),
    ):
        with pytest.raises(pydantic.ValidationError) as made:
            make()
        assert CANARY not in everything_about(made.value)


@pytest.mark.parametrize("given_as", [CANARY, [CANARY], (CANARY,), {CANARY}, CANARY.encode()])
@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.__name__)
def test_no_error_holds_what_was_given_in_place_of_an_entity(entity: Any, given_as: Any) -> None:
    with pytest.raises(pydantic.ValidationError) as refused:
        entity.model_validate(given_as)
    assert CANARY not in everything_about(refused.value)


@pytest.mark.parametrize("model", [Profile, JiraConfig])
@pytest.mark.parametrize("text", ["{{", '"{}"', '["{}"]', '{{"token": "{}"'])
def test_no_error_of_json_text_holds_it(model: Any, text: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - that of the JSON reader as well
        model.model_validate_json(text.format(CANARY))
    assert CANARY not in everything_about(refused.value)


def test_a_refused_assignment_keeps_the_token() -> None:
    config = JiraConfig(token=CANARY)
    with pytest.raises(pydantic.ValidationError) as refused:
        config.token = [CANARY]  # type: ignore[assignment]
    assert CANARY not in everything_about(refused.value)
    assert config.token.get_secret_value() == CANARY


def test_other_invalid_values_stay_in_errors() -> None:
    with pytest.raises(pydantic.ValidationError) as refused:
        Profile(id="a", forecast_settings={"pert_factor": "much"})
    [error] = refused.value.errors()
    assert error["loc"] == ("forecast_settings", "pert_factor")
    assert error["input"] == "much"


# --- valid models ----------------------------------------------------------------------------


@st.composite
def profiles_with_secrets(draw: st.DrawFn) -> Profile:
    document = copy.deepcopy(draw(profiles()))
    nested = {draw(st.sampled_from(SECRET_KEYS)): CANARY, "list": [{"password": [CANARY]}]}
    source = {"field": "customfield_1", **nested}
    own = {"token": CANARY, **nested, "nested": nested, "points_field": source}
    document["jira_config"] = {**document.get("jira_config", {}), **own}
    document["field_mappings"] = {"dora": {"severity_level": source}, **nested}
    document["flow_type_mappings"] = {"Feature": nested, "secret work": [CANARY]}
    return codec_of(Profile).entity({**document, **nested, "nested": nested})


def printed(model: Any) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(model)
    shown = [repr(model), str(model), f"{model}", f"{model!r:>5}", pprint.pformat(model)]
    shown += [console.file.getvalue(), repr(list(model.__repr_args__()))]  # type: ignore[attr-defined]
    shown += [repr([model]), repr({"k": model}), "%s %r" % (model, model)]  # noqa: UP031
    shown += [repr(list(model.__rich_repr__()))]
    return "\n".join(shown)


@given(profiles_with_secrets())
def test_nothing_printed_or_dumped_as_json_holds_a_secret(profile: Profile) -> None:
    sections = [value for name, value in profile if isinstance(value, Submodel)]
    for model in (profile, copy.copy(profile), copy.deepcopy(profile), *sections):
        assert CANARY not in printed(model)
        for options in ({}, {"exclude_unset": True}, {"by_alias": False}, {"round_trip": True}):
            assert CANARY not in model.model_dump_json(**options)
            assert CANARY not in repr(model.model_dump(mode="json", **options))
        adapter = pydantic.TypeAdapter(type(model))
        assert CANARY.encode() not in adapter.dump_json(model)
        assert CANARY not in repr(pydantic.TypeAdapter(list[Any]).dump_python([model], mode="json"))
    assert CANARY not in repr(profile.jira_config.token)


@given(profiles_with_secrets())
def test_a_printed_document_shows_no_secret(profile: Profile) -> None:
    """Its values are the secrets nevertheless."""
    document = profile.to_document()
    for each in (document, document["jira_config"], profile.jira_config.to_document()):
        assert CANARY not in repr(each)
        assert CANARY in json.dumps(each)


@given(profiles_with_secrets())
def test_documents_copies_pickles_and_python_dumps_keep_the_secrets(profile: Profile) -> None:
    """They are what a model is stored, handed on and made again from."""
    document = profile.to_document()
    assert document["jira_config"]["token"] == CANARY
    assert document["list"] == [{"password": [CANARY]}]
    for again in (
        copy.copy(profile),
        copy.deepcopy(profile),
        pickle.loads(pickle.dumps(profile)),
    ):
        assert again.to_document() == document
    dumped = Profile.model_validate(profile.model_dump())
    assert dumped.extra == profile.extra
    assert dumped.jira_config.to_document().items() >= document["jira_config"].items()


def test_a_schema_has_no_token_to_be_read() -> None:
    assert JiraConfig.model_json_schema()["properties"]["token"].get("default") in (None, "")
    assert "token" not in JiraConfig.model_json_schema(mode="serialization")["properties"]


def test_the_documents_of_this_module_can_be_valid() -> None:
    """Otherwise errors would hide what is printed."""
    assert Profile(**VALID[Profile], jira_config={"token": CANARY}).jira_config.token


# --- models that were changed without validation ---------------------------------------------


def test_a_token_of_another_type_is_not_printed() -> None:
    assert CANARY not in printed(JiraConfig.model_construct(token=CANARY))


def test_copies_are_validated() -> None:
    """A section may be given as a dict, as in a constructor."""
    profile = Profile(id="a", name="A")
    copied = profile.model_copy(update={"jira_config": {"token": CANARY}})
    assert copied.jira_config == JiraConfig(token=CANARY)
    assert profile.jira_config == JiraConfig()
    assert CANARY not in copied.model_dump_json()
    with pytest.raises(pydantic.ValidationError):
        profile.model_copy(update={"name": ""})
    with pytest.raises(AttributeError, match="has no field '__dict__'"):
        profile.model_copy(update={"__dict__": {}})
    changed = copied.jira_config.model_copy(update={"cache_size_mb": 20, "unknown": 1})
    assert changed.to_document() == {"token": CANARY, "cache_size_mb": 20, "unknown": 1}


def test_the_public_document_of_an_entity_is_that_of_its_document() -> None:
    profile = Profile(id="p", jira_config=JiraConfig(token="canary"))
    assert public_document(profile) == public_document(profile.to_document())
    assert "canary" not in repr(public_document(profile))


def test_whether_a_token_is_set_is_shown() -> None:
    for document, is_set in (({}, False), ({"jira_config": {"token": ""}}, False)):
        shown = public_document(document)
        assert shown["jira_config"]["token"] == {"is_set": is_set}
        assert public_document(shown) == shown
