"""A small part of VOC: squares, masks, clicks and labels that belong together."""

import json

import numpy as np
import pytest
from PIL import Image

from saccade.data.sets import open_set
from saccade.experiments.gdc.click_labels import read_clicks
from scripts.voc_squares import main


@pytest.fixture
def voc(tmp_path):
    """Four images of 60 x 30 or 30 x 60: class 3 in the middle of three, class 5 at a side."""
    root = tmp_path / "voc"
    for folder in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (root / folder).mkdir(parents=True)
    clicks = {}
    for name, turned in (("a", False), ("b", True), ("c", False), ("d", True)):
        mask = np.zeros((30, 60), np.uint8)
        mask[10:20, 25:35] = 3 * (name != "c")
        mask[:, :10] = 5
        colors = np.stack([20 * mask + 40] * 3, 2).astype(np.uint8)
        points = [{"y": 15, "x": 30, "cls": 3}, {"y": 5, "x": 5, "cls": 5}]
        if turned:
            mask, colors = mask.T, colors.transpose(1, 0, 2)
            points = [{**p, "y": p["x"], "x": p["y"]} for p in points]
        Image.fromarray(colors).save(root / "JPEGImages" / f"{name}.jpg", quality=95)
        Image.fromarray(mask).save(root / "SegmentationClass" / f"{name}.png")
        clicks[name] = points
    (root / "ImageSets/Segmentation/train.txt").write_text("a\nb\nc\n")
    (root / "ImageSets/Segmentation/val.txt").write_text("d\n")
    (root / "clicks.json").write_text(json.dumps(clicks))
    return root


def test_the_part_is_read_as_voc(voc, tmp_path, capsys):
    out = tmp_path / "part"
    main([str(voc), str(out), "--side", "15", "--train", "2", "--val", "1"])
    data = open_set("voc", out, "train")
    # "c" has nothing in its square.
    assert [example.name for example in data.examples] == ["a", "b"]
    for index in range(2):
        mask = data.labels(index)
        assert mask.shape == data.image(index).shape[:2] == (15, 15)
        assert np.unique(mask).tolist() == [0, 3]
        assert (mask == 3).sum() == 25
        # Picture and mask show the same: the object is brighter.
        gray = data.image(index)[..., 0]
        assert gray[mask == 3].min() > gray[mask == 0].max()
    clicks = read_clicks(out / "clicks.json", ["a", "b"], 21)
    assert {name: rows.tolist() for name, rows in clicks.items()} == {
        "a": [[7, 7, 3]],
        "b": [[7, 7, 3]],
    }
    labels = (out / "image_labels.csv").read_text().splitlines()
    assert labels == ["a,bird", "b,bird", "d,bird"]
    assert capsys.readouterr().out == "train: 2 of 3 images\nval: 1 of 1 images\n"
