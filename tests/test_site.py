"""The site of the documentation: its pages, their links, and what checks find in a built site."""

import tomllib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import typer.main

from burndown.cli import app
from burndown.models import ENTITIES
from docs.site.checks import problems
from docs.site.command_line import command_line
from docs.site.data_model import data_model, picture
from docs.site.markdown import plain
from docs.site.pages import ROOT, navigation, with_addresses, write_pages
from docs.site.reference import reference, undescribed_names

REPOSITORY = "https://github.com/burndown-store/burndown-store"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all pages, as the generator takes them."""
    folder = tmp_path_factory.mktemp("pages")
    write_pages(folder)
    return folder


def test_every_file_of_the_documentation_is_in_the_navigation(pages: Path) -> None:
    assert {str(path.relative_to(pages)) for path in pages.rglob("*.md")} == set(navigation())


def test_sections_of_the_readme_are_where_pages_name_them(pages: Path) -> None:
    assert not [path for path in pages.rglob("*.md") if "<!-- README" in path.read_text("utf-8")]
    assert "burndown demo" in (pages / "index.md").read_text("utf-8")
    assert "BURNDOWN_DATABASE_URL" in (pages / "readme" / "choose-a-storage.md").read_text("utf-8")


@pytest.mark.parametrize(
    "words", ["Back up", "Change the token", "Write a backend", "From the published dashboard"]
)
def test_what_people_look_for_is_two_clicks_away(words: str) -> None:
    project = tomllib.loads((ROOT / "zensical.toml").read_text("utf-8"))["project"]
    titles: list[str] = [
        title
        for section in project["nav"]
        for [entries] in [section.values()]
        for entry in entries
        if isinstance(entry, dict)
        for title in entry
    ]
    assert [title for title in titles if title.startswith(words)]


@pytest.mark.parametrize(
    ("link", "source", "page", "expected"),
    [
        ("backup.md", "docs/tasks.md", "tasks.md", "backup.md"),
        ("backup.md#x", "docs/tasks.md", "tasks.md", "backup.md#x"),
        ("docs/backup.md", "README.md", "readme/guarantees.md", "../backup.md"),
        ("docs/growth.png", "README.md", "index.md", "growth.png"),
        ("../CHANGELOG.md", "docs/tasks.md", "tasks.md", "CHANGELOG.md"),
        (
            "../pyproject.toml",
            "docs/tasks.md",
            "tasks.md",
            f"{REPOSITORY}/blob/main/pyproject.toml",
        ),
        ("../examples", "docs/tasks.md", "tasks.md", f"{REPOSITORY}/tree/main/examples"),
        ("absent.md", "docs/tasks.md", "tasks.md", "absent.md"),
        ("#asyncio", "docs/tasks.md", "tasks.md", "#asyncio"),
        ("https://semver.org", "CHANGELOG.md", "CHANGELOG.md", "https://semver.org"),
    ],
)
def test_links_are_valid_on_the_site(link: str, source: str, page: str, expected: str) -> None:
    assert with_addresses(f"[text]({link})", source, page) == f"[text]({expected})"


def test_every_command_and_option_is_on_the_page_of_the_command_line() -> None:
    page = command_line()

    def described(command: Any, name: str) -> list[str]:
        options = [option for parameter in command.params for option in parameter.opts]
        below = getattr(command, "commands", {})
        return [
            f"`{name}`",
            *(option for option in options if option.startswith("--")),
            *(part for key in below for part in described(below[key], f"{name} {key}")),
        ]

    assert not [
        part for part in described(typer.main.get_command(app), "burndown") if part not in page
    ]


def test_every_column_is_on_the_page_of_the_data_model() -> None:
    sections = data_model().split("\n## ")[1:]
    for entity, section in zip(ENTITIES, sections, strict=True):
        assert section.startswith(f"`{entity.__table__.name}`")
        assert not [
            column.name
            for column in entity.__table__.columns
            if f"| `{column.name}`" not in section
        ]
        assert "|  |" not in section  # each has a type and a meaning


def test_the_picture_has_every_table_with_its_columns_and_references() -> None:
    drawn = ElementTree.fromstring(picture())
    texts = [element.text for element in drawn.iter() if element.tag.endswith("text")]
    tables = [entity.__table__ for entity in ENTITIES]
    for table in tables:
        assert not {table.name, *(column.name for column in table.columns)} - set(texts)
    ends = [element for element in drawn.iter() if element.tag.endswith("circle")]
    owners = [{key.column.table for key in table.foreign_keys} for table in tables]
    assert len(ends) == sum(map(len, owners))


def test_a_class_has_the_members_of_bases_that_no_page_describes() -> None:
    modules = ["burndown.errors", "burndown.models", "burndown.persistence"]
    assert "'get_budget'" in reference("burndown.persistence", modules)
    assert "'name'" in reference("burndown.models", modules)  # of NamedEntity
    assert "'to_document'" not in reference("burndown.models", modules)  # of Entity
    assert reference("burndown.errors", modules).endswith("inherited_members: []\n")


def test_public_names_without_a_docstring_are_found() -> None:
    page = '<h2 id="burndown.salvage.salvage">'
    assert undescribed_names(page, "burndown.salvage") == ["burndown.salvage.SalvageReport"]


def test_a_docstring_becomes_a_cell_of_a_table() -> None:
    assert plain("The :class:`~a.B`, or\n``x|y``.\n\nMore.") == "The `a.B`, or ``x\\|y``."
    assert plain(None) == ""


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('<a href="other.html#there">', None),
        ('<a href="#here">', None),
        ('<a href="folder">', None),
        ('<a href="/other.html">', None),
        ('<a href="https://example.com">', None),
        ('<a href="mailto:a@example.com">', None),
        ('<img src="picture.png">', None),
        ('<link rel="canonical" href="https://example.com/">', None),
        ('<a href="absent.html">', "page.html links to absent.html, which does not exist"),
        (
            '<a href="other.html#x">',
            "page.html links to other.html#x, where that anchor does not exist",
        ),
        ('<a href="#x">', "page.html links to #x, where that anchor does not exist"),
        ('<script src="https://example.com/a.js">', "page.html loads https://example.com/a.js"),
        ('<link rel="preconnect" href="//example.com">', "page.html loads //example.com"),
        ('<p style="background: url(http://a.com/b)">', "page.html loads http://a.com/b"),
    ],
)
def test_dead_links_and_other_hosts_are_found(
    body: str, problem: str | None, tmp_path: Path
) -> None:
    (tmp_path / "page.html").write_text(f'<h1 id="here">{body}', "utf-8")
    (tmp_path / "other.html").write_text('<h1 id="there">', "utf-8")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "index.html").touch()
    assert problems(tmp_path) == ([] if problem is None else [problem])


def test_a_font_of_another_host_is_found_in_a_style_sheet(tmp_path: Path) -> None:
    (tmp_path / "style.css").write_text("@import 'https://example.com/font.css';", "utf-8")
    assert problems(tmp_path) == ["style.css loads https://example.com/font.css"]


def test_references_in_docstrings_become_links(tmp_path: Path) -> None:
    griffe = pytest.importorskip("griffe", reason="the extra `docs` is not installed")
    (tmp_path / "burndown.py").write_text(
        '''"""See :func:`run`, :meth:`~Store.save`, :class:`sqlite3.Row`, :func:`absent`::"""

import sqlite3

def run(): ...

class Store:
    def load(self):
        """Load what :meth:`save` saved; see :func:`burndown.run`."""
    def save(self): ...
''',
        "utf-8",
    )
    extensions = griffe.load_extensions(str(ROOT / "docs" / "site" / "docstrings.py"))
    module = griffe.load("burndown", search_paths=[tmp_path], extensions=extensions)
    assert module.docstring.value == (
        "See [`run`][burndown.run], [`save`][burndown.Store.save], `sqlite3.Row`,"
        " [`absent`][absent]:"
    )
    assert module["Store.load"].docstring.value == (
        "Load what [`save`][burndown.Store.save] saved; see [`burndown.run`][burndown.run]."
    )
