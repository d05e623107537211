import json

import numpy as np
import pytest
from PIL import Image

from benchmarks.suites import first_mask
from benchmarks.suites.first_mask import Line


@pytest.fixture
def objects(tmp_path):
    """Two photographs of one bright block."""
    truth = np.zeros((64, 96), bool)
    truth[20:44, 30:66] = True
    for part in ("images", "masks"):
        (tmp_path / "objects" / part).mkdir(parents=True)
    for stem in "ab":
        image = np.where(truth[..., None], 200, 40).astype(np.uint8).repeat(3, 2)
        Image.fromarray(image).save(tmp_path / "objects/images" / f"{stem}.jpg", quality=95)
        Image.fromarray(truth).save(tmp_path / "objects/masks" / f"{stem}.png")
    return tmp_path


def test_every_choice_of_ground_is_scored(objects, capsys):
    arguments = [str(objects), "--skip", "1", "--out", str(objects / "out")]
    assert first_mask.main(arguments) == 0
    assert "shipped" in capsys.readouterr().out
    (found,) = (objects / "out").glob("*/first_mask.json")
    table = json.loads(found.read_text())["table"]
    assert [line["ground"] for line in table] == list(first_mask.GROUNDS)
    assert {line["image"] for line in table} == {"b"}
    assert table[-1]["iou"] > 0.95
    assert table[-1]["on_object"] == 0


def test_the_summary_counts_bad_and_good_masks():
    lines = [Line("a", "x", 0.4, 0.1), Line("b", "x", 0.9, 0.3)]
    assert "0.650   0.650       0.50       0.50            0.200" in first_mask.summary(lines)


def test_a_folder_without_masks_is_named(tmp_path):
    assert first_mask.main([str(tmp_path)]) == 1
