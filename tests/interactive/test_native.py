"""Hypothesis: tiling must not change the segmentation.

A picture repeated with its strokes keeps its mask up to two points of IoU, and no seams show where
windows meet; what has no more to show from near is worked on at once.
"""

import numpy as np
import pytest
from PIL import Image

from benchmarks.harness.repeated_objects import repeated_objects
from saccade.errors import InputError
from saccade.images import read_any
from saccade.interactive import ScribbleSegmenter, segment
from saccade.interactive.blending import Blend
from saccade.interactive.native import segment_at_scale
from saccade.interactive.pipeline import segment_prepared
from saccade.interactive.places import places_of
from saccade.interactive.prepared import prepare_image
from saccade.interactive.presets import preset_named
from saccade.interactive.run import Run
from saccade.interactive.scale import AT_ONCE, Scale, scale_of, windows_of

FAST = preset_named("fast")
TOLERANCE = 0.02


@pytest.fixture(scope="module")
def cells():
    return repeated_objects()[1]


@pytest.fixture(scope="module")
def field(cells):
    """The picture 4 x 4 times, with its strokes."""
    return tuple(repeated(one, 4) for one in (cells.image, cells.strokes, cells.truth))


@pytest.fixture(scope="module")
def segmented(field):
    return ScribbleSegmenter("fast").fit(field[0], field[1])


def repeated(values, count):
    return np.tile(values, (count, count) + (1,) * (values.ndim - 2))


def iou(labels, truth):
    found = [
        ((labels == c) & (truth == c)).sum() / ((labels == c) | (truth == c)).sum() for c in (0, 1)
    ]
    return float(np.mean(found))


def scale(image, strokes, *, objects=True):
    """The scale of strokes of two classes, 255 where nobody drew."""
    index = np.where(strokes == 255, 2, strokes).astype(np.int64)
    prepared = prepare_image(image, max_pixels=FAST.max_pixels)
    return scale_of(prepared, places_of(index, 2, 2), {0, 1}, objects=objects)


def test_a_picture_that_is_repeated_keeps_its_score(cells, field, segmented):
    alone = iou(segment(cells.image, cells.strokes).labels, cells.truth)
    assert alone > 0.95
    assert iou(segmented.predict(), field[2]) > alone - TOLERANCE
    assert any("4 x 4 windows" in remark for remark in segmented.result.remarks)


def test_so_does_one_of_two_by_two(cells):
    image, strokes, truth = (repeated(one, 2) for one in (cells.image, cells.strokes, cells.truth))
    alone = iou(segment(cells.image, cells.strokes).labels, cells.truth)
    assert iou(segment(image, strokes).labels, truth) > alone - TOLERANCE


def test_no_seam_shows_where_windows_meet(field, segmented):
    """Probabilities step no more across a border of windows than across lines beside it."""
    p, truth = segmented.predict_proba()[1], field[2]
    height = len(truth)
    flat = (np.diff(truth, axis=0, append=truth[-1:]) == 0)[:-1]
    steps = np.abs(np.diff(p, axis=0))
    mean = np.array([row[same].mean() for row, same in zip(steps, flat, strict=True)])
    margin = round(0.05 * height / 2)
    seams = mean[height // 2 - margin - 1 : height // 2 + margin + 1]
    assert seams.max() <= np.quantile(mean, 0.999) + 0.005


def test_an_update_corrects_windows(field, segmented):
    before = segmented.predict().copy()
    wrong = np.argwhere((before != field[2]) & (field[1] == 255))
    y, x = wrong[len(wrong) // 2]
    strokes = field[1].copy()
    strokes[y, x] = field[2][y, x]
    after = segmented.update(strokes).predict()
    assert after[y, x] == field[2][y, x]
    assert (after != before).mean() < 0.02
    assert np.array_equal(segmented.update(field[1]).predict(), before)  # the stroke taken back


def test_an_enlarged_photograph_is_worked_on_at_once(cells):
    size = 8 * cells.image.shape[1], 8 * cells.image.shape[0]
    image = np.asarray(Image.fromarray(cells.image).resize(size, Image.Resampling.BILINEAR))
    y, x = np.mgrid[: size[1], : size[0]]
    strokes = np.full((size[1], size[0]), 255, np.uint8)
    strokes[(y % 100 < 3) & (x % 100 < 50)], strokes[(y % 100 > 60) & (y % 100 < 64)] = 0, 1
    noise = np.random.default_rng(0).integers(0, 255, image.shape, np.uint8)
    assert scale(noise, strokes).views > 1  # the strokes are all over
    blurred = np.asarray(Image.fromarray(noise[::48, ::48]).resize(size, Image.Resampling.BILINEAR))
    assert scale(blurred, strokes) == AT_ONCE


def test_strokes_in_one_place_are_seen_with_all_of_the_image(field):
    strokes = np.full(field[1].shape, 255, np.uint8)
    strokes[:360, :480] = field[1][:360, :480]
    assert scale(field[0], strokes) == AT_ONCE


def test_a_photograph_of_the_usual_size_is_worked_on_at_once(cells):
    assert scale(cells.image, cells.strokes) == AT_ONCE


def test_more_classes_need_windows_later(field):
    assert scale(field[0], field[1], objects=False) == Scale(2, 1)


def test_three_classes_are_found_in_windows(field):
    image, strokes, truth = (one.copy() for one in field)
    image[:, 960:][truth[:, 960:] == 1] = (40, 60, 160)
    third = strokes[:, 960:] == 1
    strokes[:, 960:][third] = 2
    truth[:, 960:][truth[:, 960:] == 1] = 2
    found = segment(image, strokes)
    assert any("2 x 2 windows" in remark for remark in found.remarks)
    index = np.where(strokes == 255, 3, strokes).astype(np.int64)
    prepared = prepare_image(image, max_pixels=FAST.max_pixels)
    at_once = segment_prepared(prepared, index, (0, 1, 2), FAST).result.labels
    assert (found.labels == truth).mean() > 0.9
    assert (found.labels == truth).mean() > (at_once == truth).mean()


def test_channels_that_are_no_colors_are_those_of_the_whole_image(field):
    values = np.random.default_rng(0).normal(1000, 40, (*field[2].shape, 5))
    values[field[2] == 1, 3] += 300
    read = read_any(np.rint(values).astype(np.uint16))
    prepared = prepare_image(read.pixels, components=read.components, max_pixels=FAST.max_pixels)
    box = windows_of(prepared.size, 2)[3].box
    part = prepared.part(box, box.area, None)
    np.testing.assert_array_equal(
        part.components.permute(1, 2, 0).numpy(), read.components[box.slices]
    )


def test_a_window_without_one_class_grows_until_it_has_both(field):
    image, strokes = field[0], field[1].copy()
    strokes[:720, :960][strokes[:720, :960] == 1] = 255  # a quarter has ground alone
    index = np.where(strokes == 255, 2, strokes).astype(np.int64)
    prepared = prepare_image(image, max_pixels=FAST.max_pixels)
    assert scale_of(prepared, places_of(index, 2, 2), {0, 1}, objects=True).windows == 2
    fitted = segment_at_scale(prepared, index, (0, 1), FAST)
    assert iou(fitted.result.labels, field[2]) > 0.9


def test_a_cancelled_update_keeps_the_mask_and_a_cancelled_fit_has_one(field, segmented):
    told = []
    before = segmented.predict().copy()
    strokes = field[1].copy()
    strokes[2, 2] = 0
    segmented.update(strokes, progress=lambda done, stage: told.append(stage), cancel=lambda: True)
    assert np.array_equal(segmented.predict(), before)
    assert "objects" in told
    cancelled = ScribbleSegmenter("fast").fit(field[0], field[1], cancel=lambda: True)
    assert cancelled.predict().shape == field[2].shape


def test_progress_rises_and_previews_become_the_mask(field, segmented):
    done, shown = [], []
    run = Run(lambda fraction, stage: done.append(fraction), None, lambda one: shown.append(one))
    index = np.where(field[1] == 255, 2, field[1]).astype(np.int64)
    prepared = prepare_image(field[0], max_pixels=FAST.max_pixels)
    fitted = segment_at_scale(prepared, index, (0, 1), FAST, run=run)
    assert done == sorted(done)
    assert len(shown) == 5  # of the network, and after each window
    right = [(one == fitted.result.labels).mean() for one in shown]
    assert right[-1] > 0.99
    assert right[-1] >= right[0]
    segmented.update(field[1])
    assert np.array_equal(fitted.result.labels, segmented.predict())


def test_windows_that_say_the_same_join_to_it():
    blend, maps = Blend(2, (50, 70)), np.random.default_rng(0).random((2, 50, 70), np.float32)
    for window in windows_of((50, 70), 3):
        blend.add(maps[:, *window.box.slices], window.box.slices, window.core.slices)
    np.testing.assert_allclose(blend.mean(), maps, rtol=1e-5)


def test_errors_are_found_before_long_work(field):
    with pytest.raises(InputError):
        segment(field[0], field[1][:-1])
