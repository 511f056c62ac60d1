"""A transaction of a folder, or one within another, and the changes of its calls."""

from dataclasses import dataclass, field
from pathlib import Path

from burndown.errors import TransactionAbortedError
from burndown.files.changes import outside
from burndown.files.paths import make_folder, remove

__all__ = ["Level"]


@dataclass
class Level:
    """A transaction of a folder, or one within another.

    Its first change stays staged until a call has to read it: most transactions have no other, and
    the copy in which several are made takes longer than the change.
    """

    root: Path
    """The folder that its calls read."""
    outer: "Level | None" = None
    stage: Path | None = None
    """The folder with the new files of its only change so far, which is not in the root yet."""
    shadow: Path | None = None
    """The copy of the folder in which its changes are made, once there are several."""
    written: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    is_begun: bool = False
    """True if it holds the lock; kept on the outermost level."""
    is_aborted: bool = False
    """True if the copy may hold half of a change; kept on the outermost level."""

    @property
    def outermost(self) -> "Level":
        """Return the transaction that is within no other."""
        return self if self.outer is None else self.outer.outermost

    def check(self) -> None:
        """Make sure that the transaction can go on.

        Raises:
            TransactionAbortedError: a change of it failed halfway.
        """
        if self.outermost.is_aborted:
            raise TransactionAbortedError(
                "The transaction cannot go on after an error while files were changed, so nothing "
                "of it was stored; begin it again"
            )

    def change(self, stage: Path, written: set[str], removed: set[str]) -> None:
        """Add a change that follows those so far, with its new files in a folder."""
        if self.shadow is None:
            self.stage = stage
        else:
            self._move(stage, written, removed)
        self._add(written, removed)

    def use_copy(self, shadow: Path) -> None:
        """Make the staged change in a copy of the root, which calls read from now on."""
        stage, self.stage = self.stage, None
        self.root = self.shadow = shadow
        if stage is not None:
            self._move(stage, self.written, self.removed)

    def join_outer(self) -> None:
        """Add all changes to the outer transaction."""
        if self.outer is None:
            return
        if self.stage is not None:
            self.outer.change(self.stage, self.written, self.removed)
        elif self.shadow is not None:
            self.outer.root = self.outer.shadow = self.shadow
            self.outer._add(self.written, self.removed)

    def _add(self, written: set[str], removed: set[str]) -> None:
        self.written = set(outside(self.written, removed)) | written
        self.removed |= removed

    def _move(self, stage: Path, written: set[str], removed: set[str]) -> None:
        try:
            for name in removed:
                remove(self.root / name)
            for name in written:
                make_folder((self.root / name).parent)
                (stage / name).replace(self.root / name)
        except BaseException:
            self.outermost.is_aborted = True
            raise
