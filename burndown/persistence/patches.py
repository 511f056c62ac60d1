"""Documents that result from a patch, or that replace an earlier one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from burndown import models
from burndown.errors import RevisionConflictError, ValidationError
from burndown.merge_patch import merge_patch
from burndown.models import Document
from burndown.models.documents import REVISION
from burndown.models.json_codec import MAX_DEPTH, encode
from burndown.models.public_documents import without_masks

__all__ = ["patched", "replacing"]


def patched(
    entity: type[models.NamedEntity],
    stored: Mapping[str, Any],
    changes: Mapping[str, Any],
    if_revision: int | None,
) -> Document:
    """Return the document to save, with the revision that the stored one has to have.

    Args:
        entity: the entity of the document.
        stored: the stored document.
        changes: the patch.
        if_revision: the revision that the caller expects; by default that of the patch, if any.

    Raises:
        ValidationError: the patch is no object, or changes the id.
    """
    subject = f"{entity.__name__} {stored['id']!r}"
    if not isinstance(changes, Mapping):  # an entity would reset what it was made without
        raise ValidationError.of(subject, "", "input should be an object with the changes", changes)
    patch = {
        key: item.to_document() if isinstance(item, models.Submodel) else item
        for key, item in changes.items()
    }
    for column in entity.__table__.primary_key:
        own = stored[column.name]
        if patch.get(column.name, own) != own:
            expected = f"input should be {own!r}, as an id never changes"
            raise ValidationError.of(subject, column.name, expected, patch[column.name])
    if if_revision is not None or patch.get(REVISION) is None:
        patch[REVISION] = stored[REVISION] if if_revision is None else if_revision
    try:
        document: Document = merge_patch(dict(stored), without_masks(patch))
    except RecursionError:
        expected = f"input should nest at most {MAX_DEPTH} levels"
        raise ValidationError.of(subject, "", expected) from None
    return document


def replacing(
    entity: type[models.NamedEntity],
    document: Document,
    given: Mapping[str, Any],
    earlier: Mapping[str, Any],
) -> Document:
    """Return a complete document as it replaces an earlier one, with times and revision.

    Args:
        entity: the entity of the document.
        document: the document.
        given: the fields that the caller gave. A time that was not given keeps its earlier value.
        earlier: the stored document.

    Raises:
        RevisionConflictError: the stored document has another revision than the given one.
    """
    expected, current = given.get(REVISION), earlier[REVISION]
    if expected not in (None, current):
        raise RevisionConflictError(
            f"{entity.__name__} {document['id']!r}", document[REVISION], current
        )
    fields, before = map(entity.fields_of_document, (document, earlier))
    is_changed = any(
        encode(fields.get(name)) != encode(before.get(name)) for name in entity.content_fields()
    )
    times = entity.PRESERVED_ON_UPDATE.difference(given)
    return {
        **document,
        **{name: earlier[name] for name in times},
        REVISION: current + is_changed,
    }
