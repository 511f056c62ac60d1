"""The types that fields are made of, each with its rule and its message.

A rule is a constraint of pydantic-core where there is one: it runs at the speed of Rust, and is in
the JSON schema. A function is used for what pydantic-core cannot check.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import fabs
from typing import Annotated, Any, TypeGuard

import pydantic
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    PlainValidator,
    Strict,
    StrictFloat,
    StrictInt,
    TypeAdapter,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from burndown.models.json_codec import check_object, check_storable, check_text

__all__ = [
    "MAX_NAME_LENGTH",
    "SECTION_DEPTH",
    "Amount",
    "Count",
    "Expecting",
    "FieldSource",
    "Identifier",
    "JsonObject",
    "Key",
    "LenientNumber",
    "LenientText",
    "Line",
    "Name",
    "Number",
    "Percent",
    "PositiveNumber",
    "Revision",
    "SectionObject",
    "Symbol",
    "Text",
    "Word",
    "invalid",
    "is_identifier",
    "is_key",
    "is_line",
    "lenient",
    "number_or_none",
    "slug",
]

MAX_ID_LENGTH = 200
MAX_NAME_LENGTH = 200
_MAX_SYMBOL_LENGTH = 10
_MAX_AMOUNT = 2**53 - 1
"""Up to here, each integer is exactly a float."""
SECTION_DEPTH = 4
"""Containers around an unknown key of a section within its column, at most."""


@dataclass(frozen=True, eq=False)
class Expecting:
    """One message for whatever is wrong, instead of one for each branch of a union or a pattern."""

    expected: str
    check: Callable[[Any], Any] | None = None
    """Returns a value, as the type expects it, or raises an error with a more exact message.

    A row is validated without it, so the type itself has to refuse the value, or its encoding.
    """

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        schema: CoreSchema = core_schema.custom_error_schema(
            handler(source),
            custom_error_type="unexpected",
            custom_error_message="{expected}",
            custom_error_context={"expected": self.expected},
        )
        if self.check is None:
            return schema
        return core_schema.no_info_before_validator_function(self.check, schema)


def invalid(expected: str, **context: Any) -> PydanticCustomError:
    """Return the error of a value that is not valid; ``value`` replaces it in the message."""
    return PydanticCustomError("unexpected", "{expected}", {"expected": expected, **context})


# --- strings ---------------------------------------------------------------------------------

_NOT_IN_IDS = r"/\\\x00-\x1f\x7f-\x9f"
_BLANK = r"\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""What ``str.strip`` removes; ``\\s`` is something else in pydantic-core, Python and JavaScript."""
_ID_PATTERN = rf"^[^.{_NOT_IN_IDS}{_BLANK}]([^{_NOT_IN_IDS}]*[^{_NOT_IN_IDS}{_BLANK}])?$"


def _check_id_size(text: str) -> str:
    if len(text.encode()) > MAX_ID_LENGTH:
        raise invalid(_AN_ID)
    return text


_AN_ID = (
    f"input should be an id of 1 to {MAX_ID_LENGTH} bytes, without slashes, control characters, "
    "a leading dot and surrounding blanks"
)

Text = Annotated[str, Strict(), Field(min_length=0)]
"""A string inside a JSON value. pydantic-core looks at a string only if it has a constraint, and
refuses lone surrogates then; the minimum is such a constraint."""

Line = Annotated[
    str,
    Strict(),
    Field(pattern=r"^[^\x00]*$"),
    Expecting("input should be a string without NUL characters and lone surrogates"),
]
"""A string in a column of its own. PostgreSQL stores no NUL in one, so no database does."""

_NOT_BLANK = rf"^[^\x00]*[^\x00{_BLANK}][^\x00]*$"

Name = Annotated[
    str,
    Strict(),
    Field(pattern=_NOT_BLANK, max_length=MAX_NAME_LENGTH),
    Expecting(f"input should be a name of 1 to {MAX_NAME_LENGTH} characters"),
]
"""The name that people give a profile or query."""

Symbol = Annotated[
    str,
    Strict(),
    Field(pattern=_NOT_BLANK, max_length=_MAX_SYMBOL_LENGTH),
    Expecting(f"input should be a symbol of 1 to {_MAX_SYMBOL_LENGTH} characters, such as €"),
]
"""The symbol or code of a currency."""

Identifier = Annotated[
    str,
    Strict(),
    Field(pattern=_ID_PATTERN, max_length=MAX_ID_LENGTH),
    Expecting(_AN_ID),
    AfterValidator(_check_id_size),
]
"""An id that is safe as a file name and in a URL."""

Key = Annotated[
    str,
    Strict(),
    Field(pattern=r"^[^\x00]*$", min_length=1, max_length=MAX_ID_LENGTH),
    Expecting(f"input should be a key of 1 to {MAX_ID_LENGTH} characters, none of them NUL"),
]
"""A key that others make, such as an issue key."""

Word = Annotated[
    str,
    Strict(),
    Field(pattern=r"^[a-z][a-z0-9_]{0,39}$"),
    Expecting(
        "input should be a lower-case word of at most 40 letters, digits and underscores, "
        "beginning with a letter"
    ),
]
"""A lower-case word, such as a metric type or the status of a task."""


@cache
def _identifiers() -> TypeAdapter[str]:
    return TypeAdapter(Identifier)


def is_identifier(text: str) -> bool:
    """Return whether a string can be an id."""
    try:
        _identifiers().validate_python(text)
    except pydantic.ValidationError:
        return False
    return True


def is_key(value: object) -> TypeGuard[str]:
    """Return whether a value is a string that can be a :data:`Key`."""
    return isinstance(value, str) and 0 < len(value) <= MAX_ID_LENGTH and is_line(value)


def is_line(text: str) -> bool:
    """Return whether a column can hold a string; what it cannot hold need not be looked up."""
    try:
        check_text(text)
    except PydanticCustomError:
        return False
    return "\0" not in text


def slug(name: str, fallback: str) -> str:
    """Return a name as an id: lower-case ASCII words joined by hyphens, at most 60 characters.

    Args:
        name: the name.
        fallback: the id of a name without ASCII letters and digits.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].rstrip("-") or fallback


# --- numbers ---------------------------------------------------------------------------------


def _check_digits(value: Any) -> Any:
    return check_storable(value) if isinstance(value, int) else value


Number = Annotated[
    StrictInt | Annotated[StrictFloat, Field(allow_inf_nan=False)],
    Expecting("input should be a finite number", check=_check_digits),
]
"""An integer of fewer than 4,299 digits or a finite float, stored with its type."""

# The bounds are those of each branch: for the bounds of a union, pydantic calls a Python function.
PositiveNumber = Annotated[
    Annotated[StrictInt, Field(gt=0)] | Annotated[StrictFloat, Field(gt=0, allow_inf_nan=False)],
    Expecting("input should be a finite number above 0", check=_check_digits),
]
"""A :data:`Number` above 0."""

Count = Annotated[
    Annotated[StrictInt, Field(ge=1)] | Annotated[StrictFloat, Field(ge=1, allow_inf_nan=False)],
    Expecting("input should be a finite number of at least 1", check=_check_digits),
]
"""A :data:`Number` of at least 1."""

Percent = Annotated[
    Annotated[StrictInt, Field(ge=0, le=100)]
    | Annotated[StrictFloat, Field(ge=0, le=100, allow_inf_nan=False)],
    Expecting("input should be a percentage from 0 to 100"),
    AfterValidator(fabs),  # a float, as a database returns it; SQLite does not know -0.0
]
"""A :data:`Number` from 0 to 100."""

Amount = Annotated[
    StrictFloat,  # takes integers, too
    Field(ge=0, le=_MAX_AMOUNT, allow_inf_nan=False),
    Expecting(f"input should be a number from 0 to {_MAX_AMOUNT}"),
    AfterValidator(abs),  # SQLite does not know -0.0
]
"""A number in a column of its own, as a float, so that SQL can calculate with it."""

Revision = Annotated[StrictInt, Field(ge=1, le=2**53 - 1)]
"""A count of changes, exact in every language that reads JSON."""


def number_or_none(value: Any) -> float | None:
    """Return a number as it is, or that of a string such as ``"70.5"``; ``None`` for all else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


LenientNumber = Annotated[
    int | float | None, BeforeValidator(number_or_none, json_schema_input_type=Any)
]
"""A number as old files hold it, ``"70.5"`` included; ``None`` for anything else."""


def lenient(*kinds: type) -> BeforeValidator:
    """Return a validator that reads a value of any other type as ``None``."""
    return BeforeValidator(
        lambda value: value if isinstance(value, kinds) else None, json_schema_input_type=Any
    )


LenientText = Annotated[str | None, lenient(str)]
"""A string as old files hold it; ``None`` for anything else."""


# --- JSON ------------------------------------------------------------------------------------


def _json_object(value: Any) -> dict[str, Any]:
    return dict(check_object(value))


JsonObject = Annotated[
    dict[str, Any], PlainValidator(_json_object, json_schema_input_type=dict[str, Any])
]
"""A JSON object, stored unchanged."""


def _section_object(value: Any) -> dict[str, Any]:
    return dict(check_object(value, SECTION_DEPTH))


SectionObject = Annotated[
    dict[str, Any], PlainValidator(_section_object, json_schema_input_type=dict[str, Any])
]
"""A JSON object as the value of a section."""


def _check_rule(value: Any) -> Any:
    return value if type(value) is str else check_storable(value, SECTION_DEPTH)


FieldSource = Annotated[
    # The rule is checked before, since pydantic makes strings of keys that are bytes.
    Text | Annotated[dict[str, Any], BeforeValidator(_check_rule)],
    Field(union_mode="left_to_right"),
    Expecting(
        "input should be a field id such as customfield_10001, or a source rule as an object",
        check=_check_rule,
    ),
]
"""Where a value comes from in a Jira issue.

A field id (``fixVersions``), with a value filter (``customfield_1=Yes``), a changelog event
(``status:In Progress.DateTime``) or a namespace (``OPS.fixVersions.releaseDate``); builds of late
November 2025 stored the parsed rule as an object.
"""
