import pytest
import torch
from torch.nn import functional as F

from saccade.refine.guided import _window_means, enlarged_rows, guided_distributions, guided_strips


def _random(*size, seed=0):
    return torch.rand(size, generator=torch.Generator().manual_seed(seed))


def _enlarge(maps, guide, full, **options):
    strips = list(guided_strips(maps, guide, full, **options))
    assert [top for top, _ in strips] == list(range(0, full.shape[0], options.get("rows", 256)))
    return torch.cat([strip for _, strip in strips], 1)


def _grey(*size, seed=0):
    return (_random(*size, seed=seed) * 255).byte()


def _small(full, size):
    return F.interpolate(full[None, None].float() / 255, size, mode="area")[0]


@pytest.mark.parametrize(
    ("small", "size"),
    [((1, 1), (1, 1)), ((1, 2), (1, 2)), ((1, 2), (5, 9)), ((3, 1), (7, 1)), ((6, 9), (33, 50))],
)
def test_constant_maps_stay_constant(small, size):
    full = _grey(*size)
    maps = torch.tensor([0.0, 0.3, 1.0]).view(3, 1, 1).expand(3, *small)
    found = _enlarge(maps, _small(full, small), full)
    assert found.shape == (3, *size)
    expected = torch.tensor([0.0, 0.3, 1.0]).view(3, 1, 1).expand(3, *size)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)


def test_distributions_stay_distributions():
    full = _grey(40, 60)
    maps = torch.softmax(3 * torch.randn(3, 20, 30, generator=torch.Generator().manual_seed(1)), 0)
    found = _enlarge(maps, _small(full, (20, 30)), full, radius=4, epsilon=0.01)  # clips nowhere
    assert found.min() >= 0
    assert found.max() <= 1
    torch.testing.assert_close(found.sum(0), torch.ones(40, 60), rtol=0, atol=1e-3)


def test_at_the_same_size_a_map_made_of_the_guide_is_the_guide():
    full = _grey(24, 31)
    guide = full.float()[None] / 255
    maps = torch.cat([guide, 1 - guide])
    found = _enlarge(maps, guide, full, epsilon=1e-7)
    torch.testing.assert_close(found, maps, rtol=0, atol=1e-3)


def test_a_blurred_border_moves_to_the_edge_of_the_full_guide():
    full = torch.zeros(64, 96, dtype=torch.uint8)
    full[:, 45:] = 255  # no multiple of the scale, so the small map cannot hold the edge
    guide = _small(full, (16, 24))
    soft = torch.linspace(0, 1, 5).view(1, 1, 5).expand(1, 16, 5)
    maps = torch.cat([torch.zeros(1, 16, 9), soft, torch.ones(1, 16, 10)], 2)
    found = _enlarge(maps, guide, full)[0]
    plain = F.interpolate(maps[None], (64, 96), mode="bilinear")[0, 0]
    truth = full > 0
    assert ((plain > 0.5) != truth).float().mean() > 0.01  # there is something to repair
    assert torch.equal(found > 0.5, truth)


@pytest.mark.parametrize("rows", [1, 7, 32, 1000])
def test_the_height_of_strips_does_not_matter(rows):
    full, maps = _grey(50, 37), _random(2, 13, 10, seed=2)
    guide = _small(full, (13, 10))
    whole = _enlarge(maps, guide, full, rows=50)
    torch.testing.assert_close(_enlarge(maps, guide, full, rows=rows), whole, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("size", [(5, 7), (10, 14), (23, 41), (3, 4), (5, 20)])
def test_enlarged_rows_are_those_of_the_whole_map(size):
    maps = _random(1, 2, 5, 7)
    whole = F.interpolate(maps, size, mode="bilinear", align_corners=False)
    for top, count in [(0, size[0]), (1, 2), (size[0] - 1, 1)]:
        found = enlarged_rows(maps, top, count, size)
        torch.testing.assert_close(found, whole[:, :, top : top + count], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("radius", [0, 1, 4])
@pytest.mark.parametrize("size", [(1, 1), (2, 9), (12, 7)])
def test_window_means_leave_out_what_lies_outside(size, radius):
    maps = _random(3, *size)
    side = 2 * radius + 1
    expected = F.avg_pool2d(maps[None], side, 1, radius, count_include_pad=False)[0]
    torch.testing.assert_close(_window_means(maps, radius), expected)


@pytest.mark.parametrize("classes", [1, 2, 4])
def test_distributions_are_the_renormalized_strips(classes):
    full = _grey(21, 34)
    logits = torch.randn(classes, 10, 17, generator=torch.Generator().manual_seed(1))
    maps, guide = (3 * logits).softmax(0), _small(full, (10, 17))
    expected = _enlarge(maps, guide, full, rows=8)
    strips = list(guided_distributions(maps, guide, full, rows=8))
    assert [top for top, _ in strips] == [0, 8, 16]
    found = torch.cat([strip for _, strip in strips], 1)
    torch.testing.assert_close(found, expected / expected.sum(0), rtol=1e-4, atol=1e-4)
