"""A fit: what it returns, seeds, presets, refused options."""

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch

import saccade
from saccade.errors import InputError
from saccade.interactive import ScribbleSegmenter, segment
from saccade.interactive.presets import NetworkSettings, PottsSettings
from tests.interactive.helpers import OWN, PAPER, QUICK, check, equal, tiny


def _iou(labels, truth):
    return float(((labels == 1) & (truth == 1)).sum() / ((labels == 1) | (truth == 1)).sum())


@pytest.mark.parametrize("preset", ["fast", "best", "paper"])
def test_every_preset_gives_a_whole_segmentation(picture, preset):
    result = segment(picture.image, picture.strokes, preset=preset)
    check(result, picture.strokes, (0, 1))
    assert result.timings.keys() >= {"features", "fit", "draw", "refine", "total"}
    stages = [seconds for name, seconds in result.timings.items() if name != "total"]
    assert result.timings["total"] == pytest.approx(sum(stages))
    assert min(stages) > 0


@pytest.mark.usefixtures("trained")
@pytest.mark.parametrize(("preset", "least"), [("fast", 0.9), ("best", 0.9), ("paper", 0.7)])
def test_trained_weights_segment_a_disc_of_another_color(picture, preset, least):
    result = segment(picture.image, picture.strokes, preset=preset)
    assert _iou(result.labels, picture.truth) > least


def test_the_public_function_is_the_same(picture):
    ours = saccade.segment(picture.image, picture.strokes, preset=QUICK, seed=3)
    assert equal(ours, segment(picture.image, picture.strokes, preset=QUICK, seed=3))


@pytest.mark.parametrize("preset", OWN)
def test_the_same_seed_gives_the_same_mask_and_another_seed_another(picture, preset):
    segmenter = ScribbleSegmenter(OWN[preset], seed=5)
    first = segmenter.fit(picture.image, picture.strokes).result
    again = segmenter.fit(picture.image, picture.strokes).result
    fresh = segment(picture.image, picture.strokes, preset=OWN[preset], seed=5)
    other = segment(picture.image, picture.strokes, preset=OWN[preset], seed=6)
    assert equal(first, again)
    assert equal(first, fresh)
    assert not equal(first, other)


@pytest.mark.parametrize("seed", [-1, 2**40, np.int64(7)])
@pytest.mark.parametrize("preset", OWN)
def test_any_integer_is_a_seed(preset, seed):
    image, strokes = tiny((6, 7))
    check(segment(image, strokes, preset=OWN[preset], seed=seed), strokes, (0, 1))


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
    assert equal(first, second)


def test_refused_inputs_keep_the_last_good_result(picture):
    segmenter = ScribbleSegmenter(QUICK).fit(picture.image, picture.strokes)
    before = segmenter.result
    with pytest.raises(InputError, match="empty"):
        segmenter.update(np.full_like(picture.strokes, 255))
    with pytest.raises(InputError, match="shape"):
        segmenter.fit(np.zeros((2, 4, 4, 3), np.uint8), picture.strokes)
    assert segmenter.result is before


def test_every_question_before_a_fit_is_refused(picture):
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
def test_own_presets_are_segmented_with(network, average):
    image, strokes = tiny((12, 17))
    preset = replace(PAPER, network=network, average=average, refine=PottsSettings(iterations=5))
    segmenter = ScribbleSegmenter(preset).fit(image, strokes)
    check(segmenter.update(strokes).result, strokes, (0, 1))


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
    assert all(equal(result, expected) for result in results)


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
