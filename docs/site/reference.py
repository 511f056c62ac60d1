"""The reference of a module, which the generator makes from its docstrings."""

from collections.abc import Iterator
from importlib import import_module
from inspect import get_annotations, isclass

import burndown
from docs.site.markdown import plain

__all__ = ["reference", "undescribed_names"]


def reference(module: str, modules: list[str]) -> str:
    """Return Markdown with all public names of a module.

    The package itself lists its names, which the pages of their modules describe. A class has the
    members of its bases that no page describes.

    Args:
        module: its full name.
        modules: all that have a page.
    """
    if module == burndown.__name__:
        return f"::: {module}\n    options:\n      members: false\n\n{_public_names()}"
    described = {item for name in modules for item in _classes(name)}
    inherited = {
        name
        for item in _classes(module)
        for base in _private_bases(item, described)
        for name in (*vars(base), *get_annotations(base))
        if not name.startswith("_")
    }
    return f"::: {module}\n    options:\n      inherited_members: {sorted(inherited)}\n"


def undescribed_names(page: str, module: str) -> list[str]:
    """Return the public names of a module that its built page lacks: they have no docstring."""
    names = (f"{module}.{name}" for name in import_module(module).__all__)
    return [name for name in names if f'id="{name}"' not in page]


def _public_names() -> str:
    """Return tables of the names of the package, by the module that describes them."""
    return "\n".join(
        f"## From `{module}`\n\n| name | |\n|---|---|\n"
        + "".join(
            f"| [`{name}`][{module}.{name}] | {plain(getattr(burndown, name).__doc__)} |\n"
            for name in names
        )
        for module, names in burndown._NAMES.items()
    )


def _classes(module: str) -> Iterator[type]:
    """Yield the public classes of a module."""
    imported = import_module(module)
    values = (getattr(imported, name) for name in imported.__all__)
    yield from filter(isclass, values)


def _private_bases(item: type, described: set[type]) -> Iterator[type]:
    """Yield the bases of a class before the first one that a page describes, or of others."""
    for base in item.__mro__[1:]:
        if base in described or not base.__module__.startswith(burndown.__name__):
            break
        yield base
