"""A profile out to files that people can read, and in again; and the way back to the old files.

::

    <folder>/  or  <file>.zip
    ├── manifest.json               what this is, when it was made, a digest of each file
    ├── profile.json                the profile, without its tokens
    ├── queries/<query>.json
    ├── project_data/<query>.json
    ├── metrics/snapshots.json      the snapshots of each query
    ├── cache/<query>.json          cached answers of Jira, if they were asked for
    └── changelogs/<query>.json     changelogs, likewise
"""

from burndown.import_export.exporting import export_profile, export_workspace
from burndown.import_export.importing import (
    ImportReport,
    import_profile,
    read_manifest,
    run_import,
)
from burndown.import_export.manifest import Manifest

__all__ = [
    "ImportReport",
    "Manifest",
    "export_profile",
    "export_workspace",
    "import_profile",
    "read_manifest",
    "run_import",
]
