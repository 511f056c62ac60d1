"""Markdown from docstrings, without a reader of the whole package."""

import re

__all__ = ["ROLE", "plain"]

ROLE = re.compile(r":(?:attr|class|data|func|meth|mod):`(~?)\.?([^`]+)`")
"""A reference in a docstring: whether it is shown by its last part, and its name."""


def plain(docstring: str | None) -> str:
    """Return the first paragraph of a docstring for a cell of a table, without references."""
    paragraph = " ".join((docstring or "").partition("\n\n")[0].split())
    return ROLE.sub(r"`\2`", paragraph).replace("|", "\\|")
