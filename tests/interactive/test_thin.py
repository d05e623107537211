"""Thin structures: found out by what a partition takes away, and kept."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import ndimage

from saccade.interactive.prepared import prepare_image
from saccade.interactive.presets import preset_named
from saccade.interactive.shared import fit_kind, segment_shared
from saccade.interactive.stroked import prepare_strokes
from saccade.interactive.thin import for_thin, share_kept, with_regression

FAST = preset_named("fast")


def lines(seed):
    """Dark lines two pixels wide, all over a noisy ground."""
    rng = np.random.default_rng(seed)
    truth = np.zeros((160, 220), bool)
    field = ndimage.gaussian_filter(rng.random((160, 220)), 7)
    field = (field - field.mean()) / field.std()
    for level in (-0.8, 0.0, 0.8):
        above = field > level
        truth |= above & ~ndimage.binary_erosion(above)
    rgb = np.where(truth[..., None], 90, 150) + rng.normal(0, 18, (160, 220, 1))
    return np.repeat(rgb.clip(0, 255).astype(np.uint8), 3, 2), truth.astype(int)


def blots(seed):
    rng = np.random.default_rng(seed)
    truth = ndimage.gaussian_filter(rng.random((160, 220)), 9)
    truth = (truth > np.quantile(truth, 0.75)).astype(int)
    rgb = np.where(truth[..., None], 90, 150) + rng.normal(0, 18, (160, 220, 1))
    return np.repeat(rgb.clip(0, 255).astype(np.uint8), 3, 2), truth


def drawn_on(rgb, truth, preset=FAST):
    """Two rows and two columns of the truth as strokes."""
    index = np.full(truth.shape, 2)
    index[::70], index[:, ::90] = truth[::70], truth[:, ::90]
    return prepare_strokes(prepare_image(rgb), index, (0, 1), preset)


def iou(labels, truth):
    return ((labels == 1) & (truth == 1)).sum() / ((labels == 1) | (truth == 1)).sum()


@pytest.fixture(scope="module")
def fits():
    return {f: fit_kind([drawn_on(*f(seed)) for seed in (0, 1)], FAST) for f in (lines, blots)}


def test_lines_are_thin_and_blots_are_not(fits):
    assert fits[lines].thin
    assert not fits[blots].thin


def test_lines_are_not_taken_for_noise(fits):
    rgb, truth = lines(2)
    image = prepare_image(rgb)
    kept = segment_shared(fits[lines], image, FAST).labels
    lost = segment_shared(replace(fits[lines], thin=False), image, FAST).labels
    assert iou(kept, truth) > iou(lost, truth) + 0.05


def test_without_a_partition_nothing_is_looked_for():
    assert not fit_kind([drawn_on(*lines(0))], replace(FAST, refine=None)).thin
    assert for_thin(replace(FAST, refine=None)).refine is None


def test_what_is_kept_is_counted_over_all_images():
    before = torch.tensor([[[0.9, 0.9, 0.9, 0.2, 0.4]], [[0.1, 0.1, 0.1, 0.8, 0.6]]])
    after = torch.tensor([[[0.9, 0.9, 0.9, 0.9, 0.4]], [[0.1, 0.1, 0.1, 0.1, 0.6]]])
    assert share_kept([before, before], [after, before]) == 0.75
    assert share_kept([before[:, :, :1]], [before[:, :, :1]]) == 1.0  # there is nothing else


def test_probabilities_are_joined_as_logits_and_undrawn_classes_stay_at_nothing():
    p = torch.tensor([0.3, 0.0, 0.7]).view(3, 1, 1)
    odds = torch.tensor([0.4, -0.4]).view(2, 1, 1)
    joined = with_regression(p, odds, torch.tensor([0, 2]))[:, 0, 0]
    expected = 0.3 * np.log(0.3 / 0.7) + 0.7 * 0.4
    assert joined[1] == 0
    assert joined.sum() == pytest.approx(1)
    assert float(torch.logit(joined[0])) == pytest.approx(expected, abs=1e-5)
