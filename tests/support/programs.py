"""Programs that tests need, and that a machine may lack."""

import os
from typing import NoReturn

import pytest


def skip_without(program: str, reason: object) -> NoReturn:
    """Skip the test, or fail where CI is set, since nobody reads there what was skipped."""
    message = f"{program} cannot be run here: {reason!r}"
    if os.environ.get("CI", "false").lower() not in ("", "0", "false"):
        pytest.fail(message)
    pytest.skip(message)
