"""Issues and responses of Jira, as servers (REST API v2) and the cloud (v3) send them."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from burndown.demo.jira import POINTS_FIELD, STATUSES
from burndown.models import Document
from burndown.testing.strategies.json_content import Values, json_values, narrowed, objects, strings
from burndown.testing.strategies.short_strings import issue_keys
from burndown.testing.strategies.times import offsets

__all__ = [
    "FROM_CLOUD",
    "jira_issues",
    "jira_responses",
    "named",
    "sent",
    "statuses",
    "users",
]

FROM_CLOUD = st.booleans()
"""Whether a response is of the cloud; of a server first."""

_ISSUE_TYPES = ["Story", "Bug", "Task", "Deployment"]
_PRIORITIES = ["High", "Medium", "Low"]
_LABELS = ["backend", "tech-debt", "größe"]
_START = datetime(2026, 1, 5, 9, tzinfo=UTC)
_DECADE = timedelta(days=3652)
_MILLISECOND = timedelta(milliseconds=1)


def sent(time: datetime) -> str:
    """Return a timestamp in the format of Jira: milliseconds, and an offset without a colon."""
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03}{time:%z}"


def named(kind: str, name: str, **more: Any) -> Document:
    """Return an object that a field refers to by its name, such as a priority."""
    number = str(10000 + sum(name.encode()) % 10000)
    url = f"https://jira.example.com/rest/api/2/{kind}/{number}"
    return {"self": url, "id": number, "name": name, **more}


def statuses() -> SearchStrategy[Document]:
    """Return statuses with their category, ``Open`` first."""
    return st.sampled_from(sorted(STATUSES, key=["Open", *STATUSES].index)).map(
        lambda name: named("status", name, statusCategory={"key": STATUSES[name].category})
    )


@st.composite
def users(draw: st.DrawFn, is_cloud: bool) -> Document:
    """Draw people: of the cloud by an account, of a server by a login."""
    name = draw(st.sampled_from(["Ada Quill", "Bo Lindqvist", "Chiara Söder"]))
    login = name.split()[0].lower()
    account = {"accountId": f"712020:{login}"} if is_cloud else {"name": login, "key": login}
    return {**account, "displayName": name, "active": True}


def _long_strings(is_cloud: bool) -> SearchStrategy[Any]:
    """Return longer strings of servers, and rich text of the cloud."""
    text = st.just("It fails.") | strings(40)
    if not is_cloud:
        return text
    return text.map(
        lambda line: {
            "type": "doc",
            "version": 1,
            "content": [{"type": "paragraph", "content": [{"type": "text", "text": line}]}],
        }
    )


@cache
def _custom_fields(is_cloud: bool) -> SearchStrategy[Document]:
    """Return some custom fields with whatever they can hold, ``None`` first."""
    options = st.sampled_from(["Yes", "No", "PROD"]).map(lambda value: {"id": "1", "value": value})
    sprints = st.integers(1, 9).map(
        lambda number: (
            {"id": number, "name": f"Sprint {number}", "state": "closed"}
            if is_cloud
            else f"com.atlassian.greenhopper.service.sprint.Sprint@1f[id={number},state=CLOSED,"
            f"name=Sprint {number}]"
        )
    )
    values = (
        st.none()
        | st.floats(0, 100)
        | options
        | st.lists(options | sprints, max_size=2)
        | users(is_cloud)
        | _long_strings(is_cloud)
        | json_values()
    )
    names = st.integers(10100, 10199).map("customfield_{}".format)
    return st.dictionaries(names, values, max_size=3)


def _fields(is_cloud: bool, given: Values) -> SearchStrategy[Document]:
    """Return the fields that issues have and some of those that they may have, others if given."""
    required: Values = {
        "summary": st.sampled_from(["Fix the login"]) | strings(40),
        "issuetype": st.sampled_from(_ISSUE_TYPES).map(lambda name: named("issuetype", name)),
        "status": statuses(),
    }
    version = st.integers(0, 9).map(
        lambda number: named("version", f"1.{number}.0", releaseDate=f"2026-0{number or 1}-15")
    )
    component = st.sampled_from(["api", "web"]).map(lambda name: named("component", name))
    optional: Values = {
        "description": st.none() | _long_strings(is_cloud),
        "priority": st.none()
        | st.sampled_from(_PRIORITIES).map(lambda name: named("priority", name)),
        "assignee": st.none() | users(is_cloud),
        "reporter": st.none() | users(is_cloud),
        "labels": st.lists(st.sampled_from(_LABELS), max_size=3, unique=True),
        "components": st.lists(component, max_size=2),
        "fixVersions": st.lists(version, max_size=2),
        "parent": issue_keys().map(lambda key: {"id": "10001", "key": key}),
        "duedate": st.none() | st.dates(date(2001, 1, 1), date(2040, 1, 1)).map(str),
        POINTS_FIELD: st.none() | st.sampled_from([1.0, 3.0, 8.0]) | st.floats(0, 100),
    }
    others = {name: values for name, values in optional.items() if name not in given}
    return objects({**required, **given}, others)


@st.composite
def _times(draw: st.DrawFn) -> tuple[datetime, datetime]:
    """Draw the times at which an issue was created and last updated, in one time zone."""
    zone = draw(offsets())  # first, so that an example in UTC is the simpler one
    decade = _DECADE // _MILLISECOND
    created = _START + draw(st.integers(-decade, decade)) * _MILLISECOND
    updated = created + draw(st.integers(0, decade // 10)) * _MILLISECOND
    return created.astimezone(zone), updated.astimezone(zone)


def _issue(draw: st.DrawFn, is_cloud: bool, key: str, fields: Document) -> Document:
    """Draw the rest of an issue that has these fields."""
    others = draw(_custom_fields(is_cloud))
    created, updated = draw(_times())
    project = key.rpartition("-")[0]
    made = {
        "project": {"id": "10000", "key": project, "name": project.title()},
        "created": sent(created),
        "updated": sent(updated),
        **_resolution(fields, updated),
    }
    return {
        "id": str(draw(st.integers(10000, 99999))),
        "key": key,
        "fields": {**others, **made, **fields},
    }


def _resolution(fields: Document, updated: datetime) -> Document:
    """Return the resolution that follows from the status of an issue."""
    status = fields["status"]
    category = status.get("statusCategory") if isinstance(status, dict) else None
    if not isinstance(category, dict) or category.get("key") != "done":
        return {"resolution": None, "resolutiondate": None}
    return {"resolution": named("resolution", "Done"), "resolutiondate": sent(updated)}


def jira_issues(
    *,
    cloud: SearchStrategy[bool] | bool = FROM_CLOUD,
    key: SearchStrategy[str] | str = issue_keys(),  # noqa: B008 - strategies are not mutable
    **fields: Any,
) -> SearchStrategy[Document]:
    """Return issues as Jira sends them: ``{"id": …, "key": "KAFKA-1", "fields": {…}}``.

    Fields are null or absent as they are in true responses, and there are custom fields with odd
    values. An issue was created before it was updated, and is resolved if its status is one of
    work that is done.

    Args:
        cloud: whether they are of the cloud, with accounts and rich text, or of a server.
        key: the key.
        fields: by field, a strategy or a value as Jira sends it, which every issue then has, such
            as ``priority=None`` or ``customfield_10016=st.integers(1, 8)``.
    """
    clouds, keys = narrowed(cloud, cloud=bool), narrowed(key, key=str)
    given = {name: narrowed(value) for name, value in fields.items()}
    fields_of = {flag: _fields(flag, given) for flag in (False, True)}

    # A closure, as in `objects`.
    @st.composite
    def issues(draw: st.DrawFn) -> Document:
        is_cloud = draw(clouds)
        return _issue(draw, is_cloud, draw(keys), draw(fields_of[is_cloud]))

    return issues()


@st.composite
def _responses(
    draw: st.DrawFn,
    cloud: SearchStrategy[bool],
    complete: SearchStrategy[bool],
    issues: dict[bool, SearchStrategy[Document]],
    max_size: int,
) -> Document:
    is_cloud = draw(cloud)
    page = draw(st.lists(issues[is_cloud], max_size=max_size, unique_by=(_key, _id)))
    is_complete = draw(complete)
    missing = 0 if is_complete else draw(st.integers(1, 1000))
    start = 0 if is_complete else draw(st.integers(0, missing))
    if is_cloud:
        more = {} if is_complete else {"nextPageToken": f"CAEaAggD{start}"}
        return {"issues": page, "isLast": is_complete, **more}
    return {
        "expand": "schema,names",
        "startAt": start,
        "maxResults": 50,
        "total": len(page) + missing,
        "issues": page,
    }


def _key(issue: Document) -> Any:
    return issue.get("key")


def _id(issue: Document) -> Any:
    return issue.get("id")


def jira_responses(
    *,
    cloud: SearchStrategy[bool] | bool = FROM_CLOUD,
    complete: SearchStrategy[bool] | bool = st.booleans().map(lambda flag: not flag),  # noqa: B008
    issues: SearchStrategy[Document] | Document | None = None,
    max_size: int = 4,
) -> SearchStrategy[Document]:
    """Return responses to a search: a server's with a total, the cloud's with a token.

    The first one is that of a server without issues.

    Args:
        cloud: whether they are of the cloud, or of a server.
        complete: whether they hold all issues, or are a page of several.
        issues: the issues, each with a key of its own; :func:`jira_issues` if not given.
        max_size: the largest number of issues.
    """
    of_both = {
        flag: jira_issues(cloud=flag) if issues is None else narrowed(issues, issues=dict)
        for flag in (False, True)
    }
    states = narrowed(complete, complete=bool)
    return _responses(narrowed(cloud, cloud=bool), states, of_both, max_size)
