import re
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "docs" / "papers"


def test_links_of_the_paper_index_lead_to_files() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (FOLDER / "README.md").read_text("utf-8"))
    assert links
    assert [link for link in links if not (FOLDER / link).exists()] == []
