"""Sidecar files, read as far as they are valid."""

from pathlib import Path
from typing import Any, TypeVar

import pydantic

from burndown.conversion import Findings, UnreadableError
from burndown.files.paths import lexists
from burndown.legacy.reading.json_files import read_json
from burndown.legacy.sidecar import Sidecar

__all__ = ["read_sidecar"]

SidecarT = TypeVar("SidecarT", bound=Sidecar)


def read_sidecar(model: type[SidecarT], path: Path, findings: Findings) -> SidecarT:
    """Return the content of a sidecar file, empty if there is no file.

    What is invalid is reported as a problem and omitted.
    """
    if not lexists(path):
        return model()
    try:
        written = read_json(path, findings)
        return model.model_validate(written)
    except UnreadableError as error:
        findings.add_problem(path, str(error))
        return model()
    except pydantic.ValidationError as error:
        locations = [details["loc"] for details in error.errors()]
        paths = {".".join(map(str, location)) for location in locations}
        findings.add_problem(path, f"changed since it was written, at {', '.join(sorted(paths))}")
        return model.model_validate(_without(written, locations))


def _without(written: Any, locations: list[tuple[int | str, ...]]) -> dict[str, Any]:
    """Return the content without the entries that are invalid; empty for another format."""
    if not isinstance(written, dict) or ("version",) in locations:
        return {}
    # Two steps lead to an entry, which is omitted as a unit: half of one would be wrong.
    wrong = {location[:2] for location in locations}
    rest: dict[str, Any] = {}
    for key, entries in written.items():
        if isinstance(entries, dict):
            rest[key] = {name: entry for name, entry in entries.items() if (key, name) not in wrong}
        elif isinstance(entries, list):
            rest[key] = [entry for n, entry in enumerate(entries) if (key, n) not in wrong]
        else:
            rest[key] = entries
    return {key: entries for key, entries in rest.items() if (key,) not in wrong}
