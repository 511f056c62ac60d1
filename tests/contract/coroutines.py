"""Helpers of the tests of backends for asyncio."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from burndown.models import AppState
from burndown.testing.controlled_store import Store

__all__ = ["TASKS", "run", "states"]

TASKS = 100


def states(store: Store) -> dict[str, str]:
    """Return the app state by key."""
    return {each["key"]: each["value"] for each in store.records(AppState)}


def run(main: Coroutine[Any, Any, object]) -> None:
    """Run in an event loop, and finish even if something waits for what never happens."""
    asyncio.run(asyncio.wait_for(main, 60))
