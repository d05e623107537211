"""The strokes that come with Saccade: read without help, lie on the right things, stay as drawn."""

import numpy as np
import pytest
from skimage import data

from examples import draw_strokes
from saccade.formats.masks import read_mask
from saccade.scribbles.readers import read_strokes

NAMES = tuple(draw_strokes.STROKES)


@pytest.mark.parametrize("name", NAMES)
def test_strokes_fit_their_photograph(examples, name):
    shape = getattr(data, name)().shape[:2]
    strokes = read_strokes(examples / f"{name}_strokes.png", shape=shape)
    assert strokes.unlabeled == 255
    assert strokes.classes == tuple(range(len(draw_strokes.STROKES[name])))
    assert (strokes.labels == 255).mean() > 0.9


def test_cat_strokes_lie_on_the_cat_and_beside_it(examples):
    strokes = read_strokes(examples / "cat_strokes.png").labels
    truth = read_mask(examples / "cat_truth.png")
    drawn = strokes != 255
    np.testing.assert_array_equal(strokes[drawn], truth[drawn])


def test_labelme_has_the_same_classes_as_the_label_image(examples):
    image = read_strokes(examples / "cat_strokes.png")
    shapes = read_strokes(examples / "cat_strokes.json", width=draw_strokes.WIDTH)
    assert shapes.names == {0: "background", 1: "cat"}
    both = (image.labels != 255) & (shapes.labels != 255)
    assert both.sum() > 0.8 * (image.labels != 255).sum()
    np.testing.assert_array_equal(shapes.labels[both], image.labels[both])


def test_files_are_what_the_script_draws(examples, tmp_path, monkeypatch):
    monkeypatch.setattr(draw_strokes, "HERE", tmp_path)
    draw_strokes.main()
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {p.name for p in examples.iterdir() if p.suffix in (".png", ".json")}
    for name in names:
        if name.endswith(".png"):
            np.testing.assert_array_equal(read_mask(tmp_path / name), read_mask(examples / name))
        else:
            assert (tmp_path / name).read_text() == (examples / name).read_text()
