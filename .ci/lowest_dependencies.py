"""Print the oldest release of each dependency that pyproject.toml allows, as constraints of pip."""

import re
import tomllib
from pathlib import Path

with Path("pyproject.toml").open("rb") as file:
    project = tomllib.load(file)["project"]
extras = project["optional-dependencies"]
for requirements in (
    project["dependencies"],
    *(extras[name] for name in ("fastapi", "keyring", "postgres", "secrets", "testing")),
):
    for requirement in requirements:
        found = re.fullmatch(r"([\w-]+)(?:\[\w+\])?>=([\w.]+)", requirement)
        if found:
            print(f"{found[1]}=={found[2]}")
