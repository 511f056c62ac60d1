"""The types of documents have the keys of the models, and hold every document that is stored."""

from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from typing_extensions import get_type_hints, is_typeddict

from burndown import SQLiteBackend
from burndown.models import ENTITIES
from burndown.models.codec import codec_of
from burndown.models.entity import Entity
from burndown.models.submodel import Submodel, fields_by_key
from burndown.testing.contract.drawn import ENTITIES as DOCUMENTS
from burndown.testing.contract.drawn import SECTIONS

entities = pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.__name__)


def type_of(model: type[Any]) -> Any:
    """Return the type of the documents of an entity or a section."""
    module = model.__module__.replace("models.profile", "models.profile_document")
    return getattr(import_module(module), f"{model.__name__}Document")


def typed_dicts_in(annotation: Any) -> list[Any]:
    if is_typeddict(annotation):
        return [annotation]
    return [found for each in get_args(annotation) for found in typed_dicts_in(each)]


@entities
def test_the_document_of_an_entity_has_the_keys_of_its_fields(entity: type[Entity]) -> None:
    document = type_of(entity)
    assert document.__required_keys__ == entity.model_fields.keys() - {entity.UNKNOWN_KEYS}
    assert not document.__optional_keys__


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.__name__)
def test_the_document_of_a_section_can_have_each_key_of_its_fields(
    section: type[Submodel],
) -> None:
    document = type_of(section)
    assert document.__optional_keys__ == fields_by_key(section).keys()
    assert not document.__required_keys__


def test_a_section_has_the_type_of_its_documents() -> None:
    for model in (*ENTITIES, *SECTIONS):
        hints = get_type_hints(type_of(model))
        names = fields_by_key(model) if model in SECTIONS else {key: key for key in hints}
        for key, hint in hints.items():
            annotation = model.model_fields[names[key]].annotation
            sections = [annotation, *get_args(annotation)]
            expected = [type_of(each) for each in sections if each in SECTIONS]
            assert typed_dicts_in(hint) == expected, (model, key)


@entities
@given(data=st.data())
def test_a_stored_document_is_of_its_type(entity: type[Entity], data: st.DataObject) -> None:
    [document] = codec_of(entity).complete([data.draw(DOCUMENTS[entity])])
    adapter = TypeAdapter(type_of(entity))
    assert (
        adapter.validate_python(document, strict=True).keys() == type_of(entity).__required_keys__
    )


@pytest.mark.parametrize(
    ("entity", "key", "value"),
    [("Profile", "show_points", 3), ("Profile", "jira_config", {"token": 3})],
)
def test_a_document_of_another_type_is_refused(entity: str, key: str, value: Any) -> None:
    """The check above can fail."""
    [profile] = [each for each in ENTITIES if each.__name__ == entity]
    [document] = codec_of(profile).complete([{"id": "p"}])
    adapter = TypeAdapter(type_of(profile))
    with pytest.raises(ValueError, match=key):
        adapter.validate_python({**document, key: value}, strict=True)


def test_a_wrong_key_is_an_error_of_the_type_checker(tmp_path: Path) -> None:
    """mypy reports each ``type: ignore`` that is not needed."""
    with SQLiteBackend(tmp_path / "burndown.db") as backend:
        backend.save_profile({"id": "p", "own": 1})
        profile = backend.get_profile("p")
        assert profile is not None
        assert profile["forecast_settings"] == {}
        assert profile.get("own") == 1
        with pytest.raises(KeyError):
            profile["forcast_settings"]  # type: ignore[typeddict-item]
        with pytest.raises(KeyError):
            profile["forecast_settings"]["pert_faktor"]  # type: ignore[typeddict-item]
