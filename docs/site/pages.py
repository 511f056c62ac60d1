"""The Markdown pages of the site: the files of `docs/`, and what the navigation names besides.

- `readme/choose-a-storage.md` is the section "Choose a storage" of the README;
- `reference/burndown.errors.md` is the reference of that module;
- `command-line.md` and `data-model.md` are made from the package;
- `CHANGELOG.md` is that file, at the root of the repository.

In a page, `<!-- README: Install -->` stands for a section of the README. Links to files that are no
page become addresses of the repository.
"""

import posixpath
import re
import shutil
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from docs.site.command_line import command_line
from docs.site.data_model import data_model
from docs.site.reference import reference

__all__ = ["ROOT", "described_modules", "navigation", "with_addresses", "write_pages"]

ROOT = Path(__file__).parent.parent.parent

_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_INCLUDE = re.compile(r"^<!-- README: (.+) -->$", re.MULTILINE)
_LINK = re.compile(r"\]\((?![a-z]+:|#)([^)#\s]+)(#[^)\s]+)?\)")


def write_pages(folder: Path) -> None:
    """Write all pages, with pictures and styles, to a folder that is replaced."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "docs", folder, ignore=shutil.ignore_patterns("site"))
    shutil.copy(ROOT / "docs" / "site" / "site.css", folder)
    for page in navigation():
        path = folder / page
        path.parent.mkdir(exist_ok=True)
        path.write_text(_content(page), "utf-8")


@cache
def navigation() -> tuple[str, ...]:
    """Return the pages of the site, in their order."""
    configuration = tomllib.loads((ROOT / "zensical.toml").read_text("utf-8"))
    return tuple(_pages(configuration["project"]["nav"]))


def described_modules() -> list[str]:
    """Return the modules that have a page."""
    return [Path(page).stem for page in navigation() if page.startswith("reference/")]


def with_addresses(markdown: str, source: str, page: str) -> str:
    """Return Markdown with links that are valid on the site.

    Args:
        markdown: of a file of the repository.
        source: the path of this file.
        page: the page that shows it.
    """

    def address(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), found[1]))
        on_site = target.removeprefix("docs/")
        if on_site in navigation() or (target != on_site and (ROOT / target).is_file()):
            link = posixpath.relpath(on_site, posixpath.dirname(page) or ".")
        elif (ROOT / target).exists():
            kind = "tree" if (ROOT / target).is_dir() else "blob"
            link = f"{_repository()}/{kind}/main/{target}"
        else:
            link = found[1]  # the checks of the site report it
        return f"]({link}{found[2] or ''})"

    return _LINK.sub(address, markdown)


def _content(page: str) -> str:
    """Return the Markdown of a page."""
    folder, name = posixpath.split(page.removesuffix(".md"))
    if folder == "reference":
        return reference(name, described_modules())
    if folder == "readme":
        title = name.replace("-", " ").capitalize()
        text = f"# {title}\n\n<!-- README: {title} -->\n"
    elif page == "command-line.md":
        text = command_line()
    elif page == "data-model.md":
        text = data_model()
    else:
        source = next(path for path in (f"docs/{page}", page) if (ROOT / path).exists())
        text = with_addresses((ROOT / source).read_text("utf-8"), source, page)
    return _INCLUDE.sub(
        lambda found: with_addresses(_readme_section(found[1]), "README.md", page), text
    )


def _readme_section(title: str) -> str:
    """Return a section of the README without its heading."""
    parts = _HEADING.split((ROOT / "README.md").read_text("utf-8"))
    return parts[parts.index(title) + 1].strip()


@cache
def _repository() -> str:
    """Return the address of the repository."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    address: str = project["urls"]["Homepage"]
    return address


def _pages(navigation: Any) -> Iterator[str]:
    match navigation:
        case str():
            yield navigation
        case dict():
            yield from _pages(list(navigation.values()))
        case list():
            for part in navigation:
                yield from _pages(part)
