"""A model of a backend: the interface over plain dicts, by key, all of it records.

It knows only the values that :mod:`burndown.testing.machine` saves.
"""

from burndown.testing.model.budgets import BudgetModel
from burndown.testing.model.changelogs import ChangelogModel
from burndown.testing.model.metrics import MetricsModel
from burndown.testing.model.profiles import ProfileModel
from burndown.testing.model.responses import ResponseModel
from burndown.testing.model.tasks import TaskModel

__all__ = ["Model"]


class Model(ProfileModel, ResponseModel, ChangelogModel, MetricsModel, BudgetModel, TaskModel):
    """The interface over plain dicts."""
