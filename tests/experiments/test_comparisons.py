import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from saccade.cli.app import app
from saccade.data.known import VOC
from saccade.errors import InputError
from saccade.experiments.comparisons import COMPARISONS
from saccade.experiments.engine.comparison import run_comparison
from saccade.experiments.engine.network_config import NetworkPlan, chosen_rows
from saccade.experiments.names import TABLE_OF_FIGURE
from saccade.experiments.networks import LABEL_SOURCES, NETWORK_TABLES
from saccade.models.checkpoint import save_checkpoint
from saccade.models.segmentation import SegmentationConfig, SegmentationNet
from saccade.training.config import DataConfig
from tests.experiments.conftest import voc_tree

pytestmark = pytest.mark.filterwarnings("ignore")


def test_every_figure_shows_rows_and_labels_that_its_table_has():
    kinds = {kind for source in LABEL_SOURCES for kind in source.kinds}
    assert {name: one.table for name, one in COMPARISONS.items()} == TABLE_OF_FIGURE
    for figure in COMPARISONS.values():
        rows = chosen_rows(NETWORK_TABLES[figure.table])
        assert set(figure.rows.values()) <= set(rows)
        assert set(figure.labels.values()) <= kinds
        assert figure.rows or figure.labels


@pytest.fixture
def tree(tmp_path):
    """Two images of VOC, pseudo labels of them that are right, two networks."""
    base = voc_tree(tmp_path)
    out = tmp_path / "out"
    pseudo = out / "labels/pseudo-paper"
    pseudo.mkdir(parents=True)
    for stem in "ab":
        truth = np.asarray(Image.open(base / f"SegmentationClass/{stem}.png"))
        Image.fromarray(truth).save(pseudo / f"{stem}.png")
    config = SegmentationConfig(21, width=8, pyramid="none")
    weights = SegmentationNet(config).state_dict()
    for name in ("full-masks", "pseudo-labels--paper"):
        folder = out / f"runs/{name}-seed0"
        folder.mkdir(parents=True)
        save_checkpoint(folder / "last.safetensors", config, weights, VOC, {})
    return base, out


def plan_of(base):
    return NetworkPlan(DataConfig("voc", str(base)), "smoke", device="cpu", subset="two")


def draw(name, base, out):
    figure = COMPARISONS[name]
    return run_comparison(
        figure, NETWORK_TABLES[figure.table], plan_of(base), out, progress=lambda *_: None
    )


def test_pseudo_labels_are_shown_with_and_without_a_crf(tree):
    done = draw("gdc-figure7", *tree)
    assert "| image | pseudo | pseudo, CRF |" in done.text
    assert "| a     |  100.0 |       100.0 |" in done.text
    assert "the part *two*, 2 of 2 images of `train`" in done.text
    assert np.asarray(Image.open(done.files[0])).shape[1] == 1600


def test_networks_of_a_table_are_shown_beside_the_truth(tree):
    base, out = tree
    done = draw("gdc-figure8", base, out)
    assert "| image | full masks | pseudo labels |" in done.text
    (out / "runs/full-masks-seed0/last.safetensors").unlink()
    with pytest.raises(InputError, match="saccade experiment network gdc-table2 with the same -o"):
        draw("gdc-figure8", base, out)
    with pytest.raises(InputError, match="no such labels; saccade experiment network gdc-table2"):
        draw("gdc-figure7", base, out / "elsewhere")


def test_the_command_line_draws_them(tree):
    base, out = tree
    arguments = ["--voc", base, "--subset", "two", "--device", "cpu", "--limit", 1, "-o", out]
    line = ["experiment", "figure", "gdc-figure8", *map(str, arguments)]
    done = CliRunner().invoke(app, line, catch_exceptions=False)
    assert done.exit_code == 0, done.output + done.stderr
    assert (out / "gdc-figure8.jpg").is_file()
