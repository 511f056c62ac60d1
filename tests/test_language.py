"""Docstrings, comments, strings and documents use the terms of CONTRIBUTING.md."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CODE = [
    path for folder in ("burndown", "benchmarks") for path in sorted((ROOT / folder).rglob("*.py"))
]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
TERMS = re.compile(r"^## Terms\n.*?(?=^## )", re.DOTALL | re.MULTILINE)
OPENING = re.compile(r"(What|Whether|How|Where|When|Which|Who|Why)\b")


def terms() -> str:
    """The section of CONTRIBUTING.md that defines the terms."""
    found = TERMS.search((ROOT / "CONTRIBUTING.md").read_text("utf-8"))
    assert found is not None
    return found[0]


def unwanted_phrases() -> list[str]:
    """The last column of its tables."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in terms().splitlines()
        if line.startswith("|")
    ]
    return [
        phrase
        for *_, last in rows
        if last != "not" and not last.startswith("---")
        for phrase in last.split(", ")
        if phrase
    ]


UNWANTED = re.compile(rf"\b({'|'.join(map(re.escape, unwanted_phrases()))})\b", re.IGNORECASE)


def prose_of(path: Path) -> Iterator[str]:
    """The strings of a module, and its comments; those on consecutive lines are one."""
    source = path.read_text("utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
    comment, line = "", 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            if token.start[0] != line + 1:
                yield comment
                comment = ""
            comment, line = f"{comment} {token.string.lstrip('#')}", token.start[0]
    yield comment


def unwanted_in(text: str) -> list[str]:
    return UNWANTED.findall(re.sub(r"\s+", " ", text))


def test_the_glossary_lists_unwanted_phrases() -> None:
    phrases = unwanted_phrases()
    assert "in clear" in phrases
    assert len(phrases) == len(set(phrases)) > 20


@pytest.mark.parametrize(
    "code",
    [
        "'at  once'",
        "# done at\n    # once",
        "f'{1} By hand'",
        "'was '\n'expected'",
        '"""in\nclear"""',
    ],
)
def test_a_phrase_is_found_in_any_layout(code: str, tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(f"x = (\n{code}\n)")
    assert any(map(unwanted_in, prose_of(tmp_path / "module.py")))


@pytest.mark.parametrize("path", CODE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_code_uses_the_terms(path: Path) -> None:
    assert [phrase for text in prose_of(path) for phrase in unwanted_in(text)] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_documents_use_the_terms(path: Path) -> None:
    assert unwanted_in(path.read_text("utf-8").replace(terms(), "")) == []


@pytest.mark.parametrize("path", CODE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_docstring_opens_with_a_question_word(path: Path) -> None:
    """It says what something is or does."""
    documented = ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    docstrings = (ast.get_docstring(node) for node in nodes if isinstance(node, documented))
    assert [found for found in docstrings if found and OPENING.match(found)] == []
