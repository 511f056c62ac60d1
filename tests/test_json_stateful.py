"""Any sequence of calls on the files answers as a model of plain dicts does."""

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from burndown import PersistenceBackend
from burndown.persistence.json_backend import JSONBackend
from tests.test_stateful import BackendMachine


class JSONMachine(BackendMachine):
    """Drives a folder of files and the model through the same calls."""

    def new_backend(self) -> PersistenceBackend:
        return JSONBackend(self.folder / "profiles", clock=self.clock)


def test_it_answers_as_plain_dicts_do() -> None:
    run_state_machine_as_test(
        JSONMachine,
        settings=settings(
            max_examples=10,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
