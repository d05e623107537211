"""The suite on images of a kind: what is fitted to, what is scored, and how."""

import json

import numpy as np
import pytest
from PIL import Image

from benchmarks.suites.kinds.__main__ import main
from benchmarks.suites.kinds.data import load_kind
from benchmarks.suites.kinds.methods import METHODS
from saccade.errors import InputError
from tests.interactive.test_shared import picture, strokes_on


def roads(folder, monkeypatch, *, images, stroked):
    """A kind that the weights have not seen, some of its images with strokes."""
    (folder / "bundled.json").write_text('{"data": [], "without": []}', "utf-8")
    monkeypatch.setattr("benchmarks.suites.kinds.data.files", lambda package: folder)
    inside = folder / "fields" / "roads"
    for name in ("images", "masks", "scribbles"):
        (inside / name).mkdir(parents=True)
    for seed in range(images):
        rgb, truth = picture(seed)
        Image.fromarray(rgb).save(inside / "images" / f"{seed}.png")
        Image.fromarray(truth.astype(np.uint8)).save(inside / "masks" / f"{seed}.png")
        if seed in stroked:
            strokes = strokes_on(truth)
            strokes[strokes == 2] = 255
            Image.fromarray(strokes.astype(np.uint8)).save(inside / "scribbles" / f"{seed}.png")
    return folder


@pytest.fixture
def root(tmp_path, monkeypatch):
    return roads(tmp_path, monkeypatch, images=5, stroked=(1, 3))


def test_images_with_strokes_are_fitted_to_and_the_others_scored(root):
    kind = load_kind(root, "roads")
    assert [one.stem for one in kind.stroked] == ["1", "3"]
    assert [one.stem for one in kind.scored] == ["0", "2", "4"]
    assert kind.stroked[0].strokes is not None


def test_images_that_the_weights_have_seen_are_not_scored(root, tmp_path):
    known = {"data": [{"set": "roads"}], "without": ["0", "1", "3", "4"]}
    (tmp_path / "bundled.json").write_text(json.dumps(known), "utf-8")
    assert [one.stem for one in load_kind(root, "roads").scored] == ["0", "4"]


def test_a_kind_without_images_is_said(root):
    with pytest.raises(InputError, match="no such folder"):
        load_kind(root, "vessels")


@pytest.mark.parametrize("method", ["saccade:fast", "forest", "boosting", "one-by-one"])
def test_every_method_gives_classes_of_the_right_shape(root, method):
    kind = load_kind(root, "roads")
    labels = METHODS[method](kind.stroked, 0)(kind.scored[0])
    assert labels.shape == kind.scored[0].truth.shape
    assert set(np.unique(labels)) <= {0, 1}
    if method in ("forest", "boosting"):
        assert (labels == kind.scored[0].truth).mean() > 0.8


def test_the_result_file_has_paired_differences(root, tmp_path):
    words = ["--kinds", "roads", "--methods", "forest,boosting", "--stroked", "1,2"]
    assert main([str(root), *words, "--out", str(tmp_path / "out")]) == 0
    [path] = (tmp_path / "out").rglob("kinds.json")
    table = json.loads(path.read_text())["table"]
    assert [(row["method"], row["stroked"]) for row in table] == [
        ("forest", 1),
        ("boosting", 1),
        ("forest", 2),
        ("boosting", 2),
    ]
    for first, other in (table[:2], table[2:]):
        assert first["difference"] == 0
        assert other["difference"] == pytest.approx(other["miou"] - first["miou"])
        assert other["images"] == 3
