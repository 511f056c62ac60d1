"""The quick schemas of the kinds of value: what is surely right, and for the most part all of it.

In a section, what a schema makes of a value does not matter: the value is stored as it was given.
Texts without a rule of their own have a ``min_length`` because pydantic-core lets lone surrogates
through where it need not look at a text.
"""

from collections.abc import Callable
from typing import Any

from pydantic_core import CoreSchema, core_schema

__all__ = [
    "BASE_URL",
    "DAY_OR_NONE",
    "IDENTIFIER",
    "KEY",
    "LINE",
    "MAX_ID_LENGTH",
    "MAX_NAME_LENGTH",
    "NAME",
    "TEXT",
    "TOKEN",
    "WEEK_OF_ANY_YEAR",
    "checked",
    "either",
    "number",
]

MAX_ID_LENGTH = 200
MAX_NAME_LENGTH = 200

_NO_NUL = r"^[^\x00]*$"


def checked(function: Callable[[Any], Any]) -> CoreSchema:
    """What the function lets through."""
    return core_schema.no_info_plain_validator_function(function)


def either(likely: CoreSchema, otherwise: CoreSchema) -> CoreSchema:
    """The one, or else the other."""
    return core_schema.union_schema([likely, otherwise], mode="left_to_right")


def number(**bounds: Any) -> CoreSchema:
    """A number of Python's own; others, such as decimals, need to be converted."""
    whole = core_schema.int_schema(**bounds)
    broken = core_schema.float_schema(allow_inf_nan=False, **bounds)
    own = core_schema.is_instance_schema((int, float))
    return core_schema.chain_schema([own, core_schema.union_schema([whole, broken])])


TEXT = core_schema.str_schema(min_length=0)
LINE = core_schema.str_schema(pattern=_NO_NUL)
NAME = core_schema.str_schema(pattern=r"^[^\x00]*\w[^\x00]*$", max_length=MAX_NAME_LENGTH)
KEY = core_schema.str_schema(pattern=_NO_NUL, min_length=1, max_length=MAX_ID_LENGTH)
IDENTIFIER = core_schema.str_schema(
    pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$", max_length=MAX_ID_LENGTH
)
TOKEN = core_schema.str_schema(pattern="^$|[^*]")

_VISIBLE_WITHOUT_AT = core_schema.str_schema(pattern="^[!-?A-~]*$")
BASE_URL = either(
    core_schema.chain_schema(
        [
            _VISIBLE_WITHOUT_AT,
            core_schema.url_schema(
                max_length=2083, allowed_schemes=["http", "https"], strict=False
            ),
        ]
    ),
    core_schema.literal_schema([""]),
)

_LIKE_A_DAY = core_schema.str_schema(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
DAY_OR_NONE = either(
    core_schema.chain_schema([_LIKE_A_DAY, core_schema.date_schema(strict=False)]),
    core_schema.literal_schema(["", None]),
)
WEEK_OF_ANY_YEAR = core_schema.str_schema(pattern="^[1-9][0-9]{3}-W(0[1-9]|[1-4][0-9]|5[0-2])$")
