import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "papers"


def test_links_of_the_paper_index_lead_to_files() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (FOLDER / "README.md").read_text("utf-8"))
    assert links
    assert [link for link in links if not (FOLDER / link).exists()] == []


def test_tests_that_pages_name_are_files() -> None:
    named = {
        (page.name, name)
        for page in (ROOT / "docs").rglob("*.md")
        for name in re.findall(r"`(tests/[\w/]+(?:\.py)?)`", page.read_text("utf-8"))
    }
    assert named
    assert [pair for pair in sorted(named) if not (ROOT / pair[1]).exists()] == []
