"""The JSON files of the old dashboard, read into documents and written from them."""

from burndown.legacy.backup import back_up, changes_of
from burndown.legacy.contents import LegacyProfile, LegacyQuery, QueryFile
from burndown.legacy.copies import copy_workspace
from burndown.legacy.findings import Finding, Findings
from burndown.legacy.layout import REGISTRY, STATE, has_workspace, workspace_folder
from burndown.legacy.records import Records, find_damages
from burndown.legacy.workspace import Workspace
from burndown.legacy.writer import Writer

__all__ = [
    "REGISTRY",
    "STATE",
    "Finding",
    "Findings",
    "LegacyProfile",
    "LegacyQuery",
    "QueryFile",
    "Records",
    "Workspace",
    "Writer",
    "back_up",
    "changes_of",
    "copy_workspace",
    "find_damages",
    "has_workspace",
    "workspace_folder",
]
