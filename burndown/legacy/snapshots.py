"""``metrics_snapshots.json`` and the notes that tell which snapshots its metrics belong to.

The old dashboard keeps ``{week: {metric: value}}``, whatever the type of the metric.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from burndown.legacy.findings import Say
from burndown.legacy.notes import SnapshotNote
from burndown.legacy.query_formats import snapshot_documents
from burndown.models.json_codec import encode

__all__ = ["read_snapshots", "write_snapshots"]

Document = dict[str, Any]


def read_snapshots(
    written: Any, notes: Iterable[SnapshotNote], written_at: datetime, say: Say, refuse: Say
) -> list[Document]:
    """The snapshots that the file holds; metrics without a note are read as the dashboard's.

    Args:
        written: what the file holds.
        notes: what is noted of it; of what the file no longer holds, there is nothing.
        written_at: the time of the file, for want of another.
        say: takes what was converted.
        refuse: takes what is no week.

    Raises:
        FormatError: it is no object of weeks.
    """
    old_format = snapshot_documents(written, written_at, say, refuse)
    weeks: dict[str, Document] = {}
    for document in old_format:
        weeks.setdefault(document["snapshot_date"], {}).update(document["metrics"])
    found: dict[tuple[str, str], Document] = {}
    claimed: dict[str, set[str]] = {}
    for note in notes:
        if note.snapshot_date not in weeks:
            continue
        values = {**weeks[note.snapshot_date], **note.values}
        found[note.snapshot_date, note.metric_type] = {
            **note.model_dump(include={"snapshot_date", "metric_type", "created_at", "forecast"}),
            "metrics": {name: values[name] for name in note.metrics if name in values},
        }
        claimed.setdefault(note.snapshot_date, set()).update(note.metrics)
    for document in old_format:
        taken = claimed.get(document["snapshot_date"])
        if taken is not None:
            metrics = document["metrics"].items()
            document["metrics"] = {name: each for name, each in metrics if name not in taken}
        if taken is None or document["metrics"]:
            key = document["snapshot_date"], document["metric_type"]
            found.setdefault(key, {**document, "metrics": {}})["metrics"].update(
                document["metrics"]
            )
    return list(found.values())


def write_snapshots(documents: Iterable[Document]) -> tuple[dict[str, Any], list[SnapshotNote]]:
    """What the file holds for these snapshots, and the notes that give them back from it."""
    weeks: dict[str, Document] = {}
    notes: list[SnapshotNote] = []
    for document in sorted(documents, key=lambda each: str(each["snapshot_date"])):
        week = weeks.setdefault(document["snapshot_date"], {})
        metrics = document["metrics"]
        differing = {
            name: value
            for name, value in metrics.items()
            if name in week and encode(week[name]) != encode(value)
        }
        week.update({name: each for name, each in metrics.items() if name not in week})
        fields = {key: document[key] for key in document if key in SnapshotNote.model_fields}
        notes.append(
            SnapshotNote.model_validate({**fields, "metrics": list(metrics), "values": differing})
        )
    return weeks, notes
