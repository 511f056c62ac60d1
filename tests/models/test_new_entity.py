"""An entity that is added to the registry is stored, copied, exported and duplicated.

The code below runs in a process of its own, so that no other test sees the entity.
"""

import subprocess
import sys
from pathlib import Path
from textwrap import dedent, indent

ROOT = Path(__file__).parents[2]

DEFINITIONS = """
from typing import ClassVar

from sqlmodel import Field

from burndown import models
from burndown.models.columns import OrderedText, UtcTimestamp
from burndown.models.field_types import JsonObject, Key
from burndown.models.time_types import UtcDatetime
from burndown.models.json_columns import JsonText
from burndown.models.query import of_query
from burndown.models.query_data import QueryData
from burndown.models.timestamps import utc_now


class Example(QueryData, table=True):
    __tablename__: ClassVar[str] = "examples"
    __table_args__ = of_query()
    LABEL: ClassVar[str] = "examples"
    EXPORT_FILE: ClassVar[str | None] = "examples/{query}.json"
    LEGACY_FILE: ClassVar[str | None] = "examples.json"

    title: Key = Field(primary_key=True, sa_type=OrderedText)
    created_at: UtcDatetime = Field(default_factory=utc_now, sa_type=UtcTimestamp)
    plan: JsonObject = Field(sa_type=JsonText)


models.ENTITIES = (*models.ENTITIES, Example)

from burndown.copying import copy_store
from burndown.import_export import export_profile, import_profile
from burndown.persistence import open_backend
from burndown.profile_manager import duplicate_profile

EXAMPLES = [
    {
        "profile_id": "p",
        "query_id": "q",
        "title": title,
        "created_at": "2026-01-05T09:00:00+00:00",
        "plan": {"weeks": 10**30, "é": [None, 0.1]},
    }
    for title in ("a", "b")
]


def filled(where):
    backend = open_backend(where)
    backend.save_profile({"id": "p"})
    backend.save_query("p", {"id": "q"})
    backend.save_records(Example, EXAMPLES)
    return backend


def examples(backend, profile_id="p"):
    return list(backend.records(Example, profile_id))


def renamed(profile_id):
    return [{**example, "profile_id": profile_id} for example in EXAMPLES]
"""

CASES = {
    "it is stored": "assert examples(filled(where)) == EXAMPLES",
    "a document is replaced": """
        backend = filled(where)
        changed = {**EXAMPLES[1], "plan": {}}
        backend.save_records(Example, [changed])
        assert examples(backend) == [EXAMPLES[0], changed]
    """,
    "it is deleted with its query": """
        backend = filled(where)
        backend.delete_query("p", "q")
        backend.save_query("p", {"id": "q"})
        assert examples(backend) == []
    """,
    "it is copied": """
        with open_backend("copy.db") as copy:
            assert copy_store(filled(where), copy)["examples"] == 2
            assert examples(copy) == EXAMPLES
        with open_backend("json:copied") as copy:
            copy_store(filled("other.db"), copy)
            assert examples(copy) == EXAMPLES
    """,
    "it is exported and imported": """
        backend = filled(where)
        export = export_profile("p", "export", backend=backend)
        backend.delete_profile("p")
        import_profile(export, backend=backend)
        assert examples(backend) == EXAMPLES
    """,
    "it is duplicated": """
        backend = filled(where)
        copy = duplicate_profile("p", "Copy", backend=backend)
        assert examples(backend, copy) == renamed(copy)
    """,
}


RUN = """
import os
from pathlib import Path

for number, check in enumerate(checks):
    for where in ("burndown.db", "json:profiles"):
        folder = Path(f"{number}-{where[:4]}")
        folder.mkdir()
        os.chdir(folder)
        check(where)
        os.chdir("..")
"""


def test_a_new_entity_needs_no_change_elsewhere(tmp_path: Path) -> None:
    """Whether a database or JSON files store it."""
    names = {case: case.replace(" ", "_") for case in CASES}
    checks = [
        f"def {names[case]}(where):\n{indent(dedent(code), '    ')}" for case, code in CASES.items()
    ]
    listed = f"checks = [{', '.join(names.values())}]"
    found = subprocess.run(
        [sys.executable, "-c", "\n\n".join([DEFINITIONS, *checks, listed, RUN])],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
