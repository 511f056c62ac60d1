"""The state machine of backends, with what only backends on a disk have: backups."""

import tempfile
from pathlib import Path

from hypothesis.stateful import precondition, rule

from burndown.testing.machine import BackendMachine, listings_are_equal
from tests.support.backends import COPYING, open_copy

__all__ = ["AgreementMachine"]


class AgreementMachine(BackendMachine):
    """The machine that runs all backends next to each other."""

    @rule()
    def backup(self) -> None:
        """A copy has all committed changes, and none of an open transaction."""
        with tempfile.TemporaryDirectory() as folder:
            copies = {
                name: open_copy(backend.backup(Path(folder, name)), self.clock)
                for name, backend in self.backends.items()
                if name in COPYING
            }
            listings_are_equal(copies, self.model.committed())
            for copied in copies.values():
                copied.close()

    @precondition(lambda self: not self.open)
    @rule()
    def restore(self) -> None:
        """What was stored after the backup is only in the copy that a restore keeps."""
        with tempfile.TemporaryDirectory() as folder:
            for name in self.backends.keys() & COPYING:
                backend = self.backends[name]
                backup = backend.backup(Path(folder, name))
                backend.set_app_state("later", name)
                kept = backend.restore(backup)
                assert kept is not None
                with open_copy(kept.rename(Path(folder, f"{name} kept")), self.clock) as before:
                    assert before.get_app_state("later") == name
