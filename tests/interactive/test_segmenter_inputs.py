"""Images and strokes of every kind are segmented."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from saccade.interactive import ScribbleSegmenter, preset_named, segment
from saccade.scribbles.strokes import Strokes
from tests.interactive.helpers import OWN, QUICK, check, equal, tiny


@pytest.mark.parametrize("preset", OWN)
def test_labels_keep_the_strokes_values_with_gaps(picture, preset):
    strokes = np.where(picture.strokes == 255, 0, np.where(picture.strokes == 1, 7, 3))
    result = segment(picture.image, strokes, preset=OWN[preset], unlabeled=0)
    check(result, strokes, (3, 7), unlabeled=0)
    assert set(np.unique(result.labels)) <= {3, 7}


@pytest.mark.parametrize("preset", OWN)
def test_a_class_without_a_stroke_gets_no_pixel(picture, preset):
    result = segment(picture.image, picture.strokes, preset=OWN[preset], classes=[0, 1, 4])
    check(result, picture.strokes, (0, 1, 4))
    assert not (result.labels == 4).any()
    assert result.probabilities[2].max() < 0.05


@pytest.mark.parametrize("preset", OWN)
def test_six_classes_are_segmented(preset):
    image = np.zeros((30, 60, 3), np.uint8)
    strokes = np.full((30, 60), 255, np.uint8)
    for k in range(6):
        image[:, 10 * k : 10 * k + 10] = np.random.default_rng(k).integers(0, 256, 3)
        strokes[10:20, 10 * k + 4 : 10 * k + 6] = k
    check(segment(image, strokes, preset=OWN[preset]), strokes, tuple(range(6)))


def _grey(image):
    return image[..., 1]


def _rgba(image):
    return np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])


def _deep(image):
    return image.astype(np.uint16) * 257


def _float(image):
    return image.astype(np.float32) / 255


def _mirrored_view(image):
    return np.ascontiguousarray(image[:, ::-1])[:, ::-1]


def _read_only(image):
    frozen = image.copy()
    frozen.flags.writeable = False
    return frozen


def _pillow(image):
    return Image.fromarray(image)


@pytest.mark.parametrize("kind", [_rgba, _deep, _float, _mirrored_view, _read_only, _pillow])
def test_the_same_image_of_another_kind_gives_the_same_mask(picture, kind):
    expected = segment(picture.image, picture.strokes, preset=QUICK)
    found = segment(kind(picture.image), picture.strokes, preset=QUICK)
    assert equal(found, expected)


def test_gray_images_are_segmented(picture):
    result = segment(_grey(picture.image), picture.strokes, preset=QUICK)
    check(result, picture.strokes, (0, 1))


@pytest.mark.parametrize("preset", OWN)
@pytest.mark.parametrize("size", [(1, 3), (3, 1), (5, 3), (1, 40), (63, 65), (65, 71)])
def test_tiny_and_odd_images_are_segmented(size, preset):
    image, strokes = tiny(size)
    segmenter = ScribbleSegmenter(OWN[preset]).fit(image, strokes)
    check(segmenter.result, strokes, (0, 1))
    segmenter.suggest(2)
    check(segmenter.update(strokes).result, strokes, (0, 1))


@pytest.mark.parametrize("preset", OWN)
def test_a_flat_image_is_segmented(preset):
    strokes = tiny((20, 24))[1]
    check(segment(np.full((20, 24), 77, np.uint8), strokes, preset=OWN[preset]), strokes, (0, 1))


def test_an_image_full_of_strokes_is_its_strokes(picture):
    strokes = Strokes(picture.truth.astype(np.int32))
    result = segment(picture.image, strokes, preset=QUICK)
    check(result, picture.truth, (0, 1))
    assert np.array_equal(result.labels, picture.truth)


def test_a_large_image_costs_little_more_memory_than_its_outputs():
    # Bytes of a pixel: outputs 8 + 4 + 4, the image's copy 3, stroke indices 8 and while they are
    # made as much again, the winners' indices 8. What works at the small size is nothing.
    image = np.zeros((2000, 3000, 3), np.uint8)
    image[:, 1400:] = (200, 120, 60)
    strokes = np.full((2000, 3000), 255, np.uint8)
    strokes[900:1100, 200:210] = 0
    strokes[900:1100, 2700:2710] = 1
    preset = replace(preset_named("fast"), max_pixels=40_000, draws=2)
    tracemalloc.start()
    try:
        result = segment(image, strokes, preset=preset)
        peak = tracemalloc.get_traced_memory()[1]  # of NumPy; PyTorch's share is in strips
    finally:
        tracemalloc.stop()
    check(result, strokes, (0, 1))
    assert peak < 50 * 6_000_000


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.int64, np.float32])
def test_what_was_done_to_the_image_is_said_with_the_result(picture, dtype):
    dim = (100 + picture.image.astype(float)).astype(dtype)
    segmenter = ScribbleSegmenter(OWN["learned"]).fit(dim, picture.strokes)
    (line,) = (line for line in segmenter.result.remarks if "stretched to 0..255" in line)
    assert "values 1" in line
    assert line in segmenter.update(picture.strokes).result.remarks
    plain = segmenter.fit(picture.image, picture.strokes).result
    assert not any("stretched" in line for line in plain.remarks)
    assert line in segmenter.prepare(dim).update(picture.strokes).result.remarks
    low, high = int(picture.image.min()), int(picture.image.max())
    stretched = np.rint((picture.image - float(low)) * 255 / (high - low)).astype(np.uint8)
    expected = segment(stretched, picture.strokes, preset=OWN["learned"])
    assert equal(segment(dim, picture.strokes, preset=OWN["learned"]), expected)
