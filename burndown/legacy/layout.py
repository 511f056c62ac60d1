"""Names of files and folders in a workspace of the old dashboard.

::

    profiles/profiles.json                  which profile and query are active
    profiles/<profile>/profile.json         the settings of a profile
    profiles/<profile>/queries/<query>/     query.json and the data of the query

Next to them are files for data that those cannot contain. The old dashboard does not read them::

    profiles/burndown.json                  app state and the progress of tasks
    profiles/<…>/<query>/burndown.json      timestamps, forecasts and other fields of the data
    profiles/<…>/<query>/responses/         further cached Jira responses

The name of a folder is the id of its profile or query. An id that would clash with a file here, or
that Windows reserves, is put between percent signs. Links are never followed.
"""

import hashlib
import re
from pathlib import Path

from burndown.files.transaction import TransactionalFolder, is_temporary_folder
from burndown.models import (
    ENTITIES,
    JiraCache,
    JiraChangelog,
    MetricsSnapshot,
    Profile,
    ProjectData,
    Query,
    QueryData,
)
from burndown.settings import get_settings

__all__ = [
    "DATA_FILES",
    "PROFILE_FILE",
    "PROFILE_FILES",
    "QUERIES",
    "QUERY_FILE",
    "QUERY_FILES",
    "QUERY_SIDECAR",
    "REGISTRY",
    "RESPONSES",
    "ROOT_FILES",
    "STATE",
    "folder_name",
    "id_of_folder",
    "is_temporary",
    "may_hold_data",
    "response_file",
    "workspace_folder",
]

_FILES = {entity: entity.LEGACY_FILE for entity in ENTITIES if entity.LEGACY_FILE is not None}

REGISTRY = "profiles.json"
"""In the folder of profiles: the registry of the old dashboard."""
STATE = "burndown.json"
"""Next to the registry: app state and tasks."""
PROFILE_FILE = _FILES[Profile]
PROFILE_FILES = (PROFILE_FILE, "app_settings.json")
"""The settings of a profile, in the newer and the older format."""
QUERIES = "queries"
"""Next to ``profile.json``: the folder with the folders of queries."""
QUERY_FILE = _FILES[Query]
DATA_FILES = {entity: name for entity, name in _FILES.items() if issubclass(entity, QueryData)}
"""Next to ``query.json``: the file of each entity that belongs to a query."""
QUERY_SIDECAR = "burndown.json"
"""Next to ``query.json``: what the other files of the query cannot hold."""
RESPONSES = "responses"
"""Next to ``query.json``: the folder of further cached responses."""
QUERY_FILES = (QUERY_FILE, *DATA_FILES.values())
ROOT_FILES = (
    PROFILE_FILES[-1],
    *(DATA_FILES[each] for each in (JiraCache, JiraChangelog, ProjectData, MetricsSnapshot)),
)
"""Next to the folder of profiles, before the old dashboard had profiles."""

_CLASHING_ID = re.compile(
    r"%.* | profiles\.json.* | burndown\.(json|db).* | .*(\.lock|\.tmp|\.)"
    r"| (con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)


def folder_name(identifier: str) -> str:
    """Return the name of a new folder for a profile or query of this id."""
    return f"%{identifier}%" if _CLASHING_ID.fullmatch(identifier) else identifier


def id_of_folder(name: str) -> str:
    """Return the id of the profile or query in a folder of this name."""
    inner = name[1:-1]
    return inner if name == f"%{inner}%" and _CLASHING_ID.fullmatch(inner) else name


def response_file(cache_key: str) -> str:
    """Return the path of a cached response below the folder of its query.

    A digest, since a cache key is too long for a file name and case matters in it.
    """
    return f"{RESPONSES}/{hashlib.sha256(cache_key.encode()).hexdigest()}.json"


def is_temporary(name: str) -> bool:
    """Return whether this names a lock or a working folder, which hold no data."""
    return is_temporary_folder(name) or (name.startswith(STATE) and name.endswith(".lock"))


def may_hold_data(name: str) -> bool:
    """Return whether a file of this name can belong to a workspace; a database cannot."""
    return name.endswith(".json")


def workspace_folder(path: Path, *, read_only: bool = False) -> TransactionalFolder:
    """Return the folder of a workspace, whose files change atomically.

    Args:
        path: the folder.
        read_only: make no file in it, and refuse to write.
    """
    timeout = get_settings().busy_timeout
    return TransactionalFolder(
        path, STATE, may_hold_data, lock_timeout=timeout, read_only=read_only
    )
