"""Other processes: forked, started, and killed in the middle of a call."""

import gc
import multiprocessing
import os
import signal
import sys
import traceback
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

FRESH = multiprocessing.get_context("forkserver")
"""Starts processes that share nothing with this one, from one that has only imported modules."""
FRESH.set_forkserver_preload(
    [
        *("burndown.cli.stores", "burndown.migration", "burndown.printing.outcomes"),
        *("burndown.persistence.json_backend", "burndown.persistence.sql_backend", "psycopg"),
        *("keyring", "pytest", "tests.support.strategies"),
    ]
)

PATIENCE = 60
"""Seconds after which a process that has not ended fails its test."""

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
needs_kill = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")


def start_fresh(target: Callable[..., object], *arguments: Any) -> BaseProcess:
    """Start a fresh process with the environment and the current folder of this one."""
    process = FRESH.Process(
        target=_work_here, args=({**os.environ}, Path.cwd(), target, arguments), daemon=True
    )
    process.start()
    return process


def _work_here(
    environment: dict[str, str], folder: Path, target: Callable[..., object], arguments: Any
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    target(*arguments)


def run_all(context: Any, target: Callable[..., None], *arguments: tuple[Any, ...]) -> None:
    """Run a process for each of the arguments; every one must end without an error."""
    problems = context.SimpleQueue()
    processes = [
        context.Process(
            target=_work_here,
            args=({**os.environ}, Path.cwd(), _reporting, (problems, target, args)),
        )
        for args in arguments
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(PATIENCE)
    found = []
    while not problems.empty():
        found.append(problems.get())
    assert not found, "\n".join(found)
    assert [process.exitcode for process in processes] == [0] * len(processes)


def _reporting(problems: Any, target: Callable[..., None], args: tuple[Any, ...]) -> None:
    try:
        target(*args)
    except BaseException:  # noqa: BLE001 - whatever it is, the parent tells it
        problems.put(traceback.format_exc())


def in_child(work: Callable[[], object]) -> None:
    """Run the work in a forked process, and wait for it to succeed."""
    assert exit_code_of(work) == 0


def exit_code_of(work: Callable[[], object]) -> int:
    """Run the work in a forked process; return its exit code, or minus its signal."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        except BaseException:  # noqa: BLE001 - a forked process must not go on with the tests
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def count_calls(call: Callable[[], object], at: int = 0, then: Callable[[], object] = int) -> int:
    """Call ``then`` at the given function call; return how many function calls there were.

    Garbage collection is off, since its callbacks would be counted at random.
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
    """Run it in another process that is killed at the given function call."""

    def kill() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    assert exit_code_of(lambda: count_calls(call, number, kill)) == -signal.SIGKILL
