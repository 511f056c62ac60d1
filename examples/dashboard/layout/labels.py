"""Names of components for people who do not see them, and of numbers of things."""

from typing import Any

__all__ = ["labelled", "plural"]


def labelled(name: str) -> Any:
    """Return the attribute that names a component; Dash's constructors do not declare it."""
    return {"aria-label": name}


def plural(count: float, noun: str) -> str:
    """Return a number of things, rounded, such as ``1 issue`` or ``1,350 issues``."""
    number = f"{count:,.0f}"
    return f"{number} {noun}" if number == "1" else f"{number} {noun}s"
