"""The contract finds faults: of each backend with one, the test fails that is about it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import tests
from tests.contract.mutants import FOUND_BY

RUN = """
import json, pytest, sys

options = ["-x", "-q", "-W", "ignore", "-p", "no:cacheprovider"]
module = "tests/contract/mutants.py"
print(json.dumps({name: pytest.main([*options, f"{module}::{name}"]) for name in sys.argv[1:]}))
"""


def test_each_fault_is_found() -> None:
    """Pytest ends with 1 if a test has failed; it has other numbers for errors."""
    names = [f"Test{mutant.__name__}::{test.__name__}" for mutant, test in FOUND_BY.items()]
    run = subprocess.run(
        [sys.executable, "-c", RUN, *names],
        cwd=Path(str(tests.__file__)).parent.parent,
        env={**os.environ, "HYPOTHESIS_PROFILE": "unshrunk"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(run.stdout.splitlines()[-1]) == dict.fromkeys(names, 1), run.stdout
