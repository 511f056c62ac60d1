"""Tools for tests: a clock, documents, fixtures, strategies, the contract of backends.

    from burndown import open_backend
    from burndown.testing import Clock, make_profile

    clock = Clock()
    with open_backend("memory:", clock=clock) as backend:
        backend.save_profile(make_profile(forecast_settings={"pert_factor": 1.5}))
        clock.tick(hours=2)

They need the extra ``testing``. The names are loaded when they are first used:
pytest imports this package in every run, as that of its plugin
(:mod:`burndown.testing.pytest_plugin`). The strategies for Hypothesis are in
:mod:`burndown.testing.strategies`.
"""

from importlib import import_module

TYPE_CHECKING: bool = False  # as in `burndown`
if TYPE_CHECKING:
    from burndown.testing.clocks import Clock
    from burndown.testing.contract import BackendContract
    from burndown.testing.factories import (
        make_budget,
        make_changelog,
        make_changelogs,
        make_profile,
        make_project_data,
        make_query,
        make_response,
        make_snapshot,
    )
    from burndown.testing.machine import BackendMachine

_NAMES = {
    "burndown.testing.clocks": ("Clock",),
    "burndown.testing.contract": ("BackendContract",),
    "burndown.testing.factories": (
        "make_budget",
        "make_changelog",
        "make_changelogs",
        "make_profile",
        "make_project_data",
        "make_query",
        "make_response",
        "make_snapshot",
    ),
    "burndown.testing.machine": ("BackendMachine",),
}
_MODULE_OF = {name: module for module, names in _NAMES.items() for name in names}

__all__ = [
    "BackendContract",
    "BackendMachine",
    "Clock",
    "make_budget",
    "make_changelog",
    "make_changelogs",
    "make_profile",
    "make_project_data",
    "make_query",
    "make_response",
    "make_snapshot",
]


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'burndown.testing' has no attribute {name!r}")
    return getattr(import_module(_MODULE_OF[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
