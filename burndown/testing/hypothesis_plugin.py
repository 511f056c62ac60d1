"""The strategies for the classes of the models, which Hypothesis looks up when it is asked for one.

Hypothesis calls :func:`register_models` whenever it is imported, also by tests that have nothing to
do with this package. The models are therefore not imported here, which takes 0.4 s: the classes are
registered as soon as something else has imported them.
"""

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from inspect import Signature
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy
    from pydantic import BaseModel

__all__ = ["register_models"]

_MODELS = "burndown.models"


def register_models() -> None:
    """Register a strategy for each entity and section, now or when the models are imported."""
    if _MODELS in sys.modules:
        _register()
    else:
        sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    """Finds the models as usual, once, and has their classes registered after their import."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _MODELS:
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(Loader):
    """Loads the models as another loader does, and registers their classes."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        spec = module.__spec__
        if spec is not None:
            spec.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        _register()


def _register() -> None:
    from hypothesis import strategies as st

    from burndown.models import ENTITIES, Submodel, Week

    for model in (*ENTITIES, *Submodel.__subclasses__()):
        st.register_type_strategy(model, _instances)
        _annotate(model)
    st.register_type_strategy(Week, _weeks)
