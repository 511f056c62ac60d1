"""How many examples a slow property has."""

from hypothesis import settings

__all__ = ["fewer_examples"]


def fewer_examples(divisor: int) -> settings:
    """Return settings with this part of the examples that the profile has."""
    return settings(max_examples=max(1, settings().max_examples // divisor))
