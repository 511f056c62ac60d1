"""The report of a migration."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from burndown.conversion import Findings

__all__ = ["MigrationReport", "Outcome"]

Outcome = Literal["migrated", "already migrated", "nothing to migrate", "dry run"]


@dataclass
class MigrationReport:
    """The report of a migration: what it did, or would do."""

    outcome: Outcome
    """How it ended."""
    profiles_dir: Path
    """The folder of profiles."""
    database: str
    """The target database: its path, or its URL without the password."""
    backup: Path | None = None
    """The backup of the old store; ``None`` if none was needed."""
    moved: dict[str, int] = field(default_factory=dict)
    """The number of profiles, queries, cached responses, issues, … that were moved."""
    restored: dict[str, int] = field(default_factory=dict)
    """The number of issues, changelogs, … that the published dashboard's own migration had lost,
    taken from the JSON files in ``backups``, and of these files."""
    kept: Path | None = None
    """The published dashboard's database, if the new one has taken its place."""
    findings: Findings = field(default_factory=Findings)
    """What was converted, and what was skipped."""

    def to_document(self) -> dict[str, Any]:
        """Return the report as JSON values, for programs."""
        return {
            "outcome": self.outcome,
            "profiles_dir": str(self.profiles_dir),
            "database": self.database,
            "backup": None if self.backup is None else str(self.backup),
            "moved": self.moved,
            "restored": self.restored,
            "kept": None if self.kept is None else str(self.kept),
            "converted": [
                {"path": str(found.path), "what": found.what} for found in self.findings.converted
            ],
            "skipped": [
                {"path": str(found.path), "why": found.what} for found in self.findings.skipped
            ],
        }
