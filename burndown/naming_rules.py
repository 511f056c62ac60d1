"""The rules for names, ids and numbers that profiles and queries share."""

from collections.abc import Collection, Iterable

from burndown.errors import ValidationError
from burndown.models.values import slug
from burndown.persistence import Document

__all__ = [
    "MAX_PROFILES",
    "MAX_QUERIES",
    "checked_name",
    "free_id",
    "refuse_beyond",
    "refuse_taken_name",
]

MAX_PROFILES = 50
MAX_QUERIES = 100
"""How many queries a profile can have."""
MAX_NAME_LENGTH = 100


def checked_name(kind: str, name: str, others: Iterable[Document]) -> str:
    """The name without blanks around it.

    Raises:
        ValidationError: it is empty, longer than 100 characters, or one of the others has it,
            in whatever case.
    """
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= MAX_NAME_LENGTH:
        expected = f"a name of 1 to {MAX_NAME_LENGTH} characters was expected"
        raise ValidationError.of(kind, "name", expected, name)
    refuse_taken_name(kind, name.strip(), others)
    return name.strip()


def refuse_taken_name(kind: str, name: str, others: Iterable[Document], advice: str = "") -> None:
    """Refuse a name that is taken.

    Args:
        kind: what bears the name.
        name: the name.
        others: those that may have it.
        advice: what to do then, for the end of the message.

    Raises:
        ValidationError: one of the others has it, in whatever case.
    """
    for other in others:
        if other["name"].casefold() == name.casefold():
            expected = f"a name other than that of {kind.lower()} {other['id']!r} was expected"
            raise ValidationError.of(kind, "name", expected + advice, name)


def free_id(name: str, fallback: str, taken: Collection[str]) -> str:
    """An id made of the name that is not taken: ``team-a``, ``team-a-2``, …"""
    base = candidate = slug(name, fallback)
    number = 2
    while candidate in taken:
        candidate, number = f"{base}-{number}", number + 1
    return candidate


def refuse_beyond(limit: int, kind: str, present: Collection[object]) -> None:
    """Refuse one more.

    Raises:
        ValidationError: there are ``limit`` of the kind already.
    """
    if len(present) >= limit:
        raise ValidationError.of(kind, "id", f"at most {limit} were expected; delete one first")
