import numpy as np
import pytest
import torch
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from saccade.scribbles.distances import geodesic_distances


def _exact(seeds, guide, step):
    """Shortest paths (K, H, W) over the 8 neighbours by Dijkstra's method."""
    height, width = guide.shape[1:]
    index = np.arange(height * width).reshape(height, width)
    starts, ends, costs = [], [], []
    for dy, dx in [(0, 1), (1, 0), (1, 1), (1, -1)]:
        here = (slice(0, height - dy), slice(max(0, -dx), width - max(0, dx)))
        there = (slice(dy, height), slice(max(0, dx), width - max(0, -dx)))
        starts.append(index[here].ravel())
        ends.append(index[there].ravel())
        change = np.abs(guide[(slice(None), *here)] - guide[(slice(None), *there)]).sum(0)
        costs.append((change + step * np.hypot(dy, dx)).ravel())
    edges = (np.concatenate(costs), (np.concatenate(starts), np.concatenate(ends)))
    graph = coo_matrix(edges, (index.size, index.size)).tocsr()
    return np.stack(
        [
            dijkstra(graph, directed=False, indices=index[k], min_only=True).reshape(height, width)
            for k in seeds
        ]
    )


def _by_pixels(seeds, guide, step, rounds):
    """The same scans (K, H, W) pixel by pixel: down, up, right, left, each `rounds` times."""
    height, width = guide.shape[1:]
    distance = np.where(seeds, np.float32(0), np.float32(1e4))
    rows, columns = range(height), range(width)
    scans = [
        ([(y, x) for y in rows for x in columns], [(-1, -1), (-1, 0), (-1, 1)]),
        ([(y, x) for y in reversed(rows) for x in columns], [(1, -1), (1, 0), (1, 1)]),
        ([(y, x) for x in columns for y in rows], [(-1, -1), (0, -1), (1, -1)]),
        ([(y, x) for x in reversed(columns) for y in rows], [(-1, 1), (0, 1), (1, 1)]),
    ]
    for order, moves in scans * rounds:
        for y, x in order:
            for dy, dx in moves:
                if 0 <= y + dy < height and 0 <= x + dx < width:
                    change = np.abs(guide[:, y, x] - guide[:, y + dy, x + dx]).sum()
                    path = distance[:, y + dy, x + dx] + change + step * np.hypot(dy, dx)
                    distance[:, y, x] = np.minimum(distance[:, y, x], path)
    return distance


def _smooth_scene(size=(24, 30)):
    """A guide like a photograph's colours, smooth with an edge, and two strokes."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 3, 5, 6, generator=generator)
    guide = torch.nn.functional.interpolate(coarse, size, mode="bilinear")
    guide[:, :, :, 17:] += 1
    seeds = torch.zeros(1, 2, *size, dtype=torch.bool)
    seeds[0, 0, 4, 3:9] = True
    seeds[0, 1, 15:20, 24] = True
    return seeds, guide


@pytest.mark.parametrize("rounds", [1, 2])
@pytest.mark.parametrize("size", [(1, 1), (1, 6), (5, 1), (2, 2), (7, 9)])
def test_scans_over_rows_equal_scans_over_pixels(size, rounds):
    generator = torch.Generator().manual_seed(3)
    guide = torch.rand(1, 2, *size, generator=generator)
    seeds = torch.rand(1, 3, *size, generator=generator) < 0.1
    seeds[0, 0, -1, -1] = True
    found = geodesic_distances(seeds, guide, step=0.05, rounds=rounds)
    expected = _by_pixels(seeds[0].numpy(), guide[0].numpy(), 0.05, rounds)
    np.testing.assert_allclose(found[0].numpy(), expected, rtol=1e-5, atol=1e-6)


def test_two_rounds_are_close_to_the_shortest_paths():
    seeds, guide = _smooth_scene()
    found = geodesic_distances(seeds, guide)[0].numpy()
    exact = _exact(seeds[0].numpy(), guide[0].numpy(), 0.02)
    assert (found >= exact - 1e-5).all()  # a path is never shorter than the shortest
    assert np.mean(found - exact) < 0.02 * exact.mean()
    assert np.max(found - exact) < 0.15 * exact.max()


def test_at_convergence_distances_are_the_shortest_paths():
    generator = torch.Generator().manual_seed(1)
    guide = torch.rand(1, 2, 9, 11, generator=generator)  # noise, the hardest guide there is
    seeds = torch.zeros(1, 2, 9, 11, dtype=torch.bool)
    seeds[0, 0, 0, 0] = seeds[0, 1, 4, 7] = True
    found = geodesic_distances(seeds, guide, rounds=30)[0].numpy()
    np.testing.assert_allclose(found, _exact(seeds[0].numpy(), guide[0].numpy(), 0.02), rtol=1e-4)


@pytest.mark.parametrize("size", [(1, 9), (9, 1), (13, 8)])
def test_on_a_flat_guide_one_round_is_the_exact_octile_distance(size):
    seeds = torch.zeros(1, 1, *size, dtype=torch.bool)
    seeds[..., size[0] // 2, size[1] // 3] = True
    found = geodesic_distances(seeds, torch.zeros(1, 1, *size), step=0.5, rounds=1)
    dy = (torch.arange(size[0]) - size[0] // 2).abs()[:, None]
    dx = (torch.arange(size[1]) - size[1] // 3).abs()[None]
    expected = 0.5 * (torch.maximum(dy, dx) + (2**0.5 - 1) * torch.minimum(dy, dx))
    torch.testing.assert_close(found[0, 0], expected, rtol=1e-5, atol=1e-5)


def test_transposition_changes_little_in_two_rounds_and_nothing_at_convergence():
    seeds, guide = _smooth_scene((20, 26))

    def difference(rounds):
        ahead = geodesic_distances(seeds, guide, rounds=rounds)
        turned = geodesic_distances(seeds.mT, guide.mT, rounds=rounds).mT
        return float((ahead - turned).abs().max() / ahead.max())

    assert difference(2) < 0.15
    assert difference(20) < 1e-5


def test_mirroring_the_image_mirrors_the_distances():
    seeds, guide = _smooth_scene()
    found = geodesic_distances(seeds, guide, rounds=20)
    for axis in (2, 3):
        mirrored = geodesic_distances(seeds.flip(axis), guide.flip(axis), rounds=20).flip(axis)
        torch.testing.assert_close(mirrored, found)


def test_strokes_are_at_distance_zero_and_a_class_without_one_is_far_away():
    seeds, guide = _smooth_scene()
    seeds = torch.cat([seeds, torch.zeros_like(seeds[:, :1])], 1)
    found = geodesic_distances(seeds, guide)
    assert (found[seeds] == 0).all()
    assert (found[:, :2][~seeds[:, :2]] > 0).all()
    assert (found[:, 2] >= 1000 * found[:, :2].max()).all()
    assert found.isfinite().all()


def test_classes_and_images_do_not_touch_each_other():
    seeds, guide = _smooth_scene()
    other = guide.flip(2)
    both = geodesic_distances(seeds.repeat(2, 1, 1, 1), torch.cat([guide, other]))
    torch.testing.assert_close(both[:1], geodesic_distances(seeds, guide))
    torch.testing.assert_close(both[1:], geodesic_distances(seeds, other))
    torch.testing.assert_close(both[:1, 1:], geodesic_distances(seeds[:, 1:], guide))


def test_paths_begin_at_their_cost():
    guide = torch.zeros(1, 1, 5, 9)
    seeds = torch.zeros(1, 1, 5, 9, dtype=torch.bool)
    seeds[0, 0, 2, 1] = seeds[0, 0, 2, 7] = True
    costs = torch.where(seeds, 1.0, 7.0)
    costs[0, 0, 2, 7] = 0.0
    found = geodesic_distances(seeds, guide, step=0.1, costs=costs)[0, 0]
    assert found[2, 7] == 0
    assert found[2, 4] == pytest.approx(0.3)
    assert found[2, 1] == pytest.approx(0.6)  # the way from the other stroke is shorter
