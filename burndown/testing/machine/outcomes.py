"""The outcomes of calls and the content of backends, in a form that is compared."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from burndown import (
    BudgetNotFoundError,
    PersistenceBackend,
    ProfileNotFoundError,
    QueryNotFoundError,
    RevisionConflictError,
    ValidationError,
)
from burndown.models import AppState, Entity
from burndown.testing.controlled_store import Document, in_order
from burndown.testing.machine.values import PAIRS, PROFILE_IDS, STATE_KEYS
from burndown.testing.model.refusals import FetchError, RefusedError

__all__ = [
    "as_json",
    "comparable",
    "compare_listings",
    "error_text",
    "outcome",
    "records_of",
    "spoil",
]

REFUSALS = (
    FetchError,
    RefusedError,
    ValidationError,
    RevisionConflictError,
    ProfileNotFoundError,
    QueryNotFoundError,
    BudgetNotFoundError,
)


def outcome(call: Callable[[], Any]) -> Any:
    """Return the result of a call, or the error that it raises."""
    try:
        return call()
    except REFUSALS as error:
        return error


def as_json(answer: Any) -> str:
    """Return the result as a string, in which the order of lists and the types of numbers count."""
    return json.dumps(answer, sort_keys=True)


def spoil(answer: Any) -> None:
    """Change a returned value in place, which must not change what is stored."""
    if isinstance(answer, dict | list):
        for inner in list(answer.values() if isinstance(answer, dict) else answer):
            spoil(inner)
        answer.clear()


def error_text(error: Exception) -> tuple[Any, ...]:
    """Return all that a caller sees of an error."""
    return type(error), str(error), vars(error)


def comparable(found: Any) -> Any:
    """Return the result of a call, or the error that it raises, in a form that is compared."""
    return error_text(found) if isinstance(found, Exception) else as_json(found)


def records_of(backend: PersistenceBackend, model: type[Entity]) -> list[Document]:
    """Return all records of the model by key, without the backend's own state."""
    found = in_order(model, backend.records(model))
    return [each for each in found if model is not AppState or each["key"] != "schema_version"]


def compare_listings(backends: Mapping[str, PersistenceBackend], model: PersistenceBackend) -> None:
    """Compare all lists with those of the model."""
    expected = listings(model)
    for name, backend in backends.items():
        assert listings(backend) == expected, name


def listings(backend: PersistenceBackend) -> dict[str, str]:
    """Return all that a backend lists, for ids that exist and ids that do not."""
    lists: dict[str, Any] = {
        "profiles": backend.list_profiles(),
        "tasks": backend.list_task_progress(),
        "states": [backend.get_app_state(key) for key in STATE_KEYS],
    }
    for profile_id in PROFILE_IDS:
        lists[f"queries of {profile_id}"] = backend.list_queries(profile_id)
        lists[f"status of {profile_id}"] = backend.query_status(profile_id)
    for ids in PAIRS:
        lists[f"caches of {ids}"] = backend.list_jira_caches(*ids)
        lists[f"changelogs of {ids}"] = [
            backend.list_jira_changelogs(*ids),
            list(backend.get_jira_changelogs(*ids).items()),
            list(backend.find_jira_changelogs(*ids).items()),
        ]
        lists[f"data of {ids}"] = backend.get_project_data(*ids)
        lists[f"budget of {ids}"] = backend.get_budget(*ids)
        lists[f"snapshots of {ids}"] = backend.get_metrics_snapshots(*ids, limit=None)
    return {what: as_json(listing) for what, listing in lists.items()}
