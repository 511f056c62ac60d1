"""The shape of documents: their keys, with a strategy for the value of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from burndown.models import Document
from burndown.testing.strategies.json_content import Values, json_values, narrowed, objects, strings

__all__ = ["Shape"]

_SPECIAL_KEYS = ["self", "extra", "copy", "model_config", "model_extra", "__dict__", ""]
"""Unknown keys that a model might mistake for something of its own."""

_ORDERS = st.integers(0, 1000)
"""An order of keys: that of the shape first, and random ones."""


@dataclass(frozen=True)
class Shape:
    """The keys of documents of one kind."""

    required: Values = field(default_factory=dict)
    """The keys that every document has."""
    optional: Values = field(default_factory=dict)
    """The keys that a document may have."""
    unknown: SearchStrategy[Any] | None = field(default_factory=json_values)
    """The values of all other keys; ``None`` if there may be no others."""
    reserved: frozenset[str] = frozenset()
    """Keys that are not among the others, either."""

    @property
    def values(self) -> Values:
        """Return the strategies of all known keys."""
        return {**self.required, **self.optional}

    def documents(self, changes: Mapping[str, Any] | None = None) -> SearchStrategy[Document]:
        """Return documents of this shape, those with the fewest keys first.

        Args:
            changes: by key, a strategy or a value for it, which every document then has.

        Raises:
            TypeError: the shape has no such key.
        """
        given = {key: narrowed(change) for key, change in (changes or {}).items()}
        known = {*self.values}
        if unexpected := given.keys() - known:
            raise TypeError(
                f"keys should be among {', '.join(sorted(known))}; got {min(unexpected)!r}"
            )
        optional = {key: value for key, value in self.optional.items() if key not in given}
        values = objects({**self.required, **given}, optional)
        others: SearchStrategy[Document] = (
            st.just({}) if self.unknown is None else self._others(self.unknown, known)
        )

        @st.composite
        def document(draw: st.DrawFn) -> Document:
            drawn = {**draw(values), **draw(others)}
            keys = list(drawn)
            if order := draw(_ORDERS):  # one choice, where a permutation is one for each key
                Random(order).shuffle(keys)  # noqa: S311 - no secret
            return {key: drawn[key] for key in keys}

        return document()

    def _others(self, values: SearchStrategy[Any], known: set[str]) -> SearchStrategy[Document]:
        taken = known | self.reserved
        special = [key for key in _SPECIAL_KEYS if key not in taken]
        # Random strings are hardly ever the key of a field.
        random = strings().filter(lambda key: key not in taken)
        return st.dictionaries(random | st.sampled_from(special), values, max_size=3)
