"""`saccade segment` with strokes of one class: a mask of two, and a remark."""

import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from saccade.cli.app import app
from saccade.cli.outputs import MASK_SUFFIXES
from saccade.formats.masks import read_mask
from tests.cli.conftest import SHAPE


def segment(*arguments):
    """The verb with the segmenter itself."""
    words = ["segment", *(str(a) for a in arguments)]
    return CliRunner().invoke(app, words, catch_exceptions=False)


def draw(path, value, unlabeled=255):
    labels = np.full(SHAPE, unlabeled, dtype=np.uint8)
    labels[3:5, 3:9] = value
    Image.fromarray(labels).save(path)
    return labels == value


@pytest.fixture
def pair(pair):
    """With a thing where the strokes are: of noise everything may be the class that is stroked."""
    image = np.array(Image.open(pair[0])) // 4
    image[1:7, 2:11] += 150
    Image.fromarray(image).save(pair[0])
    return pair


@pytest.mark.parametrize("fmt", MASK_SUFFIXES)
@pytest.mark.parametrize(("value", "ground"), [(1, 0), (0, 1), (7, 0)])
def test_one_class_in_every_format(pair, tmp_path, fmt, value, ground):
    stroked = draw(pair[1], value)
    out = tmp_path / "out"
    result = segment(*pair, "-o", out, "--format", fmt, "--no-overlay")
    assert result.exit_code == 0, result.output
    lines = [line for line in result.stderr.splitlines() if "provisional" in line]
    assert len(lines) == 1
    assert f"only class {value} has strokes; class {ground}, everything else," in lines[0]
    mask = read_mask(out / f"photo{MASK_SUFFIXES[fmt]}", fmt)
    assert (mask[stroked] == value).all()
    assert set(np.unique(mask)) == {value, ground}


def test_0_that_covers_most_is_the_ground(pair, tmp_path):
    draw(pair[1], 1, unlabeled=0)
    result = segment(*pair, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "0 = unlabelled" in result.stderr
    assert "class 0, everything else, is provisional" in result.stderr


@pytest.mark.parametrize("names", [("ground", "thing"), ("ground", "thing", "other")])
@pytest.mark.parametrize("fmt", MASK_SUFFIXES)
def test_named_classes(pair, tmp_path, names, fmt):
    draw(pair[1], 1)
    (tmp_path / "names.txt").write_text("\n".join(names))
    options = ("--classes", tmp_path / "names.txt", "--format", fmt)
    result = segment(*pair, "-o", tmp_path / "out", *options)
    assert result.exit_code == 0, result.output
    assert set(np.unique(read_mask(tmp_path / "out" / f"photo{MASK_SUFFIXES[fmt]}", fmt))) == {0, 1}


def test_one_name_alone_is_enough(pair, tmp_path):
    draw(pair[1], 0)
    (tmp_path / "names.txt").write_text("thing")
    for fmt in MASK_SUFFIXES:
        options = ("--classes", tmp_path / "names.txt", "--format", fmt)
        result = segment(*pair, "-o", tmp_path / fmt, *options)
        assert result.exit_code == 0, result.output


def test_one_label_of_labelme(pair, tmp_path):
    shape = {"label": "cat", "points": [[3, 3], [9, 4]], "shape_type": "line"}
    height, width = SHAPE
    document = {"shapes": [shape], "imageHeight": height, "imageWidth": width}
    strokes = tmp_path / "drawn.json"
    strokes.write_text(json.dumps(document))
    for fmt in MASK_SUFFIXES:
        result = segment(pair[0], strokes, "-o", tmp_path / fmt, "--format", fmt)
        assert result.exit_code == 0, result.output
        assert "class 1, everything else, is provisional" in result.stderr


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_folder_counts_them(folders, tmp_path, jobs):
    for stem in "ab":
        draw(folders[1] / f"{stem}.png", 1)
    result = segment(*folders, "-o", tmp_path / "out", "--jobs", jobs)
    assert result.exit_code == 0, result.output
    lines = [line for line in result.stderr.splitlines() if "provisional" in line]
    first, count = (line.split(":")[0] for line in lines)
    assert first in ("a.png", "b.png")  # of two processes the quicker one
    assert count == "2 files"
