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


def _maps(classes=3, size=(12, 15), drawn=True):
    generator = torch.Generator().manual_seed(0)
    mean = torch.softmax(torch.randn(1, classes, *size, generator=generator), 1)
    spread = torch.rand(1, *size, generator=generator) * 0.2
    marks = torch.full((1, *size), classes)
    marks[0, 0, 0] = 0
    if drawn:
        marks[0, -1, -1] = 1
    lab = torch.randn(1, 3, *size, generator=generator)
    odds = torch.randn(1, classes, *size, generator=generator)
    return mean, marks, evidence_maps(mean, spread, marks, lab, odds)


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 9), (12, 15)])
@pytest.mark.parametrize("classes", [2, 5])
def test_evidence_is_finite_and_bounded_for_every_size(classes, size):
    maps = _maps(classes, size)[2]
    assert maps.shape == (1, classes, CHANNELS, *size)
    assert maps.isfinite().all()
    assert maps.abs().max() <= 50


def test_the_first_map_is_half_the_log_odds():
    mean, _, maps = _maps()
    torch.testing.assert_close(2 * maps[:, :, 0], torch.logit(mean))


def test_the_last_maps_are_own_and_other_strokes():
    _, marks, maps = _maps()
    for k in range(3):
        assert torch.equal(maps[0, k, -2] > 0, marks[0] == k)
        assert torch.equal(maps[0, k, -1] > 0, (marks[0] != k) & (marks[0] < 3))


def test_distances_favour_the_class_whose_stroke_is_near():
    maps = _maps()[2]
    contests = maps[0, :, [-6, -4]]  # geodesic and Euclidean, against the nearest other class
    assert (contests[0, :, 0, 0] > 0.5).all()
    assert (contests[1, :, -1, -1] > 0.5).all()
    assert (contests[2] < 0).all()  # no stroke at all
    assert contests.abs().max() <= 1


def test_the_order_of_classes_does_not_matter():
    generator = torch.Generator().manual_seed(1)
    mean = torch.softmax(torch.randn(1, 3, 8, 9, generator=generator), 1)
    spread = torch.rand(1, 8, 9, generator=generator)
    lab = torch.randn(1, 3, 8, 9, generator=generator)
    odds = torch.randn(1, 3, 8, 9, generator=generator)
    marks = torch.full((1, 8, 9), 3)
    marks[0, 0, :3], marks[0, 5, 5], marks[0, 7, 8] = 0, 1, 2
    order = torch.tensor([2, 0, 1])
    place = torch.tensor([1, 2, 0, 3])  # of each class in that order
    found = evidence_maps(mean[:, order], spread, place[marks], lab, odds[:, order])
    torch.testing.assert_close(found, evidence_maps(mean, spread, marks, lab, odds)[:, order])
