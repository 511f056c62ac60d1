"""Documents for tests: valid, and the same in every run.

``changes`` are a merge patch: nested objects are merged key by key, ``None`` removes a key, and
anything else replaces what is there.

    make_profile(jira_config={"token": "x"})  # keeps the other settings of the connection

All belong together: the profile ``kafka`` with its query ``12w``, and the issues of one project, at
the start of a :class:`~burndown.testing.Clock`.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from random import Random
from typing import Any

from burndown.demo.issues import Issue, Query, changelog_cache, random_issues
from burndown.demo.jira import POINTS_FIELD, Site, timestamp
from burndown.demo.workspace import MAPPINGS, project_data
from burndown.merge_patch import merge_patch
from burndown.models import Document, Profile
from burndown.models import Query as QueryEntity
from burndown.models.field_types import slug
from burndown.models.named_entity import NamedEntity
from burndown.testing.clocks import START

__all__ = [
    "make_budget",
    "make_changelog",
    "make_changelogs",
    "make_profile",
    "make_project_data",
    "make_query",
    "make_response",
    "make_snapshot",
]

_SITE = Site("https://jira.example.com", "KAFKA", "Kafka")
_JQL = "project = KAFKA AND updated >= -12w"
_SYNCED_AT = START - timedelta(hours=2)
_STATUSES = ["Open", "In Progress", "In Review", "Resolved"]


def make_profile(**changes: Any) -> Document:
    """Return a profile with a Jira connection and mappings for :func:`make_response`.

    With another ``id`` or ``name`` alone, the other one follows from it, so that several profiles
    can be saved in one store.
    """
    profile = {
        **_identity(Profile, "kafka", "Kafka", changes),
        "description": "Delivery of the project KAFKA",
        "created_at": (START - timedelta(days=200)).isoformat(),
        "last_used": (START - timedelta(hours=1)).isoformat(),
        "jira_config": {
            "base_url": _SITE.base_url,
            "api_version": f"v{_SITE.api_version}",
            "token": "test-token-not-real",
            "cache_size_mb": 100,
            "max_results_per_call": 100,
            "points_field": POINTS_FIELD,
            "configured": True,
        },
        **MAPPINGS,
        "forecast_settings": {
            "pert_factor": 1.2,
            "deadline": (START + timedelta(days=120)).date().isoformat(),
            "milestone": (START + timedelta(days=45)).date().isoformat(),
            "data_points_count": 12,
        },
        "show_milestone": True,
        "show_points": True,
    }
    return _changed(profile, changes)


def make_query(**changes: Any) -> Document:
    """Return a query, as :meth:`~burndown.PersistenceBackend.save_query` takes it.

    With another ``id`` or ``name`` alone, the other one follows from it.
    """
    query = {
        **_identity(QueryEntity, "12w", "Last 12 weeks", changes),
        "description": "Issues that were changed in the last 12 weeks",
        "jql": _JQL,
        "created_at": (START - timedelta(days=100)).isoformat(),
        "last_used": (START - timedelta(hours=1)).isoformat(),
    }
    return _changed(query, changes)


def make_response(issues: int = 40, seed: int = 1, **changes: Any) -> Document:
    """Return a response of Jira's search, of one page, with random issues, newest first.

    Args:
        issues: the number of issues, whose keys begin with ``KAFKA-1001``.
        seed: the seed of the random values; equal ones give equal issues.
        changes: changes of the response.

    Raises:
        ValueError: the number of issues is negative.
    """
    found = [issue.document for issue in _issues(issues, seed)]
    response = {
        "expand": "schema,names",
        "startAt": 0,
        "maxResults": max(100, issues),
        "total": issues,
        "issues": found,
    }
    return _changed(response, changes)


def make_changelog(**changes: Any) -> Document:
    """Return the changelog of the issue ``KAFKA-1001``, which was resolved within three days."""
    histories = [
        {
            "id": str(number),
            "created": timestamp(START + timedelta(days=number - 10)),
            "items": [{"field": "status", "fromString": old, "toString": new}],
        }
        for number, (old, new) in enumerate(pairwise(_STATUSES), start=1)
    ]
    changelog = {"key": "KAFKA-1001", "changelog": {"histories": histories, "total": 3}}
    return _changed(changelog, changes)


def make_changelogs(issues: int = 40, seed: int = 1) -> dict[str, Document]:
    """Return the changelogs of the issues of :func:`make_response` with equal arguments, by key."""
    return _unshared(changelog_cache(_QUERY, _issues(issues, seed)))


def make_project_data(issues: int = 40, seed: int = 1, **changes: Any) -> Document:
    """Return scope and weekly statistics of the issues of :func:`make_response`."""
    return _changed(project_data(_QUERY, _issues(issues, seed)), changes)


def make_snapshot(**changes: Any) -> Document:
    """Return the lead time of the last complete week, ``2026-W01``, as a snapshot."""
    snapshot = {
        "snapshot_date": "2026-W01",
        "metric_type": "dora_lead_time",
        "metrics": {
            "median_hours": 52.5,
            "mean_hours": 61.0,
            "p95_hours": 140.0,
            "issues_with_lead_time": 8,
        },
    }
    return _changed(snapshot, changes)


def make_budget(**changes: Any) -> Document:
    """Return a budget of 26 weeks, with one revision."""
    budget = {
        "time_allocated_weeks": 26,
        "team_cost_per_week": 8000,
        "budget_total": 208000,
        "currency_symbol": "€",
        "baseline_velocity_items": 6.5,
        "baseline_velocity_points": 18,
        "effective_from": "2025-12-01",
        "revisions": [
            {
                "revision_date": "2025-12-15T09:00:00+00:00",
                "week_label": "2025-W51",
                "time_allocated_weeks_delta": 2,
                "budget_total_delta": 16000,
                "reason": "Two more weeks",
            }
        ],
    }
    return _changed(budget, changes)


_QUERY = Query("12w", "Last 12 weeks", _JQL, _SYNCED_AT, START)


def _issues(count: int, seed: int) -> list[Issue]:
    if count < 0:
        raise ValueError(f"issues should be 0 or more, got {count}")
    return random_issues(_SITE, count, _QUERY, _SYNCED_AT, Random(seed))  # noqa: S311


def _identity(
    entity: type[NamedEntity], default_id: str, default_name: str, changes: Mapping[str, Any]
) -> Document:
    """Return id and name, one of which may follow from the other."""
    if "name" in changes:
        return {"id": slug(changes["name"], entity.FALLBACK_ID)}
    return {"id": default_id, "name": changes.get("id", default_name)}


def _changed(document: Document, changes: Mapping[str, Any]) -> Document:
    changed: Document = merge_patch(_unshared(document), changes)
    return changed


def _unshared(document: Document) -> Document:
    """Return a copy in which each object is its own, so that a test can edit it in place."""
    unshared: Document = json.loads(json.dumps(document))
    return unshared
