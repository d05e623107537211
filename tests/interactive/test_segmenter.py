import threading
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

import saccade
from saccade.errors import InputError
from saccade.interactive import Preset, ScribbleSegmenter, preset_named, segment
from saccade.interactive.presets import (
    LearnedFitSettings,
    NetworkSettings,
    PaperFitSettings,
    PottsSettings,
)

QUICK = Preset(
    fit=LearnedFitSettings(per_class=16, repeats=1), draws=2, refine=PottsSettings(iterations=10)
)
PAPER = Preset(fit=PaperFitSettings(steps=6), draws=2, fusion=False, refine=None)
OWN = {"learned": QUICK, "paper": PAPER}


def _check(result, strokes, classes, unlabeled=255):
    """All that holds for every segmentation."""
    height, width = strokes.shape
    assert result.classes == classes
    assert result.labels.shape == result.uncertainty.shape == (height, width)
    assert result.labels.dtype == np.int32
    assert result.probabilities.shape == (len(classes), height, width)
    assert result.probabilities.dtype == result.uncertainty.dtype == np.float32
    np.testing.assert_allclose(result.probabilities.sum(0), 1, atol=1e-5)
    assert result.probabilities.min() >= 0
    assert 0 <= result.uncertainty.min() <= result.uncertainty.max() <= 1
    winners = np.array(classes)[result.probabilities.argmax(0)]
    assert np.array_equal(result.labels, winners)
    drawn = strokes != unlabeled
    assert np.array_equal(result.labels[drawn], strokes[drawn])
    own = np.array(classes)[:, None] == strokes[drawn].astype(int)
    assert np.array_equal(result.probabilities[:, drawn], own.astype(np.float32))
    assert (result.uncertainty[drawn] == 0).all()


def _equal(first, second):
    return (
        np.array_equal(first.labels, second.labels)
        and np.array_equal(first.probabilities, second.probabilities)
        and np.array_equal(first.uncertainty, second.uncertainty)
    )


def _tiny(size, seed=0):
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
    strokes = np.full(size, 255, np.uint8)
    strokes[0, 0], strokes[-1, -1] = 0, 1
    return image, strokes


def _iou(labels, truth):
    return float(((labels == 1) & (truth == 1)).sum() / ((labels == 1) | (truth == 1)).sum())


@pytest.mark.parametrize("preset", ["fast", "best", "paper"])
def test_every_preset_gives_a_whole_segmentation(picture, preset):
    result = segment(picture.image, picture.strokes, preset=preset)
    _check(result, picture.strokes, (0, 1))
    assert result.timings.keys() >= {"features", "fit", "draw", "refine", "total"}
    stages = [seconds for name, seconds in result.timings.items() if name != "total"]
    assert result.timings["total"] == pytest.approx(sum(stages))
    assert min(stages) > 0


@pytest.mark.usefixtures("trained")
@pytest.mark.parametrize(("preset", "least"), [("fast", 0.9), ("best", 0.9), ("paper", 0.7)])
def test_trained_weights_find_a_disc_of_another_colour(picture, preset, least):
    result = segment(picture.image, picture.strokes, preset=preset)
    assert _iou(result.labels, picture.truth) > least


def test_the_public_face_is_the_same_function(picture):
    ours = saccade.segment(picture.image, picture.strokes, preset=QUICK, seed=3)
    assert _equal(ours, segment(picture.image, picture.strokes, preset=QUICK, seed=3))


@pytest.mark.parametrize("preset", OWN)
def test_the_same_seed_gives_the_same_mask_and_another_seed_another(picture, preset):
    segmenter = ScribbleSegmenter(OWN[preset], seed=5)
    first = segmenter.fit(picture.image, picture.strokes).result
    again = segmenter.fit(picture.image, picture.strokes).result
    fresh = segment(picture.image, picture.strokes, preset=OWN[preset], seed=5)
    other = segment(picture.image, picture.strokes, preset=OWN[preset], seed=6)
    assert _equal(first, again)
    assert _equal(first, fresh)
    assert not _equal(first, other)


def test_an_update_is_what_a_new_fit_would_give(picture):
    more = picture.strokes.copy()
    more[44:46, 50:60] = 0
    updated = ScribbleSegmenter(QUICK).fit(picture.image, picture.strokes).update(more).result
    assert _equal(updated, segment(picture.image, more, preset=QUICK))
    assert updated.timings.keys() == {"superpixels", "fit", "draw", "refine", "total"}


@pytest.mark.parametrize("preset", OWN)
def test_updates_are_deterministic_too(picture, preset):
    more = picture.strokes.copy()
    more[44:46, 50:60] = 0
    results = []
    for _ in range(2):
        segmenter = ScribbleSegmenter(OWN[preset]).fit(picture.image, picture.strokes)
        results.append(segmenter.update(more).update(more).result)
    assert _equal(*results)


@pytest.mark.parametrize("seed", [-1, 2**40, np.int64(7)])
@pytest.mark.parametrize("preset", OWN)
def test_any_integer_is_a_seed(preset, seed):
    image, strokes = _tiny((6, 7))
    _check(segment(image, strokes, preset=OWN[preset], seed=seed), strokes, (0, 1))


@pytest.mark.parametrize("preset", OWN)
def test_global_state_is_left_alone(picture, preset):
    state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
    threads = torch.get_num_threads()
    segmenter = ScribbleSegmenter(OWN[preset]).fit(picture.image, picture.strokes)
    segmenter.update(picture.strokes)
    assert torch.equal(torch.get_rng_state(), state)
    assert np.array_equal(np.random.get_state()[1], numpy_state)
    assert torch.get_num_threads() == threads
    assert torch.is_grad_enabled()


def test_what_the_global_generator_holds_does_not_matter(picture):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        first = segment(picture.image, picture.strokes, preset=PAPER)
        torch.manual_seed(2)
        second = segment(picture.image, picture.strokes, preset=PAPER)
    assert _equal(first, second)


@pytest.mark.parametrize("preset", OWN)
def test_labels_keep_the_strokes_values_with_gaps(picture, preset):
    strokes = np.where(picture.strokes == 255, 0, np.where(picture.strokes == 1, 7, 3))
    result = segment(picture.image, strokes, preset=OWN[preset], unlabeled=0)
    _check(result, strokes, (3, 7), unlabeled=0)
    assert set(np.unique(result.labels)) <= {3, 7}


@pytest.mark.parametrize("preset", OWN)
def test_a_class_without_a_stroke_is_known_but_nowhere(picture, preset):
    result = segment(picture.image, picture.strokes, preset=OWN[preset], classes=[0, 1, 4])
    _check(result, picture.strokes, (0, 1, 4))
    assert not (result.labels == 4).any()
    assert result.probabilities[2].max() < 0.05


@pytest.mark.parametrize("preset", OWN)
def test_many_classes(preset):
    image = np.zeros((30, 60, 3), np.uint8)
    strokes = np.full((30, 60), 255, np.uint8)
    for k in range(6):
        image[:, 10 * k : 10 * k + 10] = np.random.default_rng(k).integers(0, 256, 3)
        strokes[10:20, 10 * k + 4 : 10 * k + 6] = k
    _check(segment(image, strokes, preset=OWN[preset]), strokes, tuple(range(6)))


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
    assert _equal(found, expected)


def test_grey_images_are_segmented(picture):
    result = segment(_grey(picture.image), picture.strokes, preset=QUICK)
    _check(result, picture.strokes, (0, 1))


@pytest.mark.parametrize("preset", OWN)
@pytest.mark.parametrize("size", [(1, 2), (2, 1), (5, 3), (1, 40), (63, 65), (65, 71)])
def test_tiny_and_odd_images_are_segmented(size, preset):
    image, strokes = _tiny(size)
    segmenter = ScribbleSegmenter(OWN[preset]).fit(image, strokes)
    _check(segmenter.result, strokes, (0, 1))
    segmenter.suggest(2)
    _check(segmenter.update(strokes).result, strokes, (0, 1))


@pytest.mark.parametrize("preset", OWN)
def test_a_flat_image_is_segmented(preset):
    strokes = _tiny((20, 24))[1]
    _check(segment(np.full((20, 24), 77, np.uint8), strokes, preset=OWN[preset]), strokes, (0, 1))


def test_an_image_full_of_strokes_is_its_strokes(picture):
    result = segment(picture.image, picture.truth, preset=QUICK)
    _check(result, picture.truth, (0, 1))
    assert np.array_equal(result.labels, picture.truth)


@pytest.mark.parametrize("preset", OWN)
def test_strokes_may_be_added_and_removed(picture, preset):
    segmenter = ScribbleSegmenter(OWN[preset]).fit(picture.image, picture.strokes)
    more = picture.strokes.copy()
    more[40:44, 52:60] = 0
    assert segmenter.update(more) is segmenter
    _check(segmenter.result, more, (0, 1))
    fewer = picture.strokes.copy()
    fewer[20:40, 5:7] = 255
    _check(segmenter.update(fewer).result, fewer, (0, 1))
    assert "features" not in segmenter.result.timings  # they are not computed again
    assert np.array_equal(segmenter.predict(), segmenter.result.labels)
    assert np.array_equal(segmenter.predict_proba(), segmenter.result.probabilities)


@pytest.mark.parametrize("preset", OWN)
def test_an_update_may_bring_or_take_a_class(picture, preset):
    segmenter = ScribbleSegmenter(OWN[preset]).fit(picture.image, picture.strokes)
    third = picture.strokes.copy()
    third[44:47, 50:64] = 9
    _check(segmenter.update(third).result, third, (0, 1, 9))
    _check(segmenter.update(picture.strokes).result, picture.strokes, (0, 1))
    fresh = segment(picture.image, picture.strokes, preset=OWN[preset])
    assert _equal(segmenter.result, fresh)  # as other classes start anew


def test_an_update_sees_the_image_as_it_was_fitted(picture):
    image = picture.image.copy()
    segmenter = ScribbleSegmenter(QUICK).fit(image, picture.strokes)
    image[:] = 0
    expected = ScribbleSegmenter(QUICK).fit(picture.image, picture.strokes)
    assert _equal(segmenter.update(picture.strokes).result, expected.update(picture.strokes).result)


def test_nothing_is_told_before_a_fit(picture):
    segmenter = ScribbleSegmenter()
    for ask in (
        segmenter.predict,
        segmenter.predict_proba,
        segmenter.suggest,
        lambda: segmenter.result,
        lambda: segmenter.update(picture.strokes),
    ):
        with pytest.raises(InputError, match="fit"):
            ask()


@pytest.mark.parametrize("preset", ["fast", "paper"])
def test_previews_are_whole_masks_that_change_nothing(picture, preset):
    seen = []
    watched = ScribbleSegmenter(preset).fit(picture.image, picture.strokes, preview=seen.append)
    assert seen
    for labels in seen:
        assert labels.shape == picture.truth.shape
        assert labels.dtype == np.int32
        assert set(np.unique(labels)) <= {0, 1}
    assert _equal(
        watched.result, ScribbleSegmenter(preset).fit(picture.image, picture.strokes).result
    )
    if preset == "fast":
        assert (seen[-1] == watched.result.labels).mean() > 0.95


def test_a_cancelled_fit_shows_no_more_previews(picture):
    seen = []
    ScribbleSegmenter("paper").fit(
        picture.image, picture.strokes, cancel=lambda: True, preview=seen.append
    )
    assert not seen


@pytest.mark.parametrize("preset", ["fast", "paper"])
def test_an_update_of_a_prepared_image_is_a_fit(picture, preset):
    prepared = ScribbleSegmenter(preset).prepare(picture.image)
    with pytest.raises(InputError, match="nothing is fitted yet"):
        _ = prepared.result
    prepared.update(picture.strokes)
    assert _equal(
        prepared.result, ScribbleSegmenter(preset).fit(picture.image, picture.strokes).result
    )


def test_preparing_another_image_forgets_the_last_result(picture):
    segmenter = ScribbleSegmenter(QUICK).fit(picture.image, picture.strokes)
    with pytest.raises(InputError, match="shape"):
        segmenter.prepare(np.zeros((2, 2, 2), np.uint8))
    assert segmenter.result.labels.shape == picture.truth.shape
    segmenter.prepare(picture.image[:40])
    with pytest.raises(InputError, match="nothing is fitted yet"):
        segmenter.predict()
    segmenter.update(picture.strokes[:40])
    assert segmenter.predict().shape == (40, 66)


@pytest.mark.parametrize("preset", OWN)
def test_progress_never_falls_and_ends_at_one(picture, preset):
    segmenter = ScribbleSegmenter(OWN[preset])
    for run in (
        lambda tell: segmenter.fit(picture.image, picture.strokes, progress=tell),
        lambda tell: segmenter.update(picture.strokes, progress=tell),
    ):
        told = []
        run(lambda fraction, stage, told=told: told.append((fraction, stage)))
        fractions = [fraction for fraction, _ in told]
        assert fractions == sorted(fractions)
        assert fractions[0] >= 0
        assert fractions[-1] == 1.0
        assert {stage for _, stage in told} >= {"fit", "draw", "refine"}
        assert len(told) > 8


@pytest.mark.parametrize("preset", OWN)
def test_a_fit_cancelled_at_once_gives_a_valid_mask(picture, preset):
    asked = []
    segmenter = ScribbleSegmenter(OWN[preset])
    segmenter.fit(picture.image, picture.strokes, cancel=lambda: asked.append(1) or True)
    _check(segmenter.result, picture.strokes, (0, 1))
    assert len(asked) <= 2  # one step of the fit, one draw


@pytest.mark.parametrize("asked_before", [0, 1, 4])
@pytest.mark.parametrize("preset", OWN)
def test_a_cancelled_update_changes_nothing(picture, preset, asked_before):
    more = picture.strokes.copy()
    more[40:44, 52:60] = 0
    segmenter = ScribbleSegmenter(OWN[preset]).fit(picture.image, picture.strokes)
    before = segmenter.result
    asked = []

    def cancel():
        asked.append(1)
        return len(asked) > asked_before

    segmenter.update(more, cancel=cancel)
    assert segmenter.result is before
    # The fitted network is as it was: the next update is that of one never disturbed.
    calm = ScribbleSegmenter(OWN[preset]).fit(picture.image, picture.strokes)
    assert _equal(segmenter.update(more).result, calm.update(more).result)


@pytest.mark.parametrize("moment", ["features", "fit", "draw", "refine"])
def test_an_error_in_the_middle_keeps_the_last_good_result(picture, moment):
    segmenter = ScribbleSegmenter(QUICK).fit(picture.image, picture.strokes)
    before = segmenter.result

    def fail(_fraction, stage):
        if stage == moment:
            raise KeyboardInterrupt

    image, strokes = _tiny((9, 11))
    with pytest.raises(KeyboardInterrupt):
        segmenter.fit(image, strokes, progress=fail)
    assert segmenter.result is before
    calm = ScribbleSegmenter(QUICK).fit(picture.image, picture.strokes)
    assert _equal(segmenter.update(picture.strokes).result, calm.update(picture.strokes).result)


def test_refused_inputs_keep_the_last_good_result(picture):
    segmenter = ScribbleSegmenter(QUICK).fit(picture.image, picture.strokes)
    before = segmenter.result
    with pytest.raises(InputError, match="empty"):
        segmenter.update(np.full_like(picture.strokes, 255))
    with pytest.raises(InputError, match="shape"):
        segmenter.fit(np.zeros((4, 4, 2), np.uint8), picture.strokes)
    assert segmenter.result is before


@pytest.mark.parametrize("n", [0, 1, 3])
def test_suggestions_lie_in_the_image_away_from_strokes_best_first(n):
    image, strokes = _tiny((60, 90))
    strokes[10:12, 10:40] = 0
    segmenter = ScribbleSegmenter(QUICK).fit(image, strokes)
    found = segmenter.suggest(n)
    assert len(found) == n  # noise leaves every place unsure
    for place in found:
        assert strokes[place.row, place.column] == 255
        top, left, bottom, right = place.box
        assert 0 <= top <= place.row < bottom <= 60
        assert 0 <= left <= place.column < right <= 90
    assert [s.score for s in found] == sorted((s.score for s in found), reverse=True)


@pytest.mark.parametrize(
    "network",
    [
        NetworkSettings(branch="dilated", dilation=3),
        NetworkSettings(branch="normal", norm="batch"),
        NetworkSettings(branch="deformable", norm="group", channels=6),
        NetworkSettings(branch="uniform", features="random", hidden=5),
        NetworkSettings(sigma=0.0),
    ],
)
@pytest.mark.parametrize("average", ["softmax", "logits", "vote"])
def test_presets_of_ones_own(network, average):
    image, strokes = _tiny((12, 17))
    preset = replace(PAPER, network=network, average=average, refine=PottsSettings(iterations=5))
    segmenter = ScribbleSegmenter(preset).fit(image, strokes)
    _check(segmenter.update(strokes).result, strokes, (0, 1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"preset": "slow"}, "preset"),
        ({"device": "abacus"}, "device"),
        ({"classes": [3]}, "not one of"),
        ({"preset": replace(PAPER, network=NetworkSettings(branch="fir"))}, "branch"),
        ({"preset": replace(PAPER, network=NetworkSettings(features="no.pth"))}, "no such file"),
    ],
)
def test_wrong_options_are_refused(picture, options, message):
    with pytest.raises(InputError, match=message):
        segment(picture.image, picture.strokes, **options)


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
    _check(result, strokes, (0, 1))
    assert peak < 50 * 6_000_000


def test_segmenters_in_threads_do_not_disturb_each_other(picture):
    expected = segment(picture.image, picture.strokes, preset=QUICK)
    results = [None] * 3

    def run(i):
        results[i] = segment(picture.image, picture.strokes, preset=QUICK)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(_equal(result, expected) for result in results)
