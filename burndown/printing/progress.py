"""Progress of commands that take long."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich import progress as progress_bar
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn

from burndown.copying import CopyProgress
from burndown.migration import Progress
from burndown.printing.console import line

__all__ = ["copy_progress", "migration_progress"]

_PLAIN_STEPS = 5
"""Number of progress lines where there is no terminal, so that logs stay short."""


@contextmanager
def migration_progress(*, quiet: bool) -> Iterator[Progress | None]:
    """Show a bar on a terminal, a few plain lines elsewhere, nothing if quiet."""
    if quiet:
        yield None
    elif not sys.stdout.isatty():
        yield _print_step
    else:
        columns = TextColumn("Moving"), BarColumn(), MofNCompleteColumn(), TextColumn("queries")
        with progress_bar.Progress(*columns) as bar:
            task = bar.add_task("", total=None)
            yield lambda done, of: bar.update(task, completed=done, total=of)


@contextmanager
def copy_progress(*, quiet: bool) -> Iterator[CopyProgress | None]:
    """Show the number of copied records on a terminal, nothing elsewhere or if quiet."""
    if quiet or not sys.stdout.isatty():
        yield None
        return
    columns = SpinnerColumn(), TextColumn("Copied {task.completed} {task.description}")
    with progress_bar.Progress(*columns, transient=True) as bar:
        task = bar.add_task("")
        yield lambda what, done: bar.update(task, description=what, completed=done)


def _print_step(done: int, of: int) -> None:
    if done * _PLAIN_STEPS // of > (done - 1) * _PLAIN_STEPS // of:
        line(f"moving: {done} of {of} queries")
