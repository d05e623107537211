import numpy as np
import pytest
import torch

from saccade.interactive.cues import _euclidean, _geodesic
from saccade.stacks import segment_stack
from saccade.stacks.distances import plane_strokes, stack_distances
from tests.stacks.conftest import iou

STROKED = torch.tensor([0, 2])


@pytest.fixture
def guide():
    return torch.randn(3, 12, 16, generator=torch.Generator().manual_seed(0))


def _strokes(*drawn):
    labels = torch.full((12, 16), 3)
    for y, x, value in drawn:
        labels[y, x] = value
    return labels


def test_strokes_of_the_plane_itself_are_as_in_an_image(guide):
    labels = _strokes((2, slice(3, 9), 0), (9, slice(5, 8), 2))
    drawn = {(0, 5): plane_strokes(labels, guide, STROKED)}
    found = stack_distances((0, 5), guide, drawn, 2)
    own = labels == STROKED.view(-1, 1, 1)
    torch.testing.assert_close(found.geodesic, _geodesic(own, guide))
    torch.testing.assert_close(found.euclidean, _euclidean(own))


@pytest.mark.parametrize(("place", "way"), [((0, 3), 4.0), ((0, 7), 4.0), ((2, 5), 2.0)])
def test_a_slice_is_as_far_as_the_way_to_the_slice_with_strokes(guide, place, way):
    labels = _strokes((2, 3, 0), (9, 5, 2))
    drawn = {(0, 5): plane_strokes(labels, guide, STROKED)}
    found = stack_distances(place, guide, drawn, 2, depth=2.0)
    assert found.geodesic[0, 2, 3] == pytest.approx(0.02 * way)  # nothing differs between them
    assert found.euclidean[0, 2, 3] * 12 == pytest.approx(way)
    assert found.euclidean[1, 9, 8] * 12 == pytest.approx(np.hypot(3, way))


def test_what_differs_between_slices_keeps_strokes_away(guide):
    labels = _strokes((2, 3, 0), (9, 5, 2))
    drawn = {(0, 0): plane_strokes(labels, guide, STROKED)}
    other = guide.clone()
    other[:, 2, 3] += 5
    found = stack_distances((0, 1), other, drawn, 2)
    assert found.geodesic[0, 2, 3] > 10
    assert found.geodesic[1, 9, 5] < 0.1


def test_the_nearest_slices_count_and_classes_may_be_on_different_ones(guide):
    near, far = _strokes((2, 3, 0)), _strokes((2, 12, 0), (9, 5, 2))
    drawn = {
        (0, 1): plane_strokes(near, guide, STROKED),
        (0, 9): plane_strokes(far, guide, STROKED),
    }
    found = stack_distances((0, 0), guide, drawn, 2)
    assert found.euclidean[0, 2, 3] * 12 == pytest.approx(1)
    assert found.euclidean[1, 9, 5] * 12 == pytest.approx(9)
    assert found.geodesic.isfinite().all()


def test_a_thing_that_shrinks_between_strokes_is_found_in_all_slices():
    y, x = np.mgrid[:160, :160]
    sizes = [68, 37, 22, 14, 14]  # without distances through the stack the second has .73
    truth = np.stack([(y - 80) ** 2 + (x - 80) ** 2 < size**2 for size in sizes])
    values = np.random.default_rng(0).normal(100, 10, truth.shape) + 50 * truth
    labels = np.full(truth.shape, 255)
    for z in (0, 4):
        labels[z, 3, 6:150], labels[z, 77:83, 74:86] = 0, 1
    found = segment_stack(values, labels, axes="ZYX")
    assert min(iou(mask, true) for mask, true in zip(found.labels, truth, strict=True)) > 0.97
