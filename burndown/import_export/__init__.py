"""Export a profile to files that people can read, import it, and write the old files.

::

    <folder>/  or  <file>.zip
    ├── manifest.json               format, time, counts, and a digest of each file
    ├── profile.json                the profile, without its tokens
    ├── queries/<query>.json
    ├── project_data/<query>.json
    ├── metrics/snapshots.json      the snapshots of each query
    ├── cache/<query>.json          cached Jira responses, if requested
    └── changelogs/<query>.json     changelogs, if requested

``<query>`` is the id of a query, or a name derived from it where some disk could not hold the id;
the manifest has the ids of those. The name of each file is a fact of its entity, ``EXPORT_FILE``.

``exchange`` reads the files that the published dashboard exports.
"""

from burndown.import_export.export_reader import read_manifest
from burndown.import_export.manifest import Manifest
from burndown.import_export.profile_export import export_profile
from burndown.import_export.profile_import import import_profile, run_import
from burndown.import_export.report import ImportReport
from burndown.import_export.workspace_export import export_workspace

__all__ = [
    "ImportReport",
    "Manifest",
    "export_profile",
    "export_workspace",
    "import_profile",
    "read_manifest",
    "run_import",
]
