"""The strategies for the models and the types of their documents, which Hypothesis looks up.

Hypothesis calls :func:`register_models` whenever it is imported, also in tests that have nothing to
do with this package. The models take 0.4 s to import, and are not imported for it: their classes
are registered as soon as something else imports them.
"""

import sys
from collections.abc import Sequence
from functools import partial
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from burndown.models import Entity, Week

__all__ = ["register_models"]

_MODELS = "burndown.models"
_RESULTS = (
    *("FoundResponse", "JiraCacheEntry", "FoundChangelog", "JiraChangelogEntry"),
    *("QueryStatus", "MetricSeries"),
)
"""The names of the types of results, whose strategies are loaded when one is asked for."""


def register_models() -> None:
    """Register a strategy for each of these types, now or when the models are imported."""
    if _MODELS in sys.modules:
        _register()
    else:
        sys.meta_path.insert(0, _FinderOfModels())


class _FinderOfModels(MetaPathFinder):
    """Finds the models once, as the other finders do, so that their classes are registered."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how the models are loaded; ``None`` for any other module."""
        if fullname != _MODELS:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _RegisteringLoader(spec.loader)
        return spec


class _RegisteringLoader(Loader):
    """Loads the models with their own loader, and registers their classes.

    That loader itself is not changed: that of pytest, which rewrites the asserts of plugins, loads
    all modules.
    """

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Return the module that the loader creates, or ``None`` for the usual one."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Execute the module, and register its classes."""
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        _register()


def _register() -> None:
    from hypothesis import strategies as st

    import burndown.models as models
    from burndown.models import ENTITIES, Submodel, Week

    for entity in ENTITIES:
        _describe_arguments(entity)
    for model in (*ENTITIES, *Submodel.__subclasses__()):
        st.register_type_strategy(model, partial(_instances, model))
        type_of_documents = getattr(models, f"{model.__name__}Document", None)
        if type_of_documents is not None:
            st.register_type_strategy(type_of_documents, partial(_documents, model))
    for name in _RESULTS:
        st.register_type_strategy(getattr(models, name), _results)
    st.register_type_strategy(Week, _weeks)


def _instances(model: type[Any], _: object) -> "SearchStrategy[Any]":
    """Return instances of an entity or section, for its own type or for one of its bases."""
    from burndown.testing.strategies.results import documents_with_times

    return documents_with_times(model).map(model.model_validate)


def _documents(model: type[Any], _: object) -> "SearchStrategy[Any]":
    """Return documents of a section, or of an entity as a backend returns them."""
    from burndown.models import Entity
    from burndown.testing.strategies.results import complete_documents, documents_with_times

    return (complete_documents if issubclass(model, Entity) else documents_with_times)(model)


def _results(kind: type[Any]) -> "SearchStrategy[Any]":
    from burndown.testing.strategies.results import RESULTS

    return RESULTS[kind]


def _weeks(week: "type[Week]") -> "SearchStrategy[Week]":
    from burndown.testing.strategies import weeks

    return weeks().map(week.of)


def _describe_arguments(entity: "type[Entity]") -> None:
    """Let ``st.builds`` find strategies for the arguments of an entity, which it infers from types.

    It cannot read the types of the fields: their rules are functions, and SQLModel's remarks about
    columns are not hashable.
    """
    entity.model_rebuild()  # what is built later has a new signature
    arguments = [
        argument.replace(
            annotation=Annotated[entity.model_fields[name].annotation, _values_of(entity, name)]
        )
        for name, argument in entity.__signature__.parameters.items()
    ]
    entity.__signature__ = entity.__signature__.replace(parameters=arguments)


def _values_of(entity: "type[Entity]", field: str) -> "SearchStrategy[Any]":
    """Return the values of a field, by a strategy that is looked up when it is used."""
    from hypothesis import strategies as st

    def values() -> "SearchStrategy[Any]":
        from burndown.testing.strategies.entities import ENTITIES

        default = partial(entity.model_fields[field].get_default, call_default_factory=True)
        return ENTITIES[entity].values.get(field, st.builds(default))

    return st.deferred(values)
