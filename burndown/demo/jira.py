"""A Jira site: its workflow, its custom fields and the formats of its REST API."""

from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import Any, NamedTuple

__all__ = [
    "ACTIVE_STATUSES",
    "CHANGE_FAILURE_FIELD",
    "COMPONENTS",
    "PEOPLE",
    "POINTS_FIELD",
    "STATUSES",
    "STATUS_CATEGORIES",
    "WIP_STATUSES",
    "Json",
    "Site",
    "Status",
    "StatusCategory",
    "StatusHistory",
    "description",
    "naive_timestamp",
    "named_value",
    "random_history",
    "status_value",
    "summary",
    "timestamp",
    "user_value",
]

Json = dict[str, Any]
StatusHistory = list[tuple[datetime, str]]


class Site(NamedTuple):
    """A Jira site, and a project in it."""

    base_url: str
    project_key: str
    project_name: str
    is_cloud: bool = False

    @property
    def api_version(self) -> int:
        """Return the version of the REST API: 3 in the cloud, 2 on a server."""
        return 3 if self.is_cloud else 2

    @property
    def api_url(self) -> str:
        """Return the base URL of the REST API."""
        return f"{self.base_url}/rest/api/{self.api_version}"


class StatusCategory(NamedTuple):
    """A status category, with the name that the old dashboard uses for it."""

    id: int
    color: str
    name: str
    classification: str


class Status(NamedTuple):
    """A status, the mean time that issues spend in it, and the equally likely next statuses.

    The time in ``Open`` depends on the issue.
    """

    id: str
    category: str
    mean_hours: float
    next_statuses: list[str]


STATUS_CATEGORIES = {
    "new": StatusCategory(2, "blue-gray", "To Do", "TODO"),
    "indeterminate": StatusCategory(4, "yellow", "In Progress", "IN_PROGRESS"),
    "done": StatusCategory(3, "green", "Done", "COMPLETED"),
}
STATUSES = {
    "Open": Status("1", "new", 0, ["In Progress"]),
    "In Progress": Status("3", "indeterminate", 50, ["In Review"] * 3 + ["Blocked"]),
    "Blocked": Status("10001", "indeterminate", 70, ["In Progress"]),
    "In Review": Status("10002", "indeterminate", 30, ["Resolved"] * 4 + ["In Progress"]),
    "Resolved": Status("5", "done", 300, ["Closed"] * 9 + ["Reopened"]),
    "Reopened": Status("4", "new", 40, ["In Progress"]),
    "Closed": Status("6", "done", 0, []),
}
ACTIVE_STATUSES = ["In Progress", "In Review"]
WIP_STATUSES = ["In Progress", "Blocked", "In Review"]
POINTS_FIELD = "customfield_10016"
CHANGE_FAILURE_FIELD = "customfield_10210"
PEOPLE = ["Ada Quill", "Bo Lindqvist", "Chiara Söder", "Dmitri Vale", "Edda Núñez", "Femi Okoro"]
COMPONENTS = [
    "batch",
    "consumer",
    "header",
    "lease",
    "partition",
    "quota",
    "record",
    "replica",
    "topic",
]
_VERBS = ["Avoid", "Bound", "Cache", "Document", "Fix", "Measure", "Reject", "Retry", "Simplify"]
_PLACES = ["after a restart", "on shutdown", "under load", "when the disk is full", "while reading"]


@cache
def named_value(site: Site, kind: str, name: str) -> Json:
    """Return the value of a field that refers to an object by its name, such as a priority."""
    # An id that depends only on the name: equal names have equal ids in all issues.
    number = str(10000 + sum(name.encode()))
    return {
        "self": f"{site.api_url}/{kind}/{number}",
        "id": number,
        "name": name,
        "iconUrl": f"{site.base_url}/images/icons/{kind}/{number}.svg",
    }


@cache
def status_value(site: Site, name: str) -> Json:
    """Return the value of the field ``status``."""
    status = STATUSES[name]
    category = STATUS_CATEGORIES[status.category]
    return named_value(site, "status", name) | {
        "id": status.id,
        "statusCategory": {
            "id": category.id,
            "key": status.category,
            "colorName": category.color,
            "name": category.name,
        },
    }


@cache
def user_value(site: Site, name: str) -> Json:
    """Return the value of a field that refers to a person."""
    login = name.split()[0].lower()
    account = {"accountId": f"712020:{10100 + PEOPLE.index(name)}"}
    avatar = f"{site.base_url}/secure/useravatar?ownerId={login}"
    return {
        **(account if site.is_cloud else {"name": login, "key": login}),
        "displayName": name,
        "active": True,
        "avatarUrls": {f"{size}x{size}": f"{avatar}&size={size}" for size in (48, 24, 16, 32)},
    }


def summary(rng: Random) -> str:
    """Return a random summary, such as "Cache the partition of a topic under load"."""
    verb, component, owner = rng.choice(_VERBS), rng.choice(COMPONENTS), rng.choice(COMPONENTS)
    return f"{verb} the {component} of a {owner} {rng.choice(_PLACES)}"


def description(site: Site, rng: Random) -> str | Json:
    """Return random paragraphs: a string, or the Atlassian Document Format of the cloud."""
    paragraphs = [
        " ".join(f"{summary(rng)}." for _ in range(rng.randint(1, 3)))
        for _ in range(rng.randint(1, 3))
    ]
    if not site.is_cloud:
        return "\r\n\r\n".join(paragraphs)
    content = [{"type": "paragraph", "content": [{"type": "text", "text": p}]} for p in paragraphs]
    return {"type": "doc", "version": 1, "content": content}


def random_history(
    created_at: datetime, until: datetime, open_hours: float, rng: Random
) -> StatusHistory:
    """Return the random statuses of an issue, each with the time at which it begins.

    Args:
        created_at: the time at which the issue is created.
        until: the end of the history.
        open_hours: the mean time until work on it begins.
        rng: the source of random numbers.
    """
    at, status = created_at, "Open"
    history = [(at, status)]
    if rng.random() < 0.08:
        return history
    while next_statuses := STATUSES[status].next_statuses:
        mean_hours = open_hours if status == "Open" else STATUSES[status].mean_hours
        at += rng.expovariate(1 / mean_hours) * timedelta(hours=1)
        if at >= until:
            break
        status = rng.choice(next_statuses)
        history.append((at, status))
    return history


def timestamp(time: datetime) -> str:
    """Return a UTC time in the format of Jira."""
    return f"{time.isoformat(timespec='milliseconds')[:23]}+0000"


def naive_timestamp(time: datetime) -> str:
    """Return a time without its offset, as the old dashboard writes it in some files."""
    return time.replace(tzinfo=None).isoformat()
