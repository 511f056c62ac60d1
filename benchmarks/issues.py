"""Issues in the format of Jira's REST API; no two have equal content."""

from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise
from random import Random
from typing import Any, NamedTuple

from benchmarks import prose
from benchmarks.prose import words

__all__ = ["Json", "random_changelogs", "random_issues"]

Json = dict[str, Any]

_SITE = "https://jira.example.com"
_API = f"{_SITE}/rest/api/2"
_START = datetime(2024, 1, 8, 8, tzinfo=UTC)
_FIRST = words(
    "Ada Bela Cem Dana Emil Fatma Goran Hanna Ines Jonas Kaya Lena Milan Nora Omar Petra"
)
_LAST = words("Aydin Brandt Costa Demir Egli Fischer Gruber Huber Ivanov Jansen Keller Lopez")
_LABELS = words(
    """
    backend frontend security performance flaky-test tech-debt quick-win regression api docs
    needs-info customer ops database migration ui accessibility
    """
)
_COMPONENTS = words("core clients connect streams storage web reporting security build tools")
_TYPES = [
    ("Bug", "Something that does not work as it should.", 34),
    ("Story", "A piece of work as seen by those who will use it.", 26),
    ("Task", "Something that has to be done.", 18),
    ("Improvement", "Something that exists gets better.", 14),
    ("Sub-task", "A part of another issue.", 8),
]
_STATUSES = [
    ("Open", "The issue is ready for somebody to start work on it.", 2, "new", "blue-gray", 24),
    ("In Progress", "Somebody is working on it.", 4, "indeterminate", "yellow", 10),
    ("In Review", "The work waits for a second pair of eyes.", 4, "indeterminate", "yellow", 8),
    ("Resolved", "A resolution has been taken, and awaits verification.", 3, "done", "green", 40),
    ("Closed", "The issue is finished, and what came of it is right.", 3, "done", "green", 18),
]
_CATEGORIES = {"new": "To Do", "indeterminate": "In Progress", "done": "Done"}
_PRIORITIES = [("Blocker", 3), ("Critical", 9), ("Major", 55), ("Minor", 25), ("Trivial", 8)]
_RESOLUTIONS = [("Fixed", 70), ("Duplicate", 10), ("Won't Fix", 12), ("Not A Problem", 8)]
_UNSET = [f"customfield_{number}" for number in (*range(12310, 12322), *range(12400, 12407))]
_NEVER = ("timespent", "timeestimate", "aggregatetimespent", "lastViewed", "security")


class _Choice(NamedTuple):
    """Values with weights."""

    values: list[Json]
    shares: list[int]

    def draw(self, rng: Random) -> Json:
        return rng.choices(self.values, cum_weights=self.shares)[0]


def _choice(values: list[Json], weights: list[int]) -> _Choice:
    return _Choice(values, list(accumulate(weights)))


def _icon(kind: str, name: str) -> str:
    return f"{_SITE}/images/icons/{kind}/{name.lower().replace(' ', '')}.svg"


def _person(number: int, rng: Random) -> Json:
    first, last = _FIRST[number % len(_FIRST)], _LAST[number * 7 % len(_LAST)]
    name, avatar = f"{first}.{last}{number}".lower(), f"{rng.getrandbits(40):010x}"
    return {
        "self": f"{_API}/user?username={name}",
        "name": name,
        "key": f"JIRAUSER{10000 + 37 * number}",
        "avatarUrls": {
            "48x48": f"{_SITE}/secure/useravatar?ownerId={avatar}",
        },
        "displayName": f"{first} {last}",
        "active": rng.random() < 0.9,
        "timeZone": rng.choice(["Europe/Zurich", "Etc/UTC", "America/Los_Angeles", "Asia/Kolkata"]),
    }


class _Project:
    """The values that the issues of a project share."""

    def __init__(self, key: str, rng: Random) -> None:
        self.key = key
        self.people = _choice(
            [_person(number, rng) for number in range(60)],
            [1 + 400 // (number + 4) for number in range(60)],
        )
        self.types = _choice(
            [
                {
                    "self": f"{_API}/issuetype/{number}",
                    "id": str(number),
                    "description": text,
                    "iconUrl": _icon("issuetypes", name),
                    "name": name,
                    "subtask": name == "Sub-task",
                }
                for number, (name, text, _) in enumerate(_TYPES, 1)
            ],
            [weight for *_, weight in _TYPES],
        )
        self.statuses = _choice(
            [
                {
                    "self": f"{_API}/status/{number}",
                    "description": text,
                    "iconUrl": _icon("statuses", name),
                    "name": name,
                    "id": str(number),
                    "statusCategory": {
                        "self": f"{_API}/statuscategory/{category}",
                        "id": category,
                        "key": key,
                        "colorName": color,
                        "name": _CATEGORIES[key],
                    },
                }
                for number, (name, text, category, key, color, _) in enumerate(_STATUSES, 1)
            ],
            [weight for *_, weight in _STATUSES],
        )
        self.priorities = _choice(
            [
                {
                    "self": f"{_API}/priority/{number}",
                    "iconUrl": _icon("priorities", name),
                    "name": name,
                    "id": str(number),
                }
                for number, (name, _) in enumerate(_PRIORITIES, 1)
            ],
            [weight for _, weight in _PRIORITIES],
        )
        self.resolutions = _choice(
            [
                {"self": f"{_API}/resolution/{number}", "id": str(number), "name": name}
                for number, (name, _) in enumerate(_RESOLUTIONS, 1)
            ],
            [weight for _, weight in _RESOLUTIONS],
        )
        self.project = {
            "self": f"{_API}/project/12311720",
            "id": "12311720",
            "key": key,
            "name": "Streaming Platform",
        }
        self.components = [
            {"self": f"{_API}/component/{12300 + number}", "id": str(12300 + number), "name": name}
            for number, name in enumerate(_COMPONENTS)
        ]

    def version(self, time: datetime) -> Json:
        """Return the next release after a time."""
        number = (time - _START).days // 42
        return {
            "self": f"{_API}/version/{123500 + number}",
            "id": str(123500 + number),
            "name": f"{3 + number // 10}.{number % 10}.0",
            "archived": False,
            "released": number < 16,
        }

    def issue(self, number: int, created: datetime, rng: Random) -> Json:
        """Return an issue."""
        status = self.statuses.draw(rng)
        changed = created + timedelta(days=rng.expovariate(1 / 30))
        is_done = status["statusCategory"]["key"] == "done"
        reporter = self.people.draw(rng)
        key, own_id = f"{self.key}-{number}", str(13_000_000 + 7 * number + rng.randrange(7))
        has_parts = rng.random() < 0.6
        fields = {
            "resolution": self.resolutions.draw(rng) if is_done else None,
            **dict.fromkeys(_UNSET[:8]),
            "priority": self.priorities.draw(rng),
            "labels": rng.sample(_LABELS, int(rng.expovariate(1.3)) % 4),
            "fixVersions": [self.version(changed)] if is_done else [],
            "assignee": self.people.draw(rng) if rng.random() < 0.8 else None,
            "status": status,
            "components": [rng.choice(self.components)] if has_parts else [],
            "customfield_10016": rng.choice([None, 1.0, 2.0, 3.0, 5.0, 8.0]),
            "customfield_10019": f"0|z{rng.getrandbits(26):05x}:",
            "customfield_10121": rng.choice([None, None, {"value": "Yes", "id": "10301"}]),
            "customfield_10000": _development(rng),
            **dict.fromkeys(_UNSET[8:]),
            "issuelinks": [],
            "reporter": reporter,
            "votes": {"votes": int(rng.expovariate(1.5)), "hasVoted": False},
            "watches": {"watchCount": int(rng.expovariate(0.4)), "isWatching": False},
            "issuetype": self.types.draw(rng),
            "project": self.project,
            **dict.fromkeys(_NEVER),
            "workratio": -1,
            "created": _timestamp(created),
            "statuscategorychangedate": _timestamp(created + (changed - created) * rng.random()),
            "updated": _timestamp(changed),
            "resolutiondate": _timestamp(changed) if is_done else None,
            "duedate": changed.date().isoformat() if rng.random() < 0.1 else None,
            "environment": None,
            "summary": prose.summary(rng),
            "description": prose.description(rng),
        }
        return {
            "expand": "editmeta,changelog",
            "id": own_id,
            "self": f"{_API}/issue/{own_id}",
            "key": key,
            "fields": fields,
        }


def _development(rng: Random) -> str | None:
    """Return the value of the field for branches and pull requests."""
    if rng.random() < 0.4:
        return None
    return (
        f"{{summaryBean=SummaryBean@{rng.getrandbits(32):08x}"
        f"[pullrequest=Overall@{rng.getrandbits(32):08x}[stateCount={rng.randrange(4)}],"
        f" commit=Overall@{rng.getrandbits(32):08x}[count={int(rng.expovariate(0.3))}]]}}"
    )


def _timestamp(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03}+0000"


def random_issues(count: int, seed: int = 0) -> list[Json]:
    """Return issues of one project, newest first; the same arguments give the same issues."""
    rng = Random(seed)
    project = _Project("STREAM", rng)
    created, issues = _START, []
    for number in range(1001, 1001 + count):
        created += timedelta(seconds=rng.expovariate(count / 60_000_000))
        issues.append(project.issue(number, created, rng))
    return issues[::-1]


_WORKFLOW = ["Open", "In Progress", "In Review", "In Progress", "In Review", "Resolved", "Closed"]
_CHANGED = ("assignee", "Fix Version", "labels", "description", "Link", "priority")


def random_changelogs(issues: list[Json], seed: int = 0) -> dict[str, Json]:
    """Return changelogs of issues by their key; a third of the changes are of statuses."""
    rng = Random(seed)
    return {issue["key"]: _changelog(issue, rng) for issue in issues}


def _changelog(issue: Json, rng: Random) -> Json:
    time = datetime.fromisoformat(issue["fields"]["created"])
    statuses = _WORKFLOW[: rng.randrange(1, len(_WORKFLOW) + 1)]
    items = [_item("status", *change, rng) for change in pairwise(statuses)]
    for _ in range(2 * len(items) + rng.randrange(4)):
        old, new = prose.summary(rng), prose.summary(rng)
        items.insert(rng.randrange(len(items) + 1), _item(rng.choice(_CHANGED), old, new, rng))
    histories = []
    for number, item in enumerate(items):
        time += timedelta(seconds=rng.expovariate(1 / 90_000))
        histories.append(
            {
                "id": str(22_000_000 + 13 * number),
                "author": _person(rng.randrange(60), rng),
                "created": _timestamp(time),
                "items": [item],
            }
        )
    page = {"startAt": 0, "maxResults": len(histories), "total": len(histories)}
    return {"key": issue["key"], "changelog": {**page, "histories": histories}}


def _item(field: str, old: str, new: str, rng: Random) -> Json:
    return {
        "field": field,
        "fieldtype": "jira",
        "from": str(rng.randrange(20_000)),
        "fromString": old,
        "to": str(rng.randrange(20_000)),
        "toString": new,
    }
