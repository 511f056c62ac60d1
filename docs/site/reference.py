"""The reference of a module, which the generator makes from its docstrings."""

import burndown
from docs.site.markdown import plain

__all__ = ["reference"]


def reference(module: str) -> str:
    """Return Markdown with all public names of a module.

    The package itself lists its names, which the pages of their modules describe.
    """
    if module != burndown.__name__:
        return f"::: {module}\n"
    sections = [
        f"## From `{source}`\n\n| name | |\n|---|---|\n"
        + "".join(
            f"| [`{name}`][{source}.{name}] | {plain(getattr(burndown, name).__doc__)} |\n"
            for name in names
        )
        for source, names in burndown._NAMES.items()
    ]
    options = "    options:\n      members: false\n"
    return f"::: {module}\n{options}\n" + "\n".join(sections)
