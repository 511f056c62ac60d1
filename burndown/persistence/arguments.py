"""Checks of arguments that every backend is called with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import pydantic

from burndown import models
from burndown.errors import ValidationError
from burndown.models import Document
from burndown.models.json_values import copy_containers, to_json_value
from burndown.quoting import Description

__all__ = [
    "checked_issue_keys",
    "checked_limit",
    "checked_weeks",
    "document_of",
    "document_of_section",
    "query_document",
    "updating_document",
]


def document_of(
    model: type[models.Entity] | type[models.Submodel],
    given: Mapping[str, Any] | models.Entity | models.Submodel,
) -> Mapping[str, Any]:
    """Return a document unchanged, or that of an entity or section.

    Raises:
        ValidationError: it is neither an object nor an instance of the model.
    """
    if isinstance(given, Mapping):  # first: for models, pydantic calls a Python function
        return given
    if isinstance(given, model):
        return given.to_document()
    expected = f"input should be an object or instance of {model.__name__}"
    # The JSON of a document may contain a secret.
    got = Description("a value of type str") if isinstance(given, str) else given
    raise ValidationError.of(model.__name__, "", expected, got)


def updating_document(
    entity: type[models.Entity], given: Mapping[str, Any] | models.Entity
) -> Mapping[str, Any]:
    """Return a document as :func:`document_of`, of an entity without what an update preserves.

    A field that is preserved remains if it was set, or is a list that was edited in place.

    Raises:
        ValidationError: it is neither an object nor such an entity.
    """
    document = document_of(entity, given)
    if not isinstance(given, models.Entity):
        return document
    unset = entity.PRESERVED_ON_UPDATE - given.model_fields_set
    return {
        key: item
        for key, item in document.items()
        if key not in unset or (isinstance(item, list) and item)
    }


def document_of_section(
    model: type[models.Submodel], given: Mapping[str, Any] | models.Submodel
) -> Document:
    """Return a copy of the document of a section.

    Raises:
        ValidationError: it is neither an object nor such a section, or a value is not valid.
    """
    document: Document = copy_containers(dict(document_of(model, given)), to_json_value)
    try:
        model.model_validate(document)
    except pydantic.ValidationError as error:
        raise ValidationError.from_pydantic(model.__name__, error) from None
    return document


def query_document(profile_id: str, query: Mapping[str, Any] | models.Query) -> Document:
    """Return a copy of the document of a query, with the id of its profile.

    Raises:
        ValidationError: it is not an object, or has the id of another profile.
    """
    document = document_of(models.Query, query)
    if document.get("profile_id", profile_id) != profile_id:
        raise ValidationError.of(
            f"Query {document.get('id')!r}",
            "profile_id",
            f"input should be {profile_id!r}, the profile that it is saved in",
            document["profile_id"],
        )
    return {**document, "profile_id": profile_id}


def checked_limit(limit: int | None) -> int | None:
    """Return the maximum number of documents to return; an integer of numpy as that of Python.

    Raises:
        ValidationError: it is neither ``None`` nor an integer of 1 or more.
    """
    number = to_json_value(limit)
    if number is None or (isinstance(number, int) and number >= 1):
        return number
    raise ValidationError.of(
        "Limit", "limit", "input should be an integer of 1 or more, or None", limit
    )


def checked_issue_keys(issue_keys: Iterable[str] | None) -> list[str] | None:
    """Return the keys of issues as a list, which a statement can read again.

    Raises:
        ValidationError: they are neither ``None`` nor strings; or a single key, which would be a
            key for each of its characters.
    """
    if issue_keys is None:
        return None
    keys = list(issue_keys)
    if isinstance(issue_keys, str) or not all(isinstance(each, str) for each in keys):
        expected = "input should be a list of keys such as ['KAFKA-1'], or None"
        raise ValidationError.of("Issues", "issue_keys", expected, issue_keys)
    return keys


def checked_weeks(
    since: models.Week | date | str | None, until: models.Week | date | str | None
) -> tuple[str, str]:
    """Return the first and the last week of a range, as documents have them.

    Args:
        since: the first week; ``None`` for the first of the calendar.
        until: the last week; ``None`` for the last of the calendar.

    Raises:
        ValidationError: one of them is no week.
    """
    return (
        models.week.FIRST_WEEK if since is None else _checked_week("since", since),
        models.week.LAST_WEEK if until is None else _checked_week("until", until),
    )


def _checked_week(argument: str, week: models.Week | date | str) -> str:
    try:
        return str(models.Week.of(week))
    except ValidationError as error:
        [problem] = error.problems
        raise ValidationError("Range of weeks", [problem._replace(path=argument)]) from None
