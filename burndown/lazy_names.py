"""Names of a package that are loaded when they are first used."""

import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

from burndown.forks import ForkAware, register_for_forks

__all__ = ["LazyNames"]


class LazyNames(ForkAware):
    """The names of a package that are defined in its modules.

    The package calls :meth:`load` in its ``__getattr__``. Python loads a module only once, whatever
    number of threads need it.

    Args:
        package: the name of the package.
        names: the names that each module defines, without the name of the package.
    """

    def __init__(self, package: str, names: Mapping[str, Iterable[str]]) -> None:
        self._package = package
        self._module_of = {name: module for module, those in names.items() for name in those}
        self._modules = frozenset(names)
        register_for_forks(self)

    def load(self, name: str) -> Any:
        """Return one of the modules, or what a name stands for, and set it in the package.

        Raises:
            AttributeError: the package has no such name.
        """
        if name in self._modules:
            return import_module(f"{self._package}.{name}")
        if name not in self._module_of:
            raise AttributeError(f"module {self._package!r} has no attribute {name!r}")
        found = getattr(self.load(self._module_of[name]), name)
        setattr(sys.modules[self._package], name, found)
        return found

    def before_fork(self, deadline: float) -> None:
        """Load all names: a forked process waits forever for a module that another thread loads."""
        for name in self._module_of:
            getattr(sys.modules[self._package], name)
