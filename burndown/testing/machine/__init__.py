"""A state machine that makes the same calls on backends and on a model, in any order."""

from burndown.testing.machine.cached import CacheRules
from burndown.testing.machine.metrics import MetricsRules
from burndown.testing.machine.profiles import ProfileRules
from burndown.testing.machine.store import StoreRules
from burndown.testing.machine.tasks import TaskRules

__all__ = ["BackendMachine"]


class BackendMachine(ProfileRules, CacheRules, MetricsRules, TaskRules, StoreRules):
    """A machine that makes each call on backends and on a model, and compares the results.

    :class:`~burndown.testing.contract.AgreementContract` runs it, as one test of the contract. It
    also runs alone, with settings of Hypothesis if it needs others than those of the profile::

        def test_the_backend_agrees_with_the_model():
            run_state_machine_as_test(lambda: BackendMachine({"mine": open_backend}))

    A subclass adds rules for what a backend has besides; they call ``self.backends["mine"]``, and
    ``self.ask`` makes a call on the model as well.

    Args:
        backends: by a name for messages, functions that open a backend on the storage of a folder,
            as the fixture ``open_backend`` of the contract returns it. With several, their errors
            have to be the same, too.
    """
