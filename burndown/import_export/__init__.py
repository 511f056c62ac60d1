"""Export a profile to files that people can read, import it, and write the old files.

::

    <folder>/  or  <file>.zip
    ├── manifest.json               what this is, when it was made, a digest of each file
    ├── profile.json                the profile, without its tokens
    ├── queries/<query>.json
    ├── project_data/<query>.json
    ├── metrics/snapshots.json      the snapshots of each query
    ├── cache/<query>.json          cached Jira responses, if they were asked for
    └── changelogs/<query>.json     changelogs, likewise

``<query>`` is the id of a query, or a name made of it where some disk could not hold the id; the
manifest has the ids of those.
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
