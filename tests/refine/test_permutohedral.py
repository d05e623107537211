"""The lattice against a sum over all pairs of points, and the corners that it is made of."""

import pytest
import torch
from torch import Tensor

from saccade.errors import InputError
from saccade.refine.permutohedral import build_lattice


def points(count: int, dims: int, width: float, dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return (torch.rand(count, dims, generator=generator, dtype=torch.float64) * width).to(dtype)


def values(count: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(count, 3, generator=generator, dtype=torch.float64)


def gaussian(features: Tensor) -> Tensor:
    return torch.exp(-0.5 * torch.cdist(features, features).square())


def correlation(one: Tensor, other: Tensor) -> float:
    return float(torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1])


def relative_error(result: Tensor, expected: Tensor) -> float:
    return float((result - expected).norm() / expected.norm())


# Measured: 0.998 and 0.024 (d = 2), 0.996 and 0.088 (d = 5, where points are few for the space).
@pytest.mark.parametrize(("count", "dims", "error"), [(300, 2, 0.03), (1500, 5, 0.1)])
def test_dense_points_are_filtered_as_by_the_gaussian(count: int, dims: int, error: float) -> None:
    features = points(count, dims, 4.0)
    result = build_lattice(features).filter(values(count))
    expected = gaussian(features) @ values(count)
    assert correlation(result, expected) > 0.99
    assert relative_error(result, expected) < error


@pytest.mark.parametrize(
    ("dims", "width", "error"), [(2, 4.0, 0.02), (5, 2.0, 0.03), (5, 4.0, 0.1)]
)
def test_the_normalized_filter_is_that_of_the_kernel(dims: int, width: float, error: float) -> None:
    features = points(300, dims, width)
    kernel = gaussian(features)
    norm = kernel.sum(1).rsqrt()
    expected = norm[:, None] * (kernel @ (norm[:, None] * values(300)))
    result = build_lattice(features).normalized().filter(values(300))
    assert relative_error(result, expected) < error


def test_kernel_is_the_gaussian_and_nearly_symmetric() -> None:
    features = points(300, 2, 4.0)
    kernel = build_lattice(features).filter(torch.eye(300, dtype=torch.float64))
    assert correlation(kernel, gaussian(features)) > 0.99
    assert relative_error(kernel, kernel.T) < 0.05


@pytest.mark.parametrize("dims", [1, 2, 3, 5])
def test_mass_of_the_kernel_far_from_borders(dims: int) -> None:
    # Spread over all the lattice around it, one impulse must add up to (2 pi)^(d / 2) per point.
    count, width = (2000, 8.0) if dims < 3 else (40000, 4.0)
    features = points(count, dims, width)
    middle = (features - width / 2).abs().amax(1) < 0.5
    lattice = build_lattice(features)
    result = lattice.filter(torch.ones(count, 1, dtype=torch.float64))[middle].mean()
    expected = torch.exp(-0.5 * torch.cdist(features[middle], features).square()).sum(1).mean()
    assert float(result / expected) == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("dims", [2, 5])
def test_corners_hold_the_weights_of_all_points(dims: int) -> None:
    lattice = build_lattice(points(200, dims, 30.0))
    weights = lattice.splat.weights
    assert float(weights.min()) >= 0.0
    ones = torch.ones(200, 1, dtype=torch.float64)
    assert float((lattice.splat @ ones).sum()) == pytest.approx(200.0)
    per_point = torch.zeros(200, dtype=torch.float64).index_add_(
        0, lattice.splat.columns.long(), weights
    )
    torch.testing.assert_close(per_point, ones.squeeze(1))


@pytest.mark.parametrize("dims", [2, 5])
def test_filter_is_continuous_across_simplices(dims: int) -> None:
    features = points(500, dims, 10.0)
    lattice = build_lattice(torch.cat([features, features + 1e-3]))
    result = lattice.filter(values(1000))
    assert relative_error(result[:500], result[500:]) < 0.02


def test_blur_is_symmetric_between_neighbors() -> None:
    lattice = build_lattice(points(300, 5, 8.0))
    corners = len(lattice.splat.offsets) - 1
    for axis in lattice.blur:
        dense = axis @ torch.eye(corners, dtype=torch.float64)
        torch.testing.assert_close(dense, dense.T)
        assert torch.equal(dense.diagonal(), torch.ones(corners, dtype=torch.float64))
        assert float(dense.sum(1).max()) == 2.0  # some corner has both neighbours


def test_far_points_do_not_meet() -> None:
    features = torch.tensor([[0.0, 0.0], [100.0, -80.0]])
    result = build_lattice(features).filter(torch.eye(2))
    assert float(result[0, 1]) == 0.0
    assert float(result[1, 0]) == 0.0
    assert 0.5 < float(result[0, 0]) < 1.1


def test_equal_points_share_their_values() -> None:
    result = build_lattice(torch.full((3, 5), 0.3)).filter(torch.tensor([[1.0], [2.0], [4.0]]))
    torch.testing.assert_close(result, result[:1].expand(3, 1))


@pytest.mark.parametrize("dims", [2, 5])
def test_float32_agrees_with_float64(dims: int) -> None:
    precise = build_lattice(points(300, dims, 4.0)).filter(values(300))
    single = build_lattice(points(300, dims, 4.0, torch.float32)).filter(values(300).float())
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), precise, rtol=1e-4, atol=1e-4)


def test_gradient_is_the_transposed_filter() -> None:
    features = points(60, 2, 3.0)
    lattice = build_lattice(features)
    inputs = values(60).requires_grad_()
    weights = values(60).flip(0)
    (lattice.filter(inputs) * weights).sum().backward()
    matrix = lattice.filter(torch.eye(60, dtype=torch.float64))
    assert inputs.grad is not None
    torch.testing.assert_close(inputs.grad, matrix.T @ weights)


def test_rows_are_a_part_of_the_matrix() -> None:
    lattice = build_lattice(points(50, 2, 5.0))
    corners = lattice.blurred_corners(values(50))
    part = lattice.slice.rows(10, 30) @ corners
    torch.testing.assert_close(part, lattice.filter(values(50))[10:30])


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (torch.zeros(3), "must be"),
        (torch.zeros(0, 2), "must be"),
        (torch.zeros(4, 2, dtype=torch.int64), "float32 or float64"),
        (torch.tensor([[0.0, float("nan")]]), "not finite"),
        (torch.tensor([[0.0, 1e6]]), "standard deviations"),
        (torch.eye(6)[:, :5] * 6e4, "cells of the lattice"),
    ],
)
def test_wrong_features_are_refused(features: Tensor, message: str) -> None:
    with pytest.raises(InputError, match=message):
        build_lattice(features)
