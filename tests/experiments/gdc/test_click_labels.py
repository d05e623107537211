import json

import numpy as np
import pytest
from PIL import Image

from saccade.errors import InputError
from saccade.experiments.engine.labels import label_notes, make_labels
from saccade.experiments.engine.load_samples import load_sample
from saccade.experiments.engine.network_config import NetworkPlan, chosen_rows
from saccade.experiments.gdc.click_labels import (
    CLICK_LABELS,
    draw_clicks,
    read_clicks,
    segment_clicks,
)
from saccade.experiments.gdc.part_samples import CLICKS, SIMULATED, part_samples
from saccade.experiments.networks import NETWORK_TABLES
from saccade.training.config import DataConfig
from tests.experiments.conftest import voc_tree

pytestmark = pytest.mark.filterwarnings("ignore")


def click(x, y, value):
    return {"x": x, "y": y, "rank": 1, "cls": value}


@pytest.fixture
def tree(tmp_path):
    base = voc_tree(tmp_path)
    (base / "clicks.json").write_text(
        json.dumps({"a": [click(48.4, 20.2, 1)], "b": [click(50, 30, 1)]})
    )
    return base


def plan_of(base):
    return NetworkPlan(DataConfig("voc", str(base)), "smoke", device="cpu", subset="two")


def test_clicks_are_read_and_wrong_ones_are_named(tree):
    found = read_clicks(tree / "clicks.json", ["a"], 21)
    np.testing.assert_array_equal(found["a"], [[20, 48, 1]])
    with pytest.raises(InputError, match="1 training images have no clicks, c for one"):
        read_clicks(tree / "clicks.json", ["a", "c"], 21)
    with pytest.raises(InputError, match="a has class 1, expected 1 to 0"):
        read_clicks(tree / "clicks.json", ["a"], 1)
    (tree / "clicks.json").write_text('{"a": [{"x": 1}]}')
    with pytest.raises(InputError, match=r"clicks\.json: expected"):
        read_clicks(tree / "clicks.json", ["a"], 21)


def test_discs_are_drawn_and_clicks_outside_are_moved_in():
    strokes = draw_clicks(np.array([[10, 12, 3], [99, -4, 7]]), (40, 50))
    assert strokes[10, 12] == strokes[15, 12] == 3
    assert strokes[16, 12] == 255
    assert strokes[39, 0] == 7


def test_the_ground_is_what_no_clicked_object_has():
    y, x = np.mgrid[:96, :160]
    image = np.full((96, 160, 3), 60, np.uint8)
    left, right = (np.hypot(y - 48, x - cx) < 22 for cx in (45, 115))
    image[left], image[right] = (220, 60, 60), (60, 60, 220)
    clicks = np.array([[48, 45, 2], [48, 115, 9]])
    both = segment_clicks(image, draw_clicks(clicks, (96, 160)), "cpu")
    assert set(np.unique(both)) == {0, 2, 9}
    assert (both[left] == 2).mean() > 0.9
    assert (both[right] == 9).mean() > 0.9
    assert (both[~left & ~right] == 0).mean() > 0.9
    image[right] = 60
    one = segment_clicks(image, draw_clicks(clicks[:1], (96, 160)), "cpu")
    assert set(np.unique(one)) == {0, 2}


def test_labels_from_clicks_are_a_row_where_there_are_clicks(tree, tmp_path):
    plan, table = plan_of(tree), NETWORK_TABLES["gdc-table2"]
    assert "pseudo labels from clicks" in chosen_rows(table, (), plan)
    made = make_labels(["pseudo-clicks"], [CLICK_LABELS], plan, tmp_path / "x", lambda *_: None)
    mask = np.asarray(Image.open(made["pseudo-clicks"] / "a.png"))
    assert (mask[20, 48], mask[20, 5]) == (1, 0)
    (note,) = label_notes(["pseudo-clicks"], [CLICK_LABELS], plan, made)
    assert "nobody clicked on the ground" in note
    (tree / "clicks.json").unlink()
    assert "pseudo labels from clicks" not in chosen_rows(table, (), plan)


def test_strokes_of_a_part_are_simulated_or_clicked(tree, tmp_path):
    simulated = part_samples(tree, SIMULATED, tmp_path / "out", 1)
    (sample,) = simulated.samples
    assert simulated.remarks == ("voc-simulated: 1 of 2 images of the part",)
    loaded = load_sample(sample)
    known = loaded.strokes != 255
    assert 0 < known.mean() < 0.5
    np.testing.assert_array_equal(loaded.strokes[known], loaded.truth[known])
    before = sample.strokes.stat().st_mtime_ns
    part_samples(tree, SIMULATED, tmp_path / "out", 1)
    assert sample.strokes.stat().st_mtime_ns == before
    (first, _) = part_samples(tree, CLICKS, tmp_path / "out", None).samples
    strokes = load_sample(first).strokes
    assert (strokes == 1).sum() == 81  # one disc, and no simulated stroke of the class
    assert (strokes == 0).any()
