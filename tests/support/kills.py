"""Processes that die in the middle of what they do, with no chance to clean up."""

import gc
import os
import signal
import sys
from collections.abc import Callable

__all__ = ["count_calls", "killed_at"]


def count_calls(call: Callable[[], object], at: int = 0, then: Callable[[], object] = int) -> int:
    """Do something at the given call of a function; returns how many calls there were.

    Without garbage collection, whose callbacks would be counted whenever it happens to run.
    """
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1
        if calls == at:
            then()

    gc.disable()
    sys.setprofile(count)
    try:
        call()
    finally:
        sys.setprofile(None)
        gc.enable()
    return calls


def killed_at(call: Callable[[], object], number: int) -> None:
    """Do it in another process that dies at the given call."""
    child = os.fork()
    if child == 0:
        count_calls(call, number, lambda: os.kill(os.getpid(), signal.SIGKILL))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
