"""One picture in every number of bits, with hot pixels and without data, has one mask."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage import data

import saccade
from saccade.images import read_image

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
STROKES = np.asarray(Image.open(EXAMPLES / "cat_strokes.png"))
TRUTH = np.asarray(Image.open(EXAMPLES / "cat_truth.png"))
DIM = np.asarray(Image.fromarray(data.cat()).convert("L")).astype(np.float64)  # 4 to 194
FULL = np.rint((DIM - DIM.min()) * 255 / np.ptp(DIM))
DEPTHS = {
    "12 in 16 bits": lambda grey: (grey * 16).astype(np.uint16),
    "16 bits": lambda grey: (grey * 257).astype(np.uint16),
    "counts of 100 to 400": lambda grey: np.rint(100 + grey * 300 / 255).astype(np.uint16),
    "int32": lambda grey: (grey * 1000 - 50000).astype(np.int32),
    "float in [0, 1]": lambda grey: (grey / 255).astype(np.float32),
    "float to 4095": lambda grey: (grey * 4095 / 255).astype(np.float32),
    "float with an offset": lambda grey: (grey * 0.37 + 1000).astype(np.float32),
}
EDGE = (slice(None), slice(0, 6))


def segmented(path, values, **options):
    tifffile.imwrite(path / "a.tif", values, **options)
    return saccade.segment(read_image(path / "a.tif").pixels, STROKES).labels


def iou(mask, other):
    shares = [
        ((mask == k) & (other == k)).sum() / ((mask == k) | (other == k)).sum() for k in (0, 1)
    ]
    return np.mean(shares)


@pytest.fixture(scope="module")
def in_8_bits(tmp_path_factory):
    """Masks of the pictures in 8 bits: all of the range used, part of it, and a black edge."""
    folder = tmp_path_factory.mktemp("eight")
    edge = FULL.astype(np.uint8)
    edge[EDGE] = 0
    pictures = {"full": FULL.astype(np.uint8), "dim": DIM.astype(np.uint8), "edge": edge}
    return {name: segmented(folder, values) for name, values in pictures.items()}


@pytest.mark.parametrize("depth", DEPTHS)
def test_the_mask_of_the_same_picture(tmp_path, in_8_bits, depth):
    mask = segmented(tmp_path, DEPTHS[depth](FULL))
    assert iou(mask, in_8_bits["full"]) >= 0.99


@pytest.mark.parametrize("depth", DEPTHS)
def test_as_good_where_the_picture_leaves_some_of_its_range_unused(tmp_path, in_8_bits, depth):
    mask = segmented(tmp_path, DEPTHS[depth](DIM))
    assert iou(mask, TRUTH) >= iou(in_8_bits["dim"], TRUTH) - 0.01


@pytest.mark.parametrize("depth", ["12 in 16 bits", "float with an offset", "int32"])
def test_hot_and_dead_pixels(tmp_path, in_8_bits, depth):
    values = DEPTHS[depth](FULL)
    places = np.random.default_rng(0).integers(0, values.size, 40)
    values.ravel()[places[:20]] = 65535 if values.dtype == np.uint16 else 10_000_000
    values.ravel()[places[20:]] = 0 if values.dtype == np.uint16 else -10_000_000
    assert iou(segmented(tmp_path, values), in_8_bits["full"]) >= 0.99


@pytest.mark.parametrize("nodata", [np.nan, 3.4e38, -3.4e38, -9999.0])
def test_no_data(tmp_path, in_8_bits, nodata):
    values = DEPTHS["float with an offset"](FULL)
    values[EDGE] = nodata
    tags = [(42113, "s", 0, str(nodata), True)]
    mask = segmented(tmp_path, values, extratags=tags)
    assert iou(mask, in_8_bits["edge"]) >= 0.99


def test_a_window_overrules_and_is_said(in_8_bits):
    values = DEPTHS["12 in 16 bits"](FULL)
    result = saccade.segment(values, STROKES, window=(0, 4080))
    assert iou(result.labels, in_8_bits["full"]) >= 0.99
    assert "values 0 to 4080 were stretched to 0..255, as you said" in result.remarks
    blind = saccade.segment(values, STROKES, window=(4079, 4080))
    assert iou(blind.labels, in_8_bits["full"]) < 0.9
