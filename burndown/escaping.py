"""Escaping of strings from untrusted sources for terminals and logs."""

import unicodedata

__all__ = ["escaped"]

_ESCAPED = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode categories: controls, formats (such as changes of the writing direction), surrogates, and
line and paragraph separators."""
_JOINERS = "\u200c\u200d"
"""Format characters that are not escaped: some scripts and emojis need them, and they do not move
the cursor."""


def escaped(text: str) -> str:
    r"""Return the string as one line that cannot control the terminal or forge lines of a log.

    Control and format characters, line and paragraph separators and lone surrogates are written as
    in a Python literal, such as ``\n`` or ``\u202e``.
    """
    if text.isprintable():  # true for most strings, and much faster than looking at each character
        return text
    return "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    if unicodedata.category(character) not in _ESCAPED or character in _JOINERS:
        return character
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
