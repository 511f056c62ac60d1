"""The state machine of backends, with what only backends on a disk have: backups."""

import tempfile
from pathlib import Path

from hypothesis.stateful import precondition, rule

from burndown import PersistenceBackend
from burndown.testing import BackendMachine
from burndown.testing.machine.outcomes import compare_listings
from tests.support.backends import open_copy

__all__ = ["AgreementMachine"]


class AgreementMachine(BackendMachine):
    """The machine that also makes backups, except of a server, which has a program for them."""

    @property
    def copying(self) -> dict[str, PersistenceBackend]:
        """Return the backends that make backups."""
        return {
            name: backend
            for name, backend in self.backends.items()
            if "://" not in backend.describe()["location"]
        }

    @rule()
    def backup(self) -> None:
        """A copy has all committed changes, and none of an open transaction."""
        with tempfile.TemporaryDirectory() as folder:
            copies = {
                name: open_copy(backend.backup(Path(folder, name)), self.clock)
                for name, backend in self.copying.items()
            }
            compare_listings(copies, self.model.committed())
            for copied in copies.values():
                copied.close()

    @precondition(lambda self: not self.open)
    @rule()
    def restore(self) -> None:
        """What was stored after the backup is only in the copy that a restore keeps."""
        with tempfile.TemporaryDirectory() as folder:
            for name, backend in self.copying.items():
                backup = backend.backup(Path(folder, name))
                backend.set_app_state("later", name)
                kept = backend.restore(backup)
                assert kept is not None
                with open_copy(kept.rename(Path(folder, f"{name} kept")), self.clock) as before:
                    assert before.get_app_state("later") == name
