"""The contract finds faults: of each backend with one, the test fails that is about it."""

import re
from pathlib import Path

import tests
from tests.contract.mutants import FOUND_BY
from tests.support.pytest_runs import FirstFailures, run_pytest

ROOT = Path(str(tests.__file__)).parent.parent


def test_each_fault_is_found() -> None:
    """By a failure of the test; an error around it would have another word in the summary."""
    tests_of = [f"Test{mutant.__name__}::{test.__name__}" for mutant, test in FOUND_BY.items()]
    output = run_pytest(
        ROOT,
        *("-q", "-W", "ignore", "--tb=no", "-rfE"),
        *(f"tests/contract/mutants.py::{each}" for each in tests_of),
        plugins=[FirstFailures()],
        HYPOTHESIS_PROFILE="unshrunk",
    )
    found = re.findall(r"^FAILED tests/contract/mutants\.py::(\w+::\w+)", output, re.MULTILINE)
    assert sorted(found) == sorted(tests_of), output
