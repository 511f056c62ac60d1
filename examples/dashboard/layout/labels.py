"""Names of components for people who do not see them."""

from typing import Any

__all__ = ["labelled"]


def labelled(name: str) -> Any:
    """Return the attribute that names a component; Dash's constructors do not declare it."""
    return {"aria-label": name}
