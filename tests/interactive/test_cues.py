import numpy as np
import pytest
import torch

from saccade.interactive.averaging import AveragedPrediction
from saccade.interactive.cues import compute_cues, stack_cues
from saccade.interactive.prepared import prepare_image
from saccade.interactive.stroke_maps import StrokeMaps
from saccade.models.fusion_net import CUE, CUES


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
def test_cues_are_finite_and_bounded_for_every_size(classes, size):
    maps = stack_cues(*_inputs(classes, size))
    assert maps.shape == (classes, len(CUES), *size)
    assert maps.isfinite().all()
    assert maps.abs().max() <= 50


def test_the_first_maps_are_halved_log_odds_color_and_spread():
    mean, spread, own, lab, odds, regions = _inputs()
    mean[0, 0, 0], mean[1, 0, 0] = 1, 0
    maps = stack_cues(mean, spread, own, lab, odds, regions)
    torch.testing.assert_close(2 * maps[:, CUE["network"]], torch.logit(mean, 1e-4).clamp(-6, 6))
    torch.testing.assert_close(4 * maps[:, CUE["color"]], odds)
    torch.testing.assert_close(maps[:, CUE["spread"]], (4 * spread).expand(3, -1, -1))
    torch.testing.assert_close(maps[:, CUE["color_region"]], regions[0])


def test_strokes_are_own_and_other_ones():
    own = _inputs()[2]
    maps = stack_cues(*_inputs())
    assert torch.equal(maps[:, CUE["strokes"]] > 0, own)
    assert torch.equal(maps[:, CUE["other_strokes"]] > 0, own.any(0) & ~own)


def test_distances_favour_the_class_whose_stroke_is_near():
    maps = stack_cues(*_inputs(2))
    contests = maps[:, [CUE["geodesic_lead"], CUE["euclidean_lead"]]]
    assert (contests[0, :, 0, 0] > 0.9).all()
    assert (contests[1, :, -1, -1] > 0.9).all()
    assert contests.abs().max() <= 1
    torch.testing.assert_close(contests[0], -contests[1])


def test_euclidean_distance_is_a_share_of_the_shortest_side():
    maps = stack_cues(*_inputs(2, (10, 40)))
    assert maps[0, CUE["euclidean"], 3, 4] == pytest.approx(0.5)  # five pixels of ten
    assert maps[0, CUE["euclidean"]].max() == 2


def test_the_share_of_strokes_is_against_the_mean_class():
    mean, spread, own, lab, odds, regions = _inputs(3)
    own[1, -1] = True
    maps = stack_cues(mean, spread, own, lab, odds, regions)
    drawn = own.flatten(1).sum(1)
    torch.testing.assert_close(
        maps[:, CUE["share"], 0, 0], (drawn / drawn.float().mean()).log() / 2
    )
    assert stack_cues(*_inputs(2))[:, CUE["share"]].eq(0).all()


def test_the_order_of_classes_does_not_matter():
    mean, spread, own, lab, odds, regions = _inputs()
    order = torch.tensor([2, 0, 1])
    found = stack_cues(mean[order], spread, own[order], lab, odds[order], regions[:, order])
    expected = stack_cues(mean, spread, own, lab, odds, regions)[order]
    torch.testing.assert_close(found, expected)


def test_cues_are_of_the_classes_with_strokes():
    rgb = np.random.default_rng(0).integers(0, 256, (40, 56, 3), dtype=np.uint8)
    image = prepare_image(rgb)
    strokes = torch.full(image.half_size, 4)
    strokes[3, 5], strokes[7, 11] = 0, 3
    maps = StrokeMaps((0, 1, 2, 3), strokes.numpy(), strokes, strokes, image.working_size)
    assert maps.stroked.tolist() == [0, 3]
    generator = torch.Generator().manual_seed(0)
    mean = torch.softmax(torch.randn(4, *image.half_size, generator=generator), 0)
    averaged = AveragedPrediction(mean, torch.rand(image.half_size, generator=generator))
    cues = compute_cues(averaged, maps, image.lab, image.standardized_lab, generator=generator)
    assert cues.shape == (2, len(CUES), *image.half_size)
    assert torch.equal(cues[1, CUE["strokes"]] > 0, strokes == 3)
    for region in ("color_region", "color_region_refitted"):
        one = cues[:, CUE[region]]
        torch.testing.assert_close(one.sum(0), torch.ones_like(one[0]))
        assert one[1, 7, 11] > 0.4  # its own stroke


def test_no_two_cues_have_one_name():
    assert len(set(CUES)) == len(CUES) == 15
