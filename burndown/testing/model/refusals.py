"""The invalid values that the machine saves, and how they are refused."""

import math
from collections.abc import Mapping
from typing import Any

__all__ = ["BAD", "FetchError", "RefusedError", "check"]


class FetchError(Exception):
    """The error of a fetch."""


class RefusedError(Exception):
    """The model's counterpart of a ``ValidationError``.

    Attributes:
        paths: the path of each problem.
        mentioned: strings that the message must contain.
    """

    def __init__(self, *paths: str, mentioned: str = "") -> None:
        super().__init__(paths)
        self.paths = sorted(paths)
        self.mentioned = mentioned


BAD: dict[str, dict[str, tuple[Any, str]]] = {
    "profile": {
        "id": ("../up", "id"),
        "name": (" ", "name"),
        "created_at": ("yesterday", "created_at"),
        "last_used": ("yesterday", "last_used"),  # without last_used, it is created_at
        "jira_config": ({"base_url": "jira"}, "jira_config.base_url"),
        "forecast_settings": ({"pert_factor": 0}, "forecast_settings.pert_factor"),
        "revision": (0, "revision"),
        "unknown": ({"k": [0, math.nan]}, "unknown.k[1]"),
    },
    "query": {
        "id": ("a/b", "id"),
        "name": ("a\0b", "name"),
        "jql": (None, "jql"),
        "last_used": (3, "last_used"),
        "revision": ("1", "revision"),
        "unknown": ([{"k": math.inf}], "unknown[0].k"),
    },
    "cache": {
        "cache_key": ("", "cache_key"),
        "response": ({"issues": [math.nan]}, "response.issues[0]"),
        "expires_at": ("soon", "expires_at"),
    },
    "changelog": {
        "issue_key": ("", "issue_key"),
        "changelog": ({"k": "\ud800"}, "changelog.k"),
    },
    "data": {"data": ([], "data")},
    "snapshot": {
        "snapshot_date": ("2025-W53", "snapshot_date"),
        "metric_type": ("DORA", "metric_type"),
        "metrics": (None, "metrics"),
        "forecast": ({"k": -math.inf}, "forecast.k"),
        "forecasts": ([], "forecasts"),
        "unknown": (1, "unknown"),
    },
    "budget": {
        "time_allocated_weeks": (-1, "time_allocated_weeks"),
        "effective_from": ("5.1.2026", "effective_from"),
        "currency_symbol": (" ", "currency_symbol"),
        "revisions": ([{}, {"week_label": "2025-W53"}], "revisions[1].week_label"),
        "unknown": (math.nan, "unknown"),
    },
    "revision": {
        "team_cost_delta": ("250", "team_cost_delta"),
        "revision_date": ("yesterday", "revision_date"),
        "unknown": ({"k": math.inf}, "unknown.k"),
    },
    "task": {
        "task_name": ("../up", "task_name"),
        "progress_percent": (100.5, "progress_percent"),
        "status": ("Running", "status"),
    },
    "state": {"value": ("\ud800", "value")},
}
"""For each entity and key an invalid value, and the path that the error names."""


def check(kind: str, document: Mapping[str, Any]) -> None:
    """Raise an error if the document has one of the invalid values."""
    if "created_at" in document:
        document = {"last_used": document["created_at"], **document}
    paths = [
        path for key, (bad, path) in BAD[kind].items() if repr(document.get(key, "")) == repr(bad)
    ]
    if kind == "revision" and len(paths) > 1:
        # Unknown keys of a section are checked when its fields are valid.
        paths = [path for path in paths if path != "unknown.k"]
    if paths:
        raise RefusedError(*paths)
