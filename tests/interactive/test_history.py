import gc
from types import FunctionType, ModuleType

import numpy as np
import pytest
import torch

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
    each = sum(module._buffers(segmenter._last).values())
    monkeypatch.setattr(module, "_MOST_BYTES", int(2.1 * each))
    segmenter.update(_strokes(*MORE))
    assert len(segmenter._history) == 2
    segmenter.update(_strokes(*MORE, (1, 30, 40, 56)))
    assert len(segmenter._history) == 2
    assert all(one.result is not first for one in segmenter._history)
    monkeypatch.setattr(module, "_MOST_BYTES", 1)
    segmenter.update(_strokes(*MORE, (1, 34, 40, 56)))
    assert len(segmenter._history) == 1  # the mask that is there stays


def test_all_that_fits_hold_is_counted(image):
    """Every array and tensor that the collector reaches from the fits, but no weights of others."""
    segmenter = ScribbleSegmenter().fit(image, _strokes(*FIRST))
    segmenter.update(_strokes(*MORE))
    seen, left, found = set(), list(segmenter._history), {}
    while left:
        one = left.pop()
        if id(one) in seen or isinstance(one, type | ModuleType | FunctionType):
            continue
        seen.add(id(one))
        if isinstance(one, torch.Tensor):
            storage = one.untyped_storage()
            found[storage.data_ptr()] = storage.nbytes()
        elif isinstance(one, np.ndarray):
            left += [] if one.base is None else [one.base]
            found |= {one.ctypes.data: one.nbytes} if one.base is None else {}
        else:
            left += gc.get_referents(one)
    assert segmenter.history_nbytes == pytest.approx(sum(found.values()), rel=0.02)


def test_a_cancelled_fit_is_not_remembered(image):
    """Its mask is of the steps done so far; the same strokes again give the whole one."""
    whole = ScribbleSegmenter("paper").fit(image, _strokes(*FIRST)).result
    segmenter = ScribbleSegmenter("paper").fit(image, _strokes(*FIRST), cancel=lambda: True)
    partial = segmenter.result
    assert not np.array_equal(partial.probabilities, whole.probabilities)
    assert segmenter.update(_strokes(*FIRST)).result is not partial


def test_remarks_are_of_the_strokes_as_they_were_given_last(image):
    strokes = _strokes(*FIRST)
    labels = np.where(strokes == 255, 0, strokes + 1)  # 0 covers most: nobody drew there
    segmenter = ScribbleSegmenter().fit(image, labels)
    assert "0 = unlabelled" in segmenter.result.remarks[0]
    given = np.where(strokes == 255, 255, strokes + 1)
    assert not segmenter.update(given).result.remarks
    assert "0 = unlabelled" in segmenter.update(labels).result.remarks[0]
