"""Runs of pytest within a test."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.processes import PATIENCE, start_fresh

OPTIONS = ("-p", "no:dash", "-p", "no:cacheprovider")
_OWN = ("PYTEST_", "BURNDOWN_")
"""The beginnings of variables that concern the run that a test belongs to."""


def environment_of_a_user() -> dict[str, str]:
    """Return the environment without the variables of this run."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_OWN)}


class FirstFailures:
    """Skips the further cases of a test that has failed."""

    def __init__(self) -> None:
        self._failed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed.add(_without_case(report.nodeid))

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if _without_case(item.nodeid) in self._failed:
            pytest.skip("it has failed")


def _without_case(node_id: str) -> str:
    return node_id.partition("[")[0]


def run_pytest(
    folder: Path, *options: str, plugins: Sequence[object] = (), **environment: str
) -> str:
    """Run pytest in a fresh process, which has imported it and the package; return its output.

    Args:
        folder: where it runs.
        options: its arguments. Assertions are plain, since what is imported is not rewritten.
        plugins: further plugins, of a module that does not import what is tested: it is imported
            before the settings of Hypothesis are known.
        environment: variables to add.
    """
    with tempfile.NamedTemporaryFile() as output:
        process = start_fresh(_run, folder, options, plugins, environment, output.name)
        process.join(PATIENCE)
        assert process.exitcode == 0, Path(output.name).read_text("utf-8")
        return Path(output.name).read_text("utf-8")


def _run(
    folder: Path,
    options: Sequence[str],
    plugins: Sequence[object],
    environment: dict[str, str],
    output: str,
) -> None:
    inherited = environment_of_a_user()
    os.environ.clear()
    os.environ.update(inherited | environment)
    os.chdir(folder)
    with Path(output).open("w") as written:
        for descriptor in (1, 2):
            os.dup2(written.fileno(), descriptor)
    pytest.main([*OPTIONS, "--assert=plain", *options], plugins)
