"""Pages and docstrings speak plainly: no private vocabulary, no diary outside of the notes."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
MODULES = sorted((ROOT / "src").rglob("*.py"))
NODES = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
BANNED = re.compile(
    r"\bjudges?\b|\bbeliefs?\b|\bdoubt\w*|\bevidence\b|\bposterior\b|\btempered\b|\blikewise\b"
    r"|\bas above\b|\buntil then\b|\bthe release before\b|settings: of the preset"
    r"|\bthe (?:paper's )?descent\b|\bmany like things\b|\bof now\b",
    re.IGNORECASE,
)


def lines_with_banned_words(text: str, at: int = 1) -> list[str]:
    """Number and text of each line that has one."""
    numbered = enumerate(text.splitlines(), start=at)
    return [f"{number}: {line.strip()}" for number, line in numbered if BANNED.search(line)]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_pages_have_no_private_words(page):
    assert lines_with_banned_words(page.read_text()) == []


def test_docstrings_have_no_private_words():
    found = []
    for path in MODULES:
        name = path.relative_to(ROOT / "src" / "saccade").as_posix()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, NODES):
                text = ast.get_docstring(node, clean=False) or ""
                found += [f"{name}: {line}" for line in lines_with_banned_words(text)]
    assert found == []
