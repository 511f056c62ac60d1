"""The content of a populated store for tests."""

from functools import cache

from burndown.demo import add_newer_data, write_demo_workspace
from burndown.files.working_folder import scratch_folder
from burndown.migration import run_migration_if_needed
from burndown.persistence import open_backend
from burndown.settings import DATABASE_NAME
from burndown.testing.clocks import START, Clock

__all__ = ["sample_database"]


@cache
def sample_database() -> bytes:
    """Return the database of a sample workspace, last used at the start of a clock."""
    with scratch_folder() as folder:
        path = folder / DATABASE_NAME
        write_demo_workspace(folder, issues=40, now=START)
        with open_backend(path, clock=Clock()) as backend:
            run_migration_if_needed(folder / "profiles", backend=backend)
            add_newer_data(backend)
        return path.read_bytes()
