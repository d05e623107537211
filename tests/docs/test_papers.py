import re
import tomllib
from pathlib import Path

import pytest

from saccade.experiments.names import EXPERIMENTS
from saccade.training.config import config_of

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


def rows_of(page: str) -> dict[str, str]:
    """First cell of each row of the page's list of tables and figures -> the row."""
    text = (FOLDER / page).read_text("utf-8").split("## Every table and figure")[1]
    table = text.split("\n## ")[0]
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return {line.split("|")[1].strip(): line for line in lines[2:]}


ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII")
LISTED = {
    "gdc.md": [f"table {n}" for n in ROMAN] + [f"figure {n}" for n in range(7, 12)],
    "dsnet.md": [f"table {n}" for n in range(1, 6)] + ["figure 4", "related work"],
    "mdc.md": [f"table {n}" for n in range(1, 5)] + ["figure 5", "figure 6"],
}


@pytest.mark.parametrize("page", LISTED)
def test_every_table_and_figure_has_a_row_that_says_whether_it_was_run(page: str) -> None:
    rows = rows_of(page)
    for wanted in LISTED[page]:
        found = [row for name, row in rows.items() if re.match(rf"{wanted}\b", name)]
        assert len(found) == 1, wanted
        assert found[0].split("|")[3].strip(), wanted
    assert any(name.startswith("figures 1 to") for name in rows)


def test_commands_of_the_pages_are_experiments_and_each_is_on_a_page() -> None:
    text = "".join((FOLDER / page).read_text("utf-8") for page in LISTED)
    named = set(re.findall(r"\b(?:gdc|dsnet|mdc)-(?:table|figure)\d+\b|\bdsnet-related\b", text))
    assert named == set(EXPERIMENTS) - {"weak-labels"}


def test_the_configuration_of_dsnets_page_is_one(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", (FOLDER / "dsnet.md").read_text("utf-8"), re.S)
    config = config_of(tomllib.loads(block), tmp_path)
    assert (config.data.layout, config.data.train, config.data.val) == ("voc", "trainval", "")
    assert (config.network.network, config.optim.epochs) == ("dsnet", 80)
    assert config.start.endswith("dsnet---ds-seed0/last.safetensors")
