"""What is found while a legacy workspace is read."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Finding", "Findings", "Say"]

Say = Callable[[str], None]
"""Takes a sentence on what was converted."""


@dataclass(frozen=True)
class Finding:
    """One thing found."""

    path: Path
    """The file or folder."""
    what: str
    """What was done with it and why, or why it cannot be read."""


@dataclass
class Findings:
    """All that is found, for the report."""

    root: Path | None = None
    """The folder that is read; no link below it is followed, not even one that is put there now."""
    converted: list[Finding] = field(default_factory=list)
    """What moves in, though not as it stands."""
    skipped: list[Finding] = field(default_factory=list)
    """What does not move in; the originals stay where they are."""
    problems: list[Finding] = field(default_factory=list)
    """What is irreplaceable and cannot be taken: it stops the migration."""

    def add_converted(self, path: Path, what: str) -> None:
        """Note that something is taken in another form."""
        self.converted.append(Finding(path, what))

    def about(self, path: Path) -> Say:
        """A function that notes what of this file is taken in another form."""
        return lambda what: self.add_converted(path, what)

    def add_skipped(self, path: Path, why: str) -> None:
        """Note that something is not taken."""
        self.skipped.append(Finding(path, why))

    def add_problem(self, path: Path, why: str) -> None:
        """Note that something cannot be taken and must be."""
        self.problems.append(Finding(path, why))

    def refuse(self, path: Path, why: str, *, irreplaceable: bool) -> None:
        """Note that something cannot be taken: a problem, unless Jira has it."""
        if irreplaceable:
            self.add_problem(path, why)
        else:
            self.add_skipped(path, f"{why}; it can be fetched from Jira again")

    def skip_problems(self) -> None:
        """Go on without what cannot be taken."""
        for found in self.problems:
            self.add_skipped(found.path, f"damaged: {found.what}")
        self.problems.clear()
