"""Strings of others, made harmless for terminals and logs."""

import unicodedata

__all__ = ["escaped"]

_ESCAPED = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Controls, formats such as changes of the writing direction, surrogates, ends of lines."""
_JOINERS = "\u200c\u200d"
"""Formats that languages and emojis are written with, and that move nothing."""


def escaped(text: str) -> str:
    """Return the text as one line that has no power over the terminal or log that shows it.

    Control and format characters, line and paragraph separators and lone surrogates stand as in a
    Python literal, such as ``\\n`` or ``\\u202e``.
    """
    if text.isprintable():
        return text
    return "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    if unicodedata.category(character) not in _ESCAPED or character in _JOINERS:
        return character
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
