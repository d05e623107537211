"""Strokes of one class alone: everything else is provisional ground."""

import numpy as np
import pytest
import torch

from saccade import ScribbleSegmenter, segment
from saccade.interactive.inputs import encode_strokes, ground_class
from saccade.interactive.prepared import prepare_image
from saccade.interactive.presets import PaperFitSettings
from saccade.interactive.provisional import provisional_ground
from saccade.scribbles.strokes import Strokes
from tests.interactive.helpers import OWN, QUICK, check, equal

PRESETS = pytest.mark.parametrize("preset", list(OWN.values()), ids=list(OWN))


def only(strokes, value):
    return np.where(strokes == value, strokes, 255).astype(strokes.dtype)


def said(result):
    return [line for line in result.remarks if "provisional" in line]


@PRESETS
@pytest.mark.parametrize("value", [0, 1])
def test_one_class_gives_a_mask_of_two(picture, preset, value):
    strokes = only(picture.strokes, value)
    result = segment(picture.image, strokes, preset=preset)
    check(result, strokes, (0, 1))
    assert result.provisional == (1 - value,)
    (line,) = said(result)
    assert f"only class {value} has strokes; class {1 - value}, everything else," in line


@pytest.mark.parametrize("preset", ["fast", "best"])
def test_the_object_is_found_from_one_stroke(picture, preset):
    result = segment(picture.image, only(picture.strokes, 1), preset=preset)
    assert (result.labels == picture.truth).mean() > 0.97


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.uint16, np.int64, np.uint64])
@pytest.mark.parametrize("unlabeled", [0, 9])
def test_every_type_and_unlabeled_value(picture, dtype, unlabeled):
    strokes = np.where(picture.strokes == 1, 1, unlabeled).astype(dtype)
    for result in (
        segment(picture.image, strokes, preset=QUICK),  # by what covers most of the image
        segment(picture.image, strokes, preset=QUICK, unlabeled=unlabeled),
        segment(picture.image, Strokes(strokes.astype(np.int32), unlabeled), preset=QUICK),
    ):
        assert (result.classes, result.provisional) == ((0, 1), (0,))
        assert set(np.unique(result.labels)) == {0, 1}


@pytest.mark.parametrize(
    ("stroked", "classes", "found", "ground"),
    [
        (7, None, (0, 7), 0),
        (0, None, (0, 1), 1),
        (65_535, None, (0, 65_535), 0),
        (7, [7], (0, 7), 0),
        (7, [3, 7], (3, 7), 3),
        (7, [7, 9], (7, 9), 9),
        (0, [0, 4, 9], (0, 4, 9), 4),
        (4, [0, 4, 9], (0, 4, 9), 0),
        (4, [2, 4, 9], (2, 4, 9), 2),
    ],
)
def test_which_class_is_the_ground(picture, stroked, classes, found, ground):
    strokes = np.where(picture.strokes == 1, stroked, 70_000)
    given = {"unlabeled": 70_000, "classes": classes}
    assert encode_strokes(strokes, strokes.shape, **given)[0] == found
    assert ground_class(stroked, classes or [stroked]) == ground
    result = segment(picture.image, strokes, preset=QUICK, **given)
    assert (result.classes, result.provisional) == (found, (ground,))
    assert set(np.unique(result.labels)) == {stroked, ground}


def test_two_classes_have_nothing_provisional(picture):
    for classes in (None, [0, 1, 2]):
        result = segment(picture.image, picture.strokes, preset=QUICK, classes=classes)
        assert result.provisional == ()
        assert not said(result)


@PRESETS
def test_the_second_class_takes_the_place_of_the_provisional_one(picture, preset):
    segmenter = ScribbleSegmenter(preset).fit(picture.image, only(picture.strokes, 1))
    first = segmenter.result
    segmenter.update(picture.strokes)
    both = segment(picture.image, picture.strokes, preset=preset)
    if isinstance(preset.fit, PaperFitSettings):
        assert equal(segmenter.result, both)
    else:  # the first mask is what the second class corrects, and a cue
        assert (segmenter.result.labels == both.labels).mean() > 0.98
    assert segmenter.result.provisional == ()
    assert not said(segmenter.result)
    segmenter.update(only(picture.strokes, 1))  # and back
    assert equal(segmenter.result, first)
    assert segmenter.result.provisional == (0,)
    segmenter.update(only(picture.strokes, 0))
    alone = segment(picture.image, only(picture.strokes, 0), preset=preset)
    assert equal(segmenter.result, alone)


@PRESETS
def test_a_prepared_image_begins_with_one_class(picture, preset):
    segmenter = ScribbleSegmenter(preset).prepare(picture.image)
    result = segmenter.update(only(picture.strokes, 1)).result
    assert equal(result, segment(picture.image, only(picture.strokes, 1), preset=preset))


@PRESETS
def test_suggestions_may_lie_on_what_was_assumed_but_not_on_strokes(picture, preset):
    strokes = only(picture.strokes, 1)
    segmenter = ScribbleSegmenter(preset).fit(picture.image, strokes)
    places = segmenter.suggest(5)
    assert places
    for place in places:
        assert strokes[place.row, place.column] == 255


@PRESETS
@pytest.mark.parametrize("left", [0, 1, 5])
def test_an_image_full_of_one_class(picture, preset, left):
    labels = np.ones(picture.strokes.shape, np.int32)
    labels.flat[:left] = 255
    result = segment(picture.image, Strokes(labels, 255), preset=preset)
    check(result, labels, (0, 1))
    assert result.provisional == (0,)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (2, 3), (64, 5), (33, 47)])
def test_tiny_and_odd_images(size):
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    strokes = np.full(size, 255)
    strokes[0, 0] = 1
    for preset in OWN.values():
        result = segment(image, Strokes(strokes.astype(np.int32), 255), preset=preset)
        check(result, strokes, (0, 1))


def test_provisional_ground_is_never_on_strokes(picture):
    image = prepare_image(picture.image)
    for drawn in (
        torch.zeros(image.half_size, dtype=bool),
        torch.ones(image.half_size, dtype=bool),
    ):
        drawn[:5, :7] = True
        found = provisional_ground(image, drawn)
        assert found.shape == drawn.shape
        assert found.dtype == torch.bool
        assert not (found & drawn).any()
        assert bool(found.any()) == (not drawn.all())


def test_an_object_at_the_border_keeps_its_part_of_it():
    rng = np.random.default_rng(0)
    image = rng.integers(30, 50, (80, 120, 3), dtype=np.uint8)
    image[30:, 40:80] += 150  # down to the lower border
    truth = np.zeros((80, 120), bool)
    truth[30:, 40:80] = True
    strokes = np.full((80, 120), 255, np.uint8)
    strokes[45:50, 55:60] = 1
    found = segment(image, strokes).labels == 1
    assert (found & truth).sum() / (found | truth).sum() > 0.95
    assert found[-1, 45:75].all()
