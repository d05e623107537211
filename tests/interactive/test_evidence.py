import numpy as np
import pytest
import torch
from skimage.color import rgb2lab

from saccade.interactive.evidence import CHANNELS, evidence_maps, normalised_lab


def test_lab_is_cie_lab_scaled():
    image = np.random.default_rng(0).integers(0, 256, (9, 11, 3), dtype=np.uint8)
    image[0, :3] = [(0, 0, 0), (255, 255, 255), (3, 2, 1)]
    found = normalised_lab(torch.from_numpy(image)[None])[0].movedim(0, 2).numpy()
    expected = rgb2lab(image) / 50 - np.array([1, 0, 0])
    np.testing.assert_allclose(found, expected, atol=0.02)


def _inputs(classes=3, size=(12, 15)):
    """Random answers, a stroke of one pixel for each class."""
    generator = torch.Generator().manual_seed(0)
    mean = torch.softmax(torch.randn(classes, *size, generator=generator), 0)
    spread = torch.rand(size, generator=generator) * 0.2
    own = torch.zeros(classes, size[0] * size[1], dtype=torch.bool)
    for k in range(classes):
        own[k, k * (own.shape[1] - 1) // max(1, classes - 1)] = True
    lab = torch.randn(3, *size, generator=generator)
    odds = torch.randn(classes, *size, generator=generator)
    regions = torch.rand(2, classes, *size, generator=generator)
    return mean, spread, own.view(classes, *size), lab, odds, regions


@pytest.mark.parametrize("size", [(1, 2), (2, 9), (12, 15)])
@pytest.mark.parametrize("classes", [1, 2, 5])
def test_evidence_is_finite_and_bounded_for_every_size(classes, size):
    maps = evidence_maps(*_inputs(classes, size))
    assert maps.shape == (classes, CHANNELS, *size)
    assert maps.isfinite().all()
    assert maps.abs().max() <= 50


def test_the_first_maps_are_halved_log_odds_colour_and_spread():
    mean, spread, own, lab, odds, regions = _inputs()
    mean[0, 0, 0], mean[1, 0, 0] = 1, 0
    maps = evidence_maps(mean, spread, own, lab, odds, regions)
    torch.testing.assert_close(2 * maps[:, 0], torch.logit(mean, 1e-4).clamp(-6, 6))
    torch.testing.assert_close(4 * maps[:, 1], odds)
    torch.testing.assert_close(maps[:, 2], (4 * spread).expand(3, -1, -1))
    torch.testing.assert_close(maps[:, 8:10], regions.movedim(0, 1))


def test_the_last_maps_are_own_and_other_strokes():
    own = _inputs()[2]
    maps = evidence_maps(*_inputs())
    assert torch.equal(maps[:, -2] > 0, own)
    assert torch.equal(maps[:, -1] > 0, own.any(0) & ~own)


def test_distances_favour_the_class_whose_stroke_is_near():
    maps = evidence_maps(*_inputs(2))
    contests = maps[:, [3, 5]]  # geodesic and Euclidean, against the nearest other class
    assert (contests[0, :, 0, 0] > 0.9).all()
    assert (contests[1, :, -1, -1] > 0.9).all()
    assert contests.abs().max() <= 1
    torch.testing.assert_close(contests[0], -contests[1])


def test_euclidean_distance_is_a_share_of_the_shortest_side():
    maps = evidence_maps(*_inputs(2, (10, 40)))
    assert maps[0, 6, 3, 4] == pytest.approx(0.5)  # five pixels of ten
    assert maps[0, 6].max() == 2


def test_the_share_of_strokes_is_against_the_mean_class():
    mean, spread, own, lab, odds, regions = _inputs(3)
    own[1, -1] = True
    maps = evidence_maps(mean, spread, own, lab, odds, regions)
    drawn = own.flatten(1).sum(1)
    torch.testing.assert_close(maps[:, 7, 0, 0], (drawn / drawn.float().mean()).log() / 2)
    assert evidence_maps(*_inputs(2))[:, 7].eq(0).all()


def test_the_order_of_classes_does_not_matter():
    mean, spread, own, lab, odds, regions = _inputs()
    order = torch.tensor([2, 0, 1])
    found = evidence_maps(mean[order], spread, own[order], lab, odds[order], regions[:, order])
    expected = evidence_maps(mean, spread, own, lab, odds, regions)[order]
    torch.testing.assert_close(found, expected)
