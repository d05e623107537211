import numpy as np
import pytest

from saccade.interactive import history as module
from saccade.interactive.segmenter import ScribbleSegmenter


@pytest.fixture
def image():
    rgb = np.full((64, 96, 3), 40, np.uint8)
    rgb[20:44, 30:66] = 200
    return rgb


def _strokes(*lines):
    strokes = np.full((64, 96), 255, np.uint8)
    for value, row, left, right in lines:
        strokes[row, left:right] = value
    return strokes


FIRST = (1, 32, 40, 56), (0, 5, 10, 80)
MORE = (*FIRST, (0, 60, 10, 80))


def test_strokes_taken_back_give_the_mask_of_before(image):
    segmenter = ScribbleSegmenter().fit(image, _strokes(*FIRST))
    before = segmenter.result
    segmenter.update(_strokes(*MORE))
    assert segmenter.result is not before
    assert segmenter.update(_strokes(*FIRST)).result is before


def test_the_same_strokes_give_the_same_mask_at_once(image):
    segmenter = ScribbleSegmenter().fit(image, _strokes(*MORE))
    result = segmenter.result
    assert segmenter.update(_strokes(*MORE)).result is result


def test_added_strokes_correct_the_latest_mask_without_them(image):
    segmenter = ScribbleSegmenter().fit(image, _strokes(*FIRST))
    segmenter.update(_strokes(*MORE))
    seen = segmenter._history
    index = np.full((64, 96), 2)
    index[32, 40:56], index[5, 10:80], index[60, 10:80], index[50, 70:80] = 1, 0, 0, 0
    assert seen.corrected((0, 1), index) is segmenter._last
    index[60, 10:80] = 2  # one of its strokes is gone
    assert seen.corrected((0, 1), index) is list(seen)[1]
    index[32, 40:56] = 2
    assert seen.corrected((0, 1), index) is None
    assert seen.corrected((0, 1, 2), index) is None


def test_another_image_has_no_history(image):
    segmenter = ScribbleSegmenter().fit(image, _strokes(*FIRST))
    first = segmenter.result
    assert segmenter.fit(image, _strokes(*FIRST)).result is not first
    segmenter.prepare(image)
    assert len(segmenter._history) == 0


def test_old_masks_are_forgotten(image, monkeypatch):
    segmenter = ScribbleSegmenter().fit(image, _strokes(*FIRST))
    first = segmenter.result
    size = first.probabilities.nbytes + first.labels.nbytes + first.uncertainty.nbytes
    monkeypatch.setattr(module, "_MOST_BYTES", 2 * size)
    segmenter.update(_strokes(*MORE))
    assert len(segmenter._history) == 2
    segmenter.update(_strokes(*MORE, (1, 30, 40, 56)))
    assert len(segmenter._history) == 2
    assert all(one.result is not first for one in segmenter._history)
    monkeypatch.setattr(module, "_MOST_BYTES", 1)
    segmenter.update(_strokes(*MORE, (1, 34, 40, 56)))
    assert len(segmenter._history) == 1  # the mask that is there stays
