"""Sessions of SQLModel that store what was edited in place in the entities that they loaded.

SQLAlchemy sees assignments to the fields of an entity, but not edits within their values, such as
of a list in a section.
"""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from pydantic_core import PydanticSerializationError
from sqlalchemy import event, exc, inspect
from sqlalchemy.orm import object_session
from sqlalchemy.orm.attributes import flag_modified
from sqlmodel import Session, select

from burndown.database.entity_digests import sign_entity
from burndown.database.sealed_entities import stored_row
from burndown.errors import RevisionConflictError, TransactionAbortedError
from burndown.models import Entity
from burndown.models.codec import codec_of
from burndown.models.documents import REVISION
from burndown.models.json_codec import encode
from burndown.models.named_entity import NamedEntity
from burndown.models.sealer import sealer_of
from burndown.models.submodel import Submodel, to_documents
from burndown.models.unknown_keys import OpenEntity
from burndown.sql import ERASES
from burndown.transactions import Transaction

__all__ = ["WritingSession"]


class WritingSession(Session):
    """A session that stores edits in place, and refuses invalid entities."""

    opened: Transaction[Any] | None = None
    """Its transaction, for calls that would have to wait for the write lock."""
    has_connection = False
    """Whether it has a connection, and a transaction has begun on that."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # By id, since an entity cannot be hashed. The entity itself is kept because SQLAlchemy
        # does not keep a reference to it, and its edits would be lost.
        self._loaded: dict[int, tuple[Entity, dict[str, bytes | None]]] = {}
        self._sealed: list[tuple[OpenEntity, dict[str, Any]]] = []

    def flush(self, objects: Any = None) -> None:
        """Write what was changed to the database.

        Raises:
            ValidationError: an entity was edited in place into something not valid.
        """
        self.note_edits()
        try:
            super().flush(objects)
        finally:
            self.open_sealed()

    def seal(self, entity: OpenEntity) -> None:
        """Put the stored form of values that hold secrets in their place, until the flush ends."""
        row = stored_row(self, entity)
        if row is not None:
            names = sealer_of(type(entity)).columns.keys() & entity.__dict__.keys()
            self._sealed.append((entity, {name: entity.__dict__[name] for name in names}))
            # Past SQLAlchemy, for which these are no changes.
            entity.__dict__.update((name, row[name]) for name in names)

    def open_sealed(self) -> None:
        """Put the values back that :meth:`seal` replaced."""
        while self._sealed:
            entity, values = self._sealed.pop()
            entity.__dict__.update(values)

    def note_edits(self) -> None:
        """Mark the fields that were edited in place as changed.

        It encodes all entities that were loaded. It runs before each flush, so that a later
        statement sees the edits and is not overwritten by them.
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

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what a block changed in the session, and only that, on an error."""
        part = self.begin_nested()
        try:
            yield
        except BaseException:
            self.note_edits()  # so that they are undone, too
            # It may have ended already; the error of the block says more than that of a rollback.
            with suppress(TransactionAbortedError, exc.InvalidRequestError):
                part.rollback()
            raise
        part.commit()


@event.listens_for(WritingSession, "after_begin")
def _note_begin(session: WritingSession, *_: Any) -> None:
    session.has_connection = True
    if session.opened is not None:
        session.opened.holds_lock = True


@event.listens_for(WritingSession, "before_commit")
def _note_edits(session: WritingSession) -> None:
    session.note_edits()


@event.listens_for(WritingSession, "before_flush")
def _check(session: WritingSession, *_: Any) -> None:
    for each in [*session.new, *session.dirty]:
        if isinstance(each, NamedEntity) and each not in session.new:
            _count_revision(session, each)
        if isinstance(each, Entity):
            document = each.to_document()
            codec_of(type(each)).complete([document])  # raises if it is invalid; compresses nothing
            for name, value in type(each).derived(document).items():
                if getattr(each, name) != value:
                    setattr(each, name, value)
        if isinstance(each, OpenEntity):
            session.seal(each)


def _count_revision(session: WritingSession, entity: NamedEntity) -> None:
    """Raise the revision of an edited entity.

    Raises:
        RevisionConflictError: another revision than the stored one was assigned or merged.
    """
    state, table = inspect(entity), type(entity).__table__
    changed = {
        name for name in type(entity).model_fields if state.attrs[name].history.has_changes()
    }
    # The loaded one may be old: a repository can have saved the same row in this session.
    key = zip(table.primary_key, state.identity, strict=True)
    current = session.scalar(
        select(table.c[REVISION]).where(*(column == value for column, value in key))
    )
    if current is None:
        return  # it was deleted, which SQLAlchemy reports
    expected = entity.revision
    if REVISION in changed and expected not in (None, current):
        raise RevisionConflictError(f"{type(entity).__name__} {entity.id!r}", expected, current)
    if not changed.isdisjoint(sealer_of(type(entity)).columns):
        session.info[ERASES] = True  # a value may hold one
    is_changed = not changed.isdisjoint(entity.content_fields())
    entity.revision = current + is_changed


@event.listens_for(WritingSession, "after_flush")
def _remember_flushed(session: WritingSession, *_: Any) -> None:
    session.open_sealed()  # before SQLAlchemy takes the values for those that are stored
    for each in [*session.new, *session.dirty]:
        _remember_loaded(session, each)
        if isinstance(each, Entity):
            sign_entity(session, each)


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
    """Return digests of the stored form of fields that are loaded and can be edited in place.

    The digest of a value that cannot be stored is ``None``.
    """
    loaded = {name: entity.__dict__[name] for name in names if name in entity.__dict__}
    return {
        name: _digest(value)
        for name, value in loaded.items()
        if isinstance(value, Submodel | dict | list)
    }


def _digest(value: Any) -> bytes | None:
    try:
        encoded = encode(to_documents(value))
    except (ValueError, TypeError, PydanticSerializationError):
        return None
    return hashlib.sha256(encoded).digest()
