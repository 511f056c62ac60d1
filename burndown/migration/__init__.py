"""Move a legacy workspace into the database: all of it or nothing.

The files are backed up, read, and written to a new database under a temporary name. What was stored
is read back and compared with the files, value by value. Only then is the database renamed to its
final name. After an error, or when the process is killed, the files are unchanged and the next
start tries again.

::

    run.py               the order of the steps, the lock, and what stops a migration
    source.py            the source of a migration
    workspace_source.py  a workspace of JSON files
    mover.py             saves what was read, row by row, and compares each row
    comparison.py        whether a stored row equals what was read
    report.py            what a migration did, or would do
"""

from burndown.migration.mover import Progress
from burndown.migration.report import MigrationReport
from burndown.migration.run import run_migration_if_needed

__all__ = ["MigrationReport", "Progress", "run_migration_if_needed"]
