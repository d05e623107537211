import itertools

import pytest
import torch

from saccade.refine.potts import edge_weights, potts, stack_weights


def _problem(classes, size, seed=0):
    generator = torch.Generator().manual_seed(seed)
    unary = torch.rand(classes, *size, generator=generator) * 2
    shapes = [[n - (axis == own) for axis, n in enumerate(size)] for own in range(3)]
    return unary, tuple(torch.rand(shape, generator=generator) for shape in shapes)


def _energy(labels, unary, weights, strength):
    cost = unary.gather(0, labels[None]).sum()
    for axis, weight in enumerate(weights):
        cost += strength * (weight * (labels.diff(dim=axis) != 0)).sum()
    return float(cost)


def _project(u):
    """Euclidean projection of each column of (K, ...) onto the simplex, by bisection."""
    low, high = u.amin(0) - 1, u.amax(0)
    for _ in range(60):
        middle = (low + high) / 2
        above = (u - middle).clamp_min(0).sum(0) > 1
        low, high = torch.where(above, middle, low), torch.where(above, high, middle)
    return (u - high).clamp_min(0)


def _plain_iterations(unary, weights, strength, iterations):
    """Chambolle and Pock's method on (K, Z, H, W), with all maps written out."""
    balance = max(1.0, strength / 2)
    dual, primal = 0.28 * balance, 0.28 / balance
    u = ahead = torch.softmax(-unary, 0)
    flows = [torch.zeros_like(u.diff(dim=axis)) for axis in (1, 2, 3)]
    for _ in range(iterations):
        rest = u - primal * unary
        for axis, weight in enumerate(weights):
            limit = strength / 2 * weight
            flow = (flows[axis] + dual * ahead.diff(dim=axis + 1)).clamp(-limit, limit)
            before = [0, 0] * (2 - axis) + [1, 1]
            flows[axis] = flow
            rest = rest + primal * torch.nn.functional.pad(flow, before).diff(dim=axis + 1)
        new = _project(rest)
        u, ahead = new, 2 * new - u
    return u


@pytest.mark.parametrize("strength", [0.7, 6.0])
@pytest.mark.parametrize("classes", [3, 4])
@pytest.mark.parametrize("size", [(3, 4, 5), (2, 1, 3), (1, 3, 4), (4, 2, 1)])
def test_iterations_in_stacks_are_those_of_the_method_written_out(size, classes, strength):
    unary, weights = _problem(classes, size)
    expected = _plain_iterations(unary.double(), weights, strength, 12)
    found = potts(unary.double(), weights, strength=strength, iterations=12)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("classes", [2, 3])
def test_small_stacks_reach_the_least_energy_of_all_labelings(classes):
    size = (2, 2, 3) if classes == 2 else (2, 2, 2)
    for seed in range(3):
        unary, weights = _problem(classes, size, seed)
        found = potts(unary, weights, strength=0.5, iterations=1500).argmax(0)
        every = itertools.product(range(classes), repeat=found.numel())
        least = min(_energy(torch.tensor(flat).view(size), unary, weights, 0.5) for flat in every)
        slack = 1.001 if classes == 2 else 1.03
        assert _energy(found, unary, weights, 0.5) <= slack * least


def test_slices_that_are_not_joined_are_partitioned_each_for_itself():
    unary, (deep, down, right) = _problem(2, (3, 6, 7))
    together = potts(unary, (0 * deep, down, right), strength=0.5, iterations=800)
    for z in range(3):
        alone = potts(unary[:, z], (down[z], right[z]), strength=0.5, iterations=800)
        torch.testing.assert_close(together[:, z], alone, rtol=0, atol=0.02)


def test_a_slice_without_an_answer_takes_that_of_its_neighbors():
    unary = torch.zeros(2, 3, 8, 10)
    for z in (0, 2):
        unary[1, z, 2:6, 3:7], unary[0, z, 2:6, 3:7] = -2.0, 2.0
        unary[0, z] -= 1.0
    image = (unary[0, :1] - unary[1, :1])[None].expand(1, 3, 8, 10)
    found = potts(unary, stack_weights(image), strength=1.0, iterations=400).argmax(0)
    assert torch.equal(found[1], found[0])
    assert found[1, 3, 4] == 1
    assert found[1, 0, 0] == 0


def test_weights_within_slices_are_those_of_images():
    slices = torch.rand(3, 1, 6, 7, generator=torch.Generator().manual_seed(0))
    deep, down, right = stack_weights(slices.expand(3, 4, 6, 7), depth=2.0)
    for weights, plain in zip((down, right), edge_weights(slices[:, 0]), strict=True):
        torch.testing.assert_close(weights[2], plain)
    assert torch.equal(deep, torch.full((3, 6, 7), 0.5))  # nothing differs between slices


def test_slices_that_differ_are_hardly_joined():
    stack = torch.rand(1, 3, 6, 7, generator=torch.Generator().manual_seed(0))
    stack[:, 2] += 5
    deep, _, _ = stack_weights(stack)
    assert deep[0].mean() > 0.3
    assert deep[1].max() < 1e-3
