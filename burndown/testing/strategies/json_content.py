"""Strategies for JSON, and for arguments that narrow other strategies."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from burndown.models import Document
from burndown.testing.strategies.characters import characters

__all__ = ["Values", "json_objects", "json_values", "narrowed", "numbers", "objects", "strings"]

Values = Mapping[str, SearchStrategy[Any]]
"""Strategies by key."""


@st.composite
def _huge_integers(draw: st.DrawFn) -> int:
    """Draw integers of up to 400 digits, by a function, since a `repr` would have them all."""
    return draw(st.integers(-(10**400), 10**400))


_PRESENCE = st.integers(0, 1)
"""Whether an optional key is there: when an integer shrinks, Hypothesis tries to delete a value
that follows it; it does not for a boolean."""

_integers = st.integers() | _huge_integers()
_floats = st.floats(allow_nan=False, allow_infinity=False)


def strings(max_size: int = 12) -> SearchStrategy[str]:
    """Return any strings that JSON and UTF-8 can encode, including the empty one and NUL."""
    return st.text(characters(), max_size=max_size)


def numbers() -> SearchStrategy[float]:
    """Return integers of up to 400 digits, and finite floats."""
    return _integers | _floats


def json_values() -> SearchStrategy[Any]:
    """Return any values that can be stored as JSON, ``None`` first."""
    return _json_values


def json_objects() -> SearchStrategy[Document]:
    """Return any dicts that can be stored as JSON, the empty one first."""
    return st.dictionaries(strings(), json_values(), max_size=5)


_json_values: SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | numbers() | strings(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(strings(), inner, max_size=4),
    max_leaves=12,
)


def narrowed(given: Any, **expected: type) -> SearchStrategy[Any]:
    """Return a strategy as it is, or the strategy of a value, which each example has as a copy.

    Args:
        given: the strategy or value.
        expected: the type that a value should have, by the name of the argument.

    Raises:
        TypeError: the value has another type.
    """
    if isinstance(given, SearchStrategy):
        return given
    for argument, kind in expected.items():
        if not isinstance(given, kind):
            raise TypeError(f"{argument} should be a {kind.__name__} or a strategy, got {given!r}")
    return st.builds(deepcopy, st.just(given))


def objects(required: Values, optional: Values) -> SearchStrategy[Document]:
    """Return dicts with all required and some of the optional keys, those with the fewest first.

    Optional keys are drawn one after the other, so that a failing example shrinks by leaving one
    out. In ``st.fixed_dictionaries``, each draw of one depends on those before it.
    """

    # A closure: as arguments, the strategies would make an endless `repr`.
    @st.composite
    def object_(draw: st.DrawFn) -> Document:
        drawn = {key: draw(values) for key, values in required.items()}
        return drawn | {key: draw(values) for key, values in optional.items() if draw(_PRESENCE)}

    return object_()
