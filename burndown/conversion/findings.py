"""Findings: reports on the files of a workspace that is read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Finding", "Findings", "Report", "first_few"]

Report = Callable[[str], None]
"""Takes a sentence on a value that was converted."""

_SHOWN = 3


def first_few(names: Sequence[str]) -> str:
    """Return the first names, with the number of the others."""
    others = len(names) - _SHOWN
    shown = ", ".join(names[:_SHOWN])
    return f"{shown} and {others} more" if others > 0 else shown


@dataclass(frozen=True)
class Finding:
    """One report on a file or folder."""

    path: Path
    """The file or folder."""
    what: str
    """The change to it with the reason, or the reason why it cannot be read."""


@dataclass
class Findings:
    """The reports on all files of a workspace."""

    root: Path | None = None
    """The folder that is read; links below it are not followed, even if they appear meanwhile."""
    converted: list[Finding] = field(default_factory=list)
    """Values that are taken in another form."""
    skipped: list[Finding] = field(default_factory=list)
    """Files and values that are not taken; the originals stay where they are."""
    problems: list[Finding] = field(default_factory=list)
    """Irreplaceable files and values that cannot be taken: they stop a migration."""

    def add_converted(self, path: Path, what: str) -> None:
        """Report that a value is taken in another form."""
        self.converted.append(Finding(path, what))

    def reporter(self, path: Path, where: str = "") -> Report:
        """Return a function that reports what of this file is taken in another form.

        Args:
            path: the file.
            where: the place in the file, with which each report begins.
        """
        return lambda what: self.add_converted(path, f"{where}{what}")

    def add_skipped(self, path: Path, why: str) -> None:
        """Report that something is not taken."""
        self.skipped.append(Finding(path, why))

    def add_problem(self, path: Path, why: str) -> None:
        """Report that something irreplaceable cannot be taken."""
        self.problems.append(Finding(path, why))

    def add_damaged(self, path: Path, why: str, *, irreplaceable: bool) -> None:
        """Report that data cannot be taken: a problem, unless Jira has it."""
        if irreplaceable:
            self.add_problem(path, why)
        else:
            self.add_skipped(path, f"{why}; it can be fetched from Jira again")

    def skip_problems(self) -> None:
        """Turn all problems into reports of what is skipped."""
        for found in self.problems:
            self.add_skipped(found.path, f"damaged: {found.what}")
        self.problems.clear()
