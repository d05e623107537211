import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from saccade.refine.potts import edge_weights, potts, project_simplex


def _problem(classes, height, width, seed=0):
    generator = torch.Generator().manual_seed(seed)
    unary = torch.rand(classes, height, width, generator=generator) * 2
    weights = (
        torch.rand(height - 1, width, generator=generator),
        torch.rand(height, width - 1, generator=generator),
    )
    return unary, weights


def _energy(labels, unary, weights, strength):
    """Cost of a labelling: unary, and `strength` times the weight of each border."""
    cost = unary.gather(0, labels[None]).sum()
    cost += strength * (weights[0] * (labels[1:] != labels[:-1])).sum()
    return float(cost + strength * (weights[1] * (labels[:, 1:] != labels[:, :-1])).sum())


def _least_energy(unary, weights, strength):
    classes, height, width = unary.shape
    return min(
        _energy(torch.tensor(flat).view(height, width), unary, weights, strength)
        for flat in itertools.product(range(classes), repeat=height * width)
    )


@pytest.mark.parametrize("strength", [0.2, 0.6])
@pytest.mark.parametrize(("classes", "size"), [(2, (3, 4)), (3, (2, 3)), (4, (2, 3))])
def test_small_problems_reach_the_least_energy_of_all_labelings(classes, size, strength):
    for seed in range(3):
        unary, weights = _problem(classes, *size, seed=seed)
        found = potts(unary, weights, strength=strength, iterations=1500).argmax(0)
        least = _least_energy(unary, weights, strength)
        # Exact for two classes; the relaxation of more is tight but for a few per cent.
        slack = 1.001 if classes == 2 else 1.03
        assert _energy(found, unary, weights, strength) <= slack * least


@pytest.mark.parametrize("strength", [0.3, 1.0])
def test_two_classes_come_within_one_percent_of_the_minimum_cut(strength):
    maxflow = pytest.importorskip("maxflow")
    unary, weights = _problem(2, 24, 32, seed=1)
    graph = maxflow.Graph[float]()
    nodes = graph.add_grid_nodes((24, 32))
    graph.add_grid_tedges(nodes, unary[1].double().numpy(), unary[0].double().numpy())
    down, right = (strength * w.double().numpy() for w in weights)
    for y, x in np.ndindex(*down.shape):
        graph.add_edge(nodes[y, x], nodes[y + 1, x], down[y, x], down[y, x])
    for y, x in np.ndindex(*right.shape):
        graph.add_edge(nodes[y, x], nodes[y, x + 1], right[y, x], right[y, x])
    least = graph.maxflow()
    cut = torch.from_numpy(graph.get_grid_segments(nodes)).long()
    assert _energy(cut, unary, weights, strength) == pytest.approx(least, rel=1e-5)
    found = potts(unary, weights, strength=strength, iterations=300).argmax(0)
    assert _energy(found, unary, weights, strength) <= 1.01 * least


def test_a_border_costs_the_same_however_many_classes_there_are():
    unary, weights = _problem(2, 10, 12, seed=2)
    never = torch.full((1, 10, 12), 1e3)
    never[0, 0, 0] = unary[:, 0, 0].max() - 1e-3  # else it would be left out from the start
    for strength in (0.3, 0.8):
        two = potts(unary, weights, strength=strength, iterations=600)
        three = potts(torch.cat([unary, never]), weights, strength=strength, iterations=600)
        assert three[2].max() < 1e-3
        assert torch.equal(two.argmax(0), three[:2].argmax(0))


def _plain_iterations(unary, weights, strength, iterations, start):
    """Chambolle and Pock's method, (K, H, W), with all maps written out."""
    balance = max(1.0, strength / 2)
    dual, primal = 0.35 * balance, 0.35 / balance
    limits = [strength / 2 * w for w in weights]
    u = ahead = start
    down, right = torch.zeros_like(u[:, 1:]), torch.zeros_like(u[:, :, 1:])
    for _ in range(iterations):
        down = (down + dual * ahead.diff(dim=1)).clamp(-limits[0], limits[0])
        right = (right + dual * ahead.diff(dim=2)).clamp(-limits[1], limits[1])
        flow = torch.nn.functional.pad(down, (0, 0, 1, 1)).diff(dim=1)
        flow = flow + torch.nn.functional.pad(right, (1, 1)).diff(dim=2)
        new = u + primal * (flow - unary)
        columns = [_project_by_sorting(v) for v in new.flatten(1).T.numpy()]
        new = torch.from_numpy(np.stack(columns, 1)).to(u).view_as(u)
        u, ahead = new, 2 * new - u
    return u


@pytest.mark.parametrize("strength", [0.7, 6.0])
@pytest.mark.parametrize("size", [(1, 5), (4, 1), (5, 7)])
def test_iterations_are_those_of_the_method_written_out(size, strength):
    unary, weights = _problem(4, *size)
    expected = _plain_iterations(unary, weights, strength, 12, torch.softmax(-unary, 0))
    found = potts(unary, weights, strength=strength, iterations=12)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_classes_nowhere_cheaper_than_another_take_no_part():
    unary, weights = _problem(3, 7, 8)
    dear = unary.amax(0, keepdim=True)
    found = potts(torch.cat([dear, unary, dear + 1]), weights, strength=0.6, iterations=20)
    assert found[0].max() == found[4].max() == 0
    torch.testing.assert_close(found[1:4], potts(unary, weights, strength=0.6, iterations=20))
    alone = potts(torch.cat([dear, unary.amin(0)[None] - 1]), weights, strength=0.6, iterations=5)
    assert torch.equal(alone.argmax(0), torch.ones(7, 8, dtype=torch.long))


@pytest.mark.parametrize("classes", [1, 2, 3, 5])
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (6, 5)])
def test_the_answer_is_a_distribution_for_every_size(classes, size):
    unary, weights = _problem(classes, *size)
    u = potts(unary, weights, strength=0.5, iterations=30)
    assert u.shape == unary.shape
    assert u.min() >= 0
    torch.testing.assert_close(u.sum(0), torch.ones(size))


@pytest.mark.parametrize("classes", [2, 4])
def test_without_strength_each_pixel_takes_its_cheapest_class(classes):
    unary, weights = _problem(classes, 6, 7)
    u = potts(unary, weights, strength=0.0, iterations=2000)
    assert torch.equal(u.argmax(0), unary.argmin(0))
    assert u.max(0).values.min() > 0.99


@pytest.mark.parametrize("forbidden", [1e3, float("inf")])
@pytest.mark.parametrize("classes", [2, 4])
def test_forbidden_classes_stay_out_whatever_the_border_costs(classes, forbidden):
    unary, weights = _problem(classes, 9, 9)
    unary[0] -= 3  # everything wants class 0
    unary[:, 4, 4] = forbidden
    unary[classes - 1, 4, 4] = 0
    u = potts(unary, weights, strength=5.0, iterations=200)
    assert u.isfinite().all()
    assert u[:, 4, 4].argmax() == classes - 1
    assert u[classes - 1, 4, 4] > 0.99
    assert u[0, 0, 0] > 0.99


@pytest.mark.parametrize("classes", [2, 3])
def test_a_converged_start_stays(classes):
    unary, weights = _problem(classes, 6, 6)
    done = potts(unary, weights, strength=0.1, iterations=3000)
    again = potts(unary, weights, strength=0.1, iterations=300, start=done)
    torch.testing.assert_close(again, done, rtol=0, atol=0.02)


def test_a_stray_pixel_goes_and_a_border_moves_to_the_edge():
    image = torch.zeros(1, 12, 20)
    image[:, :, 10:] = 1
    unary = torch.zeros(2, 12, 20)
    unary[0, :, 12:] = 2.0  # the classifier's border is two pixels off, and undecided before it
    unary[1, :, :10] = 0.5
    unary[0, 3, 4] = 1.0
    labels = potts(unary, edge_weights(image, 8.0), strength=1.0, iterations=400).argmax(0)
    assert torch.equal(labels, (image[0] > 0.5).long())


def test_edge_weights_are_one_in_flat_parts_and_small_across_edges():
    image = torch.zeros(3, 6, 8)
    image[:, :, 4:] = 5
    down, right = edge_weights(image)
    assert down.shape == (5, 8)
    assert right.shape == (6, 7)
    assert torch.equal(down, torch.ones_like(down))
    assert (right[:, 3] < 0.01).all()
    assert (right[:, [0, 1, 2, 4, 5, 6]] == 1).all()


def test_edge_weights_follow_their_formula():
    image = torch.rand(2, 3, 4, generator=torch.Generator().manual_seed(0))
    down, right = edge_weights(image, 0.7)
    d = [(image[:, 1:] - image[:, :-1]) ** 2, (image[:, :, 1:] - image[:, :, :-1]) ** 2]
    d = [x.sum(0) for x in d]
    mean = (d[0].sum() + d[1].sum()) / (2 * 4 + 3 * 3)
    torch.testing.assert_close(down, torch.exp(-0.7 * d[0] / (2 * mean)))
    torch.testing.assert_close(right, torch.exp(-0.7 * d[1] / (2 * mean)))


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (5, 1), (4, 4)])
def test_a_flat_image_has_no_edges(size):
    for weights in edge_weights(torch.full((3, *size), 0.4)):
        assert torch.equal(weights, torch.ones_like(weights))


def _project_by_sorting(v):
    """Duchi et al. (2008), one column (K,)."""
    ordered = np.sort(v)[::-1]
    sums = (np.cumsum(ordered) - 1) / np.arange(1, len(v) + 1)
    return np.maximum(v - sums[np.flatnonzero(ordered > sums)[-1]], 0)


@given(
    arrays(
        np.float64,
        array_shapes(min_dims=2, max_dims=2, max_side=6),
        elements=st.floats(-50, 50, allow_subnormal=False),
    )
)
def test_projection_equals_projection_by_sorting(values):
    found = project_simplex(torch.from_numpy(values)).numpy()
    expected = np.stack([_project_by_sorting(column) for column in values.T], 1)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_projection_keeps_what_is_a_distribution_already():
    u = torch.softmax(torch.randn(4, 3, 5, generator=torch.Generator().manual_seed(0)), 0)
    torch.testing.assert_close(project_simplex(u), u)
