"""A backend agrees with a model of plain dicts after any sequence of calls."""

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from burndown.testing.contract.part import ContractPart
from burndown.testing.controlled_store import OpenBackend
from burndown.testing.machine import BackendMachine

__all__ = ["AgreementContract"]


class AgreementContract(ContractPart):
    """The contract of sequences of calls.

    Attributes:
        machine: makes the calls; a subclass that has rules of its own can take its place.
    """

    machine: type[BackendMachine] = BackendMachine

    def test_a_backend_agrees_with_a_model(self, open_backend: OpenBackend) -> None:
        """After any calls, in transactions or not, it returns and stores the same."""
        run_state_machine_as_test(
            # Hypothesis takes any function that makes a machine.
            lambda: self.machine({"the backend": open_backend}),  # type: ignore[arg-type]
            settings=settings(
                stateful_step_count=30,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
            ),
        )
