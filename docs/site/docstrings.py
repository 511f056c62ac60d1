"""References in docstrings (``:class:`Profile```) as links of the site."""

import re
from typing import Any

import griffe

from docs.site.markdown import ROLE

_LITERAL_BLOCK = re.compile(r"^::$|:(:)$", re.MULTILINE)
"""The mark of what is indented below; at the end of a paragraph, a colon remains."""


class References(griffe.Extension):
    """Replace them when the package is loaded."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Rewrite all docstrings of a package."""
        _rewrite(pkg)


def _rewrite(item: griffe.Object) -> None:
    if item.docstring is not None:
        linked = ROLE.sub(
            lambda found: _link(item, found[2], short=bool(found[1])), item.docstring.value
        )
        item.docstring.value = _LITERAL_BLOCK.sub(r"\1", linked)
    for member in item.members.values():
        if isinstance(member, griffe.Object):
            _rewrite(member)


def _link(item: griffe.Object, name: str, *, short: bool) -> str:
    """Return a name as a link to what it means in the scope of an object."""
    title = name.rpartition(".")[2] if short else name
    path = _path(item, name)
    return f"`{title}`" if path is None else f"[`{title}`][{path}]"


def _path(item: griffe.Object, name: str) -> str | None:
    """Return the full path of a name in the scope of an object, or ``None`` for other packages.

    The strict build reports a path that does not exist.
    """
    first, *rest = name.split(".")
    if first == item.package.name:
        return _below(item.package, rest)
    scope: griffe.Object | griffe.Alias | None = item
    while scope is not None:
        if not scope.is_function and first in scope.all_members:
            return _below(scope.all_members[first], rest)
        scope = scope.parent
    return None if rest else name


def _below(found: griffe.Object | griffe.Alias, names: list[str]) -> str | None:
    """Return the full path of a member of a member; ``None`` for other packages."""
    for name in names:
        if isinstance(found, griffe.Alias) and not found.target_path.startswith("burndown."):
            return None
        if name not in found.all_members:
            return f"{found.canonical_path}.{name}"
        found = found.all_members[name]
    return found.canonical_path
