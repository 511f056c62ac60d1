"""The contract finds faults: the tests of each backend with one fail."""

import json
import os
import subprocess
import sys
from pathlib import Path

import tests
from tests.contract.mutants import MUTANTS

RUN = """
import json, pytest, sys

options = ["-x", "-q", "-W", "ignore", "-p", "no:cacheprovider"]
module = "tests/contract/mutants.py"
print(json.dumps({name: pytest.main([*options, f"{module}::{name}"]) for name in sys.argv[1:]}))
"""


def test_each_fault_is_found() -> None:
    """The first test that fails ends the run of its backend."""
    names = [f"Test{mutant.__name__}" for mutant in MUTANTS]
    run = subprocess.run(
        [sys.executable, "-c", RUN, *names],
        cwd=Path(str(tests.__file__)).parent.parent,
        env={**os.environ, "HYPOTHESIS_PROFILE": "unshrunk"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(run.stdout.splitlines()[-1]) == dict.fromkeys(names, 1), run.stdout
