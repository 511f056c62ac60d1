"""Rules for the names, ids and number of the profiles and queries that people create.

They are stricter than what a backend stores, in two ways:

- A new name has at most 100 characters. Stored names can have 200, because those of old workspaces
  are longer, or get a number when two are the same.
- A new name differs from all others in more than its case and the spaces around it. Stored names
  only have to be unequal, because old workspaces have ones that differ in case; a person who
  chooses from a list of names could not tell two such names apart.

The limits are defaults, which the settings can replace.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from burndown.errors import ValidationError
from burndown.models.field_types import slug
from burndown.models.named_entity import NamedEntity, name_taken
from burndown.settings import MAX_NEW_NAME_LENGTH, MAX_PROFILES, MAX_QUERIES, get_settings

__all__ = [
    "MAX_NEW_NAME_LENGTH",
    "MAX_PROFILES",
    "MAX_QUERIES",
    "check_count",
    "check_name_is_free",
    "free_id",
    "validate_name",
]


def validate_name(
    entity: type[NamedEntity],
    name: str,
    present: Iterable[Mapping[str, Any]],
    own_id: str | None = None,
) -> str:
    """Return the name without spaces around it.

    Args:
        entity: the entity that is named.
        name: its new name.
        present: the documents with which it shares the scope of names.
        own_id: the id of the document that is renamed; ``None`` for a new one.

    Raises:
        ValidationError: the name is empty, longer than the settings allow, or that of another
            document, in any case.
    """
    stripped = name.strip() if isinstance(name, str) else ""
    longest = get_settings().max_name_length
    if not 1 <= len(stripped) <= longest:
        expected = f"input should be a name of 1 to {longest} characters"
        raise ValidationError.of(entity.__name__, "name", expected, name)
    check_name_is_free(entity, stripped, present, own_id)
    return stripped


def check_name_is_free(
    entity: type[NamedEntity],
    name: str,
    present: Iterable[Mapping[str, Any]],
    own_id: str | None = None,
    advice: str = "",
) -> None:
    """Check that no other document has the name.

    Args:
        entity: the entity that is named.
        name: the name.
        present: the documents with which it shares the scope of names.
        own_id: the id of the document that is renamed; ``None`` for a new one.
        advice: the end of the error message, with what to do next.

    Raises:
        ValidationError: another document has the name, in any case.
    """
    for other in present:
        if other["id"] != own_id and other["name"].casefold() == name.casefold():
            raise name_taken(entity, {"id": own_id, "name": name}, other["id"], advice)


def free_id(name: str, fallback: str, taken: Collection[str]) -> str:
    """Return an unused id, derived from the name: ``team-a``, ``team-a-2``, ..."""
    base = candidate = slug(name, fallback)
    number = 2
    while candidate in taken:
        candidate, number = f"{base}-{number}", number + 1
    return candidate


def check_count(entity: type[NamedEntity], limit: int, present: Collection[object]) -> None:
    """Check that one more can be added.

    Raises:
        ValidationError: the limit is reached.
    """
    if len(present) >= limit:
        expected = f"there should be at most {limit} {entity.LABEL}; delete one first"
        raise ValidationError.of(entity.__name__, "id", expected)
