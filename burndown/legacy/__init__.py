"""The JSON files of the old dashboard, read into documents."""

from burndown.legacy.backup import back_up, fingerprint
from burndown.legacy.findings import Finding, Findings
from burndown.legacy.layout import has_workspace
from burndown.legacy.workspace import LegacyProfile, LegacyQuery, QueryFile, Workspace

__all__ = [
    "Finding",
    "Findings",
    "LegacyProfile",
    "LegacyQuery",
    "QueryFile",
    "Workspace",
    "back_up",
    "fingerprint",
    "has_workspace",
]
