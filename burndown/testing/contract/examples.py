"""Properties whose examples may take long."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import hypothesis
from hypothesis import HealthCheck, settings

__all__ = ["given"]

Test = TypeVar("Test", bound=Callable[..., None])


def given(
    *strategies: Any, divisor: int = 1, large: bool = False, **named: Any
) -> Callable[[Test], Test]:
    """Return Hypothesis's ``given`` without a deadline: a storage can be slow.

    Args:
        *strategies: strategies of the last arguments.
        divisor: the test has this part of the examples of the profile, since each takes long.
        large: examples are large on purpose, and take long to draw.
        **named: strategies by argument.
    """
    examples = settings(
        max_examples=max(1, settings().max_examples // divisor),
        deadline=None,
        suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow] if large else [],
    )
    with_examples: Any = hypothesis.given(*strategies, **named)

    def decorate(test: Test) -> Test:
        return cast("Test", examples(with_examples(test)))

    return decorate
