"""The report of an import."""

from dataclasses import asdict, dataclass, field
from typing import Any

from burndown.conversion import Finding
from burndown.escaping import escaped

__all__ = ["ImportReport"]


@dataclass
class ImportReport:
    """The report of an import: what it did, or would do."""

    profile_id: str
    """The id of the imported profile."""
    profile_name: str
    replaced: str | None = None
    """The name of the profile that was replaced."""
    removed: dict[str, int] = field(default_factory=dict)
    """The number of queries, cached responses, … deleted with that profile."""
    removed_queries: list[str] = field(default_factory=list)
    """The ids of the deleted queries that the export does not contain."""
    imported: dict[str, int] = field(default_factory=dict)
    """The number of queries, metrics snapshots, … that were imported."""
    converted: list[Finding] = field(default_factory=list)
    """The values of an exchange file that were taken in another form."""
    skipped: list[Finding] = field(default_factory=list)
    """The values of an exchange file that were not taken, with the reason."""
    edited: list[str] = field(default_factory=list)
    """Files that were edited after the export."""
    added: list[str] = field(default_factory=list)
    """Files that were added after the export."""
    missing_secrets: list[str] = field(default_factory=list)
    """The secrets that the export does not contain, which have to be entered again."""

    @property
    def warnings(self) -> list[str]:
        """Return sentences for the user, one line each, safe to print and log."""
        sentences = [f"{name} was edited after the export" for name in self.edited]
        sentences += [f"{name} was added after the export" for name in self.added]
        if self.missing_secrets:
            missing = ", ".join(self.missing_secrets)
            sentences.append(f"the export omits secrets; enter them again: {missing}")
        return list(map(escaped, sentences))

    def to_document(self) -> dict[str, Any]:
        """Return the report as JSON values, for programs."""
        return {
            **asdict(self),
            "converted": [{"path": str(each.path), "what": each.what} for each in self.converted],
            "skipped": [{"path": str(each.path), "why": each.what} for each in self.skipped],
            "warnings": self.warnings,
        }
