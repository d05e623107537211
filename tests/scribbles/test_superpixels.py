import numpy as np
import pytest

from saccade.errors import InputError
from saccade.scribbles.superpixels import expand_strokes, superpixels

SEGMENTS = np.repeat(np.arange(3), 3)[None].repeat(2, 0)  # three superpixels, 2 x 3 each
NONE = 9


def _strokes(*pixels):
    strokes = np.full((2, 9), NONE)
    for y, x, value in pixels:
        strokes[y, x] = value
    return strokes


@pytest.mark.parametrize("conflict", ["unlabeled", "majority"])
def test_a_stroke_fills_the_superpixels_it_touches_and_no_other(conflict):
    found = expand_strokes(_strokes((0, 0, 1), (1, 8, 0)), SEGMENTS, 2, conflict=conflict)
    assert found.tolist() == [[1, 1, 1, 2, 2, 2, 0, 0, 0]] * 2


def test_two_classes_in_a_superpixel_leave_it_unlabeled_but_for_the_strokes():
    found = expand_strokes(_strokes((0, 0, 1), (0, 1, 1), (1, 2, 0)), SEGMENTS, 2)
    assert found.tolist() == [[1, 1, 2, 2, 2, 2, 2, 2, 2], [2, 2, 0, 2, 2, 2, 2, 2, 2]]


def test_the_majority_takes_a_superpixel_but_not_the_strokes_of_others():
    strokes = _strokes((0, 0, 1), (0, 1, 1), (1, 2, 0))
    found = expand_strokes(strokes, SEGMENTS, 2, conflict="majority")
    assert found.tolist() == [[1, 1, 1, 2, 2, 2, 2, 2, 2], [1, 1, 0, 2, 2, 2, 2, 2, 2]]


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.uint64, np.int64])
def test_integers_outside_of_the_classes_are_unlabeled(dtype):
    strokes = np.full((2, 9), 255).astype(dtype)
    strokes[0, 0] = 2
    found = expand_strokes(strokes, SEGMENTS, 3)
    assert found.dtype == np.int64
    assert (found == 3).sum() == 12
    assert (found[:, :3] == 2).all()


@pytest.mark.parametrize("conflict", ["unlabeled", "majority"])
def test_strokes_keep_their_class_and_no_class_appears_from_nowhere(conflict):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)
    strokes = np.where(rng.random((40, 50)) < 0.03, rng.integers(0, 4, (40, 50)), 255)
    segments = superpixels(image, pixels_per_segment=50)
    found = expand_strokes(strokes, segments, 4, conflict=conflict)
    assert np.array_equal(found[strokes < 4], strokes[strokes < 4])
    for segment in np.unique(segments):
        drawn = set(strokes[(segments == segment) & (strokes < 4)].tolist())
        assert set(found[segments == segment].tolist()) <= drawn | {4}


def test_an_unknown_rule_is_refused():
    with pytest.raises(InputError, match="majority"):
        expand_strokes(_strokes((0, 0, 1)), SEGMENTS, 2, conflict="coin")


def test_superpixels_are_about_as_large_as_asked_and_follow_edges():
    image = np.full((60, 80, 3), 40, np.uint8)
    image[:, 37:] = (220, 180, 60)
    segments = superpixels(image, pixels_per_segment=100)
    assert segments.shape == (60, 80)
    assert segments.min() == 0
    assert 24 <= len(np.unique(segments)) <= 96
    mixed = [s for s in np.unique(segments) if len(np.unique(image[segments == s][:, 0])) > 1]
    assert not mixed


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (5, 3), (1, 300), (21, 19)])
def test_tiny_images_have_superpixels(size):
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    segments = superpixels(image, pixels_per_segment=40)
    assert segments.shape == size
    assert segments.min() == 0
    assert np.array_equal(np.unique(segments), np.arange(segments.max() + 1))
