"""Sessions of SQLModel that store what was edited in place in the entities that they loaded.

SQLAlchemy sees assignments to the fields of an entity, but not edits within their values, such as
of a list in a section.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

from pydantic_core import PydanticSerializationError
from sqlalchemy import event, inspect
from sqlalchemy.orm import object_session
from sqlalchemy.orm.attributes import flag_modified
from sqlmodel import Session

from burndown.models import Entity
from burndown.models.base import Submodel
from burndown.models.codec import codec_of
from burndown.models.json_codec import encode

__all__ = ["WritingSession"]


class WritingSession(Session):
    """A session that stores edits in place, and refuses entities that are not valid."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._loaded: dict[int, tuple[Entity, dict[str, bytes | None]]] = {}
        # It holds the entities: SQLAlchemy itself forgets one that nobody else holds.

    def flush(self, objects: Any = None) -> None:
        """Write what was changed.

        Raises:
            ValidationError: an entity was edited in place into something not valid.
        """
        self.note_edits()
        super().flush(objects)

    def note_edits(self) -> None:
        """Have SQLAlchemy know what was edited in place.

        It encodes all entities that were loaded; done at each flush, so that a later statement
        finds the edits and is not undone by them.
        """
        for entity, digests in self._loaded.values():
            state = inspect(entity)
            if state.session is not self or not state.persistent:
                continue
            for name, digest in _digests(entity, digests).items():
                if digest is None or digest != digests[name]:
                    flag_modified(entity, name)

    def remember(self, entity: Entity, names: Iterable[str]) -> None:
        """Remember the stored values of fields."""
        _, digests = self._loaded.setdefault(id(entity), (entity, {}))
        digests.update(_digests(entity, names))


@event.listens_for(WritingSession, "before_commit")
def _note_edits(session: WritingSession) -> None:
    session.note_edits()


@event.listens_for(WritingSession, "before_flush")
def _check(session: WritingSession, *_: Any) -> None:
    for each in [*session.new, *session.dirty]:
        if isinstance(each, Entity):
            document = each.to_document()
            codec_of(type(each)).rows([document])  # raises what is not valid
            for name, value in type(each).derived(document).items():
                if getattr(each, name) != value:
                    setattr(each, name, value)


@event.listens_for(WritingSession, "after_flush")
def _remember_flushed(session: WritingSession, *_: Any) -> None:
    for each in [*session.new, *session.dirty]:
        _remember_loaded(session, each)


@event.listens_for(WritingSession, "loaded_as_persistent")
def _remember_loaded(session: WritingSession, instance: object) -> None:
    if isinstance(instance, Entity):
        session.remember(instance, type(instance).model_fields)


@event.listens_for(Entity, "refresh", propagate=True)
def _remember_refreshed(entity: Entity, _context: Any, names: Iterable[str] | None) -> None:
    session = object_session(entity)
    if isinstance(session, WritingSession):
        session.remember(entity, type(entity).model_fields if names is None else names)


def _digests(entity: Entity, names: Iterable[str]) -> dict[str, bytes | None]:
    """The digests of those fields that are loaded and can be edited in place, as they are stored.

    That of a value which cannot be stored is ``None``.
    """
    loaded = {name: entity.__dict__[name] for name in names if name in entity.__dict__}
    return {
        name: _digest(value)
        for name, value in loaded.items()
        if isinstance(value, Submodel | dict | list)
    }


def _digest(value: Any) -> bytes | None:
    try:
        encoded = encode(value.to_document() if isinstance(value, Submodel) else value)
    except (ValueError, TypeError, PydanticSerializationError):
        return None
    return hashlib.sha256(encoded).digest()
