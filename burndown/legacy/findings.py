"""What is found while a legacy workspace is read."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Finding", "Findings"]


@dataclass(frozen=True)
class Finding:
    """One thing found."""

    path: Path
    """The file or folder."""
    what: str
    """What was done with it and why, or why it cannot be read."""


@dataclass
class Findings:
    """All that is found, to be told at the end."""

    put_right: list[Finding] = field(default_factory=list)
    """What moves in, though not as it stands."""
    left_out: list[Finding] = field(default_factory=list)
    """What does not move in; the originals stay where they are."""
    problems: list[Finding] = field(default_factory=list)
    """What cannot be had again and cannot be read: it stops the migration."""

    def puts_right(self, path: Path, what: str) -> None:
        """Note that something is taken in another form."""
        self.put_right.append(Finding(path, what))

    def about(self, path: Path) -> Callable[[str], None]:
        """A function that notes what of this file is taken in another form."""
        return lambda what: self.puts_right(path, what)

    def leaves_out(self, path: Path, why: str) -> None:
        """Note that something is not taken."""
        self.left_out.append(Finding(path, why))

    def skip_problems(self) -> None:
        """Go on without what cannot be taken."""
        for found in self.problems:
            self.leaves_out(found.path, f"damaged: {found.what}")
        self.problems.clear()

    def stops_at(self, path: Path, why: str) -> None:
        """Note that something cannot be taken and must be."""
        self.problems.append(Finding(path, why))
