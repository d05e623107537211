"""The suite on slides: what is made, and that a run is measured."""

import json

import numpy as np
import pytest
import tifffile
from PIL import Image

from benchmarks.suites.slides import main, make_slide


@pytest.fixture
def root(tmp_path):
    """Two images with a square each, the first with strokes."""
    field = tmp_path / "fields" / "nuclei-tissue"
    for name in ("images", "masks", "scribbles"):
        (field / name).mkdir(parents=True)
    noise = np.random.default_rng(0)
    for stem in ("a", "b"):
        mask = np.zeros((60, 80), np.uint8)
        mask[20:40, 20:50] = 1
        image = noise.normal(60, 5, (60, 80, 3)) + 80 * mask[..., None]
        Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(field / f"images/{stem}.png")
        Image.fromarray(mask).save(field / f"masks/{stem}.png")
    strokes = np.full((60, 80), 255, np.uint8)
    strokes[5, 5:70], strokes[30, 25:45] = 0, 1
    Image.fromarray(strokes).save(field / "scribbles/a.png")
    return tmp_path


def test_a_slide_is_its_images_side_by_side(root):
    truth = make_slide(root, root / "fields" / "nuclei-tissue", 600, 0)
    slide = tifffile.imread(root / "slide.ome.tif")
    strokes = np.asarray(Image.open(root / "strokes.png"))
    assert slide.shape == (600, 600, 3)
    assert truth.shape == strokes.shape == (600, 600)
    assert slide[truth == 1].mean() > slide[truth == 0].mean() + 60
    assert (strokes == 1).sum() == 4 * 20
    assert (truth[strokes != 255] == strokes[strokes != 255]).all()


def test_a_run_is_measured(root, tmp_path):
    command = f"{root} --side 600 --parts whole --out {tmp_path / 'out'}"
    assert main(command.split()) == 0
    [path] = (tmp_path / "out").rglob("slides.json")
    [row] = json.loads(path.read_text("utf-8"))["slides"]
    assert row["megapixels"] == 0.36
    assert row["mean_iou"] > 0.9
    assert 0 < row["peak_mb"] < 6000
