"""The JSON files of the old dashboard.

``reading`` turns them into documents and ``writing`` does the reverse; the modules here hold what
both share. ``backup`` copies the files.
"""

from burndown.legacy.backup import (
    back_up,
    copy_workspace,
    earlier_backups,
    file_states,
    keep_workspace,
    new_backup,
    refuse_damaged,
    restore_workspace,
)
from burndown.legacy.contents import LegacyProfile, LegacyQuery
from burndown.legacy.layout import REGISTRY, STATE, is_temporary, workspace_folder
from burndown.legacy.reading.folders import has_workspace, stored_size
from burndown.legacy.reading.profile_formats import profile_document
from burndown.legacy.reading.query_files import read_query_files
from burndown.legacy.reading.query_formats import (
    changelog_documents,
    jira_cache_document,
    project_data_document,
)
from burndown.legacy.reading.snapshot_formats import snapshot_documents
from burndown.legacy.reading.workspace import Workspace
from burndown.legacy.reading.workspace_reader import WorkspaceReader, find_damages, find_edited
from burndown.legacy.writing.workspace_writer import WorkspaceWriter

__all__ = [
    "REGISTRY",
    "STATE",
    "LegacyProfile",
    "LegacyQuery",
    "Workspace",
    "WorkspaceReader",
    "WorkspaceWriter",
    "back_up",
    "changelog_documents",
    "copy_workspace",
    "earlier_backups",
    "file_states",
    "find_damages",
    "find_edited",
    "has_workspace",
    "is_temporary",
    "jira_cache_document",
    "keep_workspace",
    "new_backup",
    "profile_document",
    "project_data_document",
    "read_query_files",
    "refuse_damaged",
    "restore_workspace",
    "snapshot_documents",
    "stored_size",
    "workspace_folder",
]
