"""Strategies for characters, and for strings that match a regular expression."""

from typing import Literal

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

__all__ = ["characters", "matching"]


def characters(*without: Literal["Cc", "Z", "Zs"], exclude: str = "") -> SearchStrategy[str]:
    """Return characters that UTF-8 can encode, without some categories and characters.

    ``st.characters(codec="utf-8")``, which ``st.text`` and ``st.from_regex`` use by default, draws
    the same, but its first use in a folder takes a second, and fails the health check of a test.
    """
    return st.characters(exclude_categories=["Cs", *without], exclude_characters=exclude)


def matching(pattern: str) -> SearchStrategy[str]:
    """Return strings that match a regular expression as a whole."""
    return st.from_regex(pattern, fullmatch=True, alphabet=characters())
