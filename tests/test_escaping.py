"""Strings from outside cannot control a terminal or a log, and stay readable."""

import pickle
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burndown import errors
from burndown.errors import MigrationError, PersistenceError, Problem, ValidationError
from burndown.escaping import escaped

POWERFUL = (
    *map(chr, range(0x20)),
    *map(chr, range(0x7F, 0xA0)),
    *"\u061c\u200b\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
    *("\ufeff", "\u00ad", "\U000e0041", "\ud800", "\udcff"),
)
hostile = st.text(st.sampled_from(POWERFUL) | st.characters(), max_size=20)

ERRORS: dict[str, Callable[[str], PersistenceError]] = {
    name: kind
    for name in errors.__all__
    if isinstance(kind := getattr(errors, name), type) and issubclass(kind, PersistenceError)
} | {
    "BudgetNotFoundError": lambda text: errors.BudgetNotFoundError(text, text),
    "ForeignDatabaseError": lambda text: errors.ForeignDatabaseError(text, text),
    "PublishedDatabaseError": lambda text: errors.PublishedDatabaseError(text, text),
    "MissingExtraError": lambda text: errors.MissingExtraError(text, text),
    "QueryNotFoundError": lambda text: errors.QueryNotFoundError(text, text),
    "RevisionConflictError": lambda text: errors.RevisionConflictError(text, 1, 2),
    "TaskRunningError": lambda text: errors.TaskRunningError(text, text, text),
    "ValidationError": lambda text: ValidationError(text, [Problem(text, text, text)]),
    "SchemaTooNewError": lambda text: errors.SchemaTooNewError(text, text, text),
}


@given(hostile)
def test_an_escaped_string_is_one_harmless_line(text: str) -> None:
    found = escaped(text)
    assert len(found.splitlines()) <= 1
    assert not any(unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp") for each in found)
    assert not any(each in POWERFUL for each in found)
    assert escaped(found) == found
    found.encode()


@given(st.text(st.characters(codec="utf-8", categories=["L", "M", "N", "P", "S", "Zs"])))
def test_harmless_strings_are_not_changed(text: str) -> None:
    assert escaped(text) == text


def test_control_characters_are_escaped_as_in_a_literal() -> None:
    """Words that need joiners, as in Persian and emojis, are not changed."""
    assert escaped("a\n\r\t\x1b[2J\x9b\u2028\u202e\ud800") == (
        "a\\n\\r\\t\\x1b[2J\\x9b\\u2028\\u202e\\ud800"
    )
    for text in (
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "👩\u200d🚀",
        "日本　語",
        "naïve",
        "[red]",
    ):
        assert escaped(text) == text


@pytest.mark.parametrize("make", ERRORS.values(), ids=ERRORS)
@given(hostile)
def test_a_message_is_one_line_whatever_it_quotes(
    make: Callable[[str], PersistenceError], text: str
) -> None:
    error = make(text)
    found = str(error)
    assert len(found.splitlines()) <= 1
    assert not any(each in POWERFUL for each in found)
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy)) == (type(error), found)


@given(hostile, st.lists(st.tuples(hostile.map(Path), hostile), max_size=3))
def test_a_message_with_a_list_has_one_line_for_each_entry(
    message: str, problems: list[tuple[Path, str]]
) -> None:
    error = MigrationError(message, problems)
    assert str(error).count("\n") == len(problems)
    assert not any(each in POWERFUL for each in str(error) if each != "\n")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
