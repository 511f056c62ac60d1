"""Checks of the built site: no dead link, and nothing that comes from another host."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from os.path import normpath
from pathlib import Path
from urllib.parse import unquote, urlsplit

__all__ = ["problems"]

_LOADING = {"action", "background", "data", "poster", "src", "srcset"}
_STYLE_ADDRESS = re.compile(
    r"""(?:url\(|@import)\s*["']?((?:https?:)?//[^"')\s]+)""", re.IGNORECASE
)
_OTHER_HOST = re.compile(r"(https?:)?//")


def problems(site: Path) -> list[str]:
    """Return a sentence for each dead link, and for each address of another host that is loaded."""
    pages = {path: _Page(path) for path in sorted(site.rglob("*.html"))}
    found = [
        f"{path.relative_to(site)} loads {address}"
        for path in sorted(site.rglob("*.css"))
        for address in _STYLE_ADDRESS.findall(path.read_text("utf-8"))
    ]
    for path, page in pages.items():
        name = path.relative_to(site)
        found += [f"{name} loads {address}" for address in page.loaded]
        for link in page.links:
            target, _, anchor = link.partition("#")
            linked = _linked(site, path, unquote(target))
            if not linked.is_file():
                found.append(f"{name} links to {link}, which does not exist")
            elif anchor and linked in pages and unquote(anchor) not in pages[linked].anchors:
                found.append(f"{name} links to {link}, where that anchor does not exist")
    return found


def _linked(site: Path, page: Path, target: str) -> Path:
    """Return the file that a link of a page leads to."""
    if not target:
        return page
    folder = site if target.startswith("/") else page.parent
    linked = Path(normpath(folder / target.lstrip("/")))
    return linked / "index.html" if linked.is_dir() else linked


class _Page(HTMLParser):
    """What a page links to, loads, and can be linked at.

    Args:
        path: its file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: set[str] = set()
        self.loaded: list[str] = []
        text = path.read_text("utf-8")
        self.loaded += _STYLE_ADDRESS.findall(text)
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the addresses and the anchor of an element."""
        attributes = {name: value or "" for name, value in attrs}
        if "id" in attributes:
            self.anchors.add(attributes["id"])
        href = attributes.get("href", "")
        if tag != "a":
            self.loaded += filter(_OTHER_HOST.match, _loaded(tag, attributes))
        elif href and not urlsplit(href).scheme and href != "#":
            self.links.add(href)


def _loaded(tag: str, attributes: dict[str, str]) -> Iterator[str]:
    """Yield the addresses that an element loads."""
    is_link = tag == "link" and attributes.get("rel") != "canonical"
    for name, value in attributes.items():
        if name in _LOADING or (name in {"href", "xlink:href"} and (is_link or tag != "link")):
            yield value
