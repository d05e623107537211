"""One table of products, many draws: the same numbers as a convolution for each draw."""

import pytest
import torch
from torch import Tensor

from saccade.errors import InputError
from saccade.ops import sampled_conv2d_reference, sampled_sum, tap_products


def draw(*shape: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("border", ["clamp", "zero"])
@pytest.mark.parametrize("batch", [1, 2])
def test_equals_the_convolution_with_gradients(
    groups: int, interpolation: str, border: str, batch: int
) -> None:
    x, weight, bias = draw(2, 4, 5, 6, seed=1), draw(8, 4 // groups, 3, 2, seed=2), draw(8, seed=3)
    positions = draw(batch, 6, 2, 3, 4, seed=4) * 4 + 2
    leaves = [t.requires_grad_() for t in (x, weight, bias)]
    if interpolation == "bilinear":
        leaves.append(positions.requires_grad_())
    options = {"positions": positions, "interpolation": interpolation, "border": border}
    actual = sampled_sum(tap_products(x, weight, groups=groups), bias, **options)
    expected = sampled_conv2d_reference(x, weight, bias, groups=groups, **options)
    torch.testing.assert_close(actual, expected)
    upstream = draw(2, 8, 3, 4, seed=5)
    torch.testing.assert_close(
        torch.autograd.grad(actual, leaves, upstream),
        torch.autograd.grad(expected, leaves, upstream),
    )


@pytest.mark.parametrize(("batch", "points"), [(2, 0), (0, 3)])
def test_no_positions_give_an_empty_output(batch: int, points: int) -> None:
    products = tap_products(torch.ones(batch, 2, 3, 3), torch.ones(4, 2, 3, 3))
    out = sampled_sum(products, positions=torch.zeros(1, 9, 2, points, 1))
    assert out.shape == (batch, 4, points, 1)


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(InputError, match="Cin 3"):
        tap_products(torch.ones(1, 3, 4, 4), torch.ones(4, 2, 3, 3))
    products = tap_products(torch.ones(2, 2, 3, 3), torch.ones(4, 2, 3, 3))
    with pytest.raises(InputError, match="positions is"):
        sampled_sum(products, positions=torch.zeros(1, 4, 2, 3, 3))
    with pytest.raises(InputError, match="interpolation is"):
        sampled_sum(products, positions=torch.zeros(1, 9, 2, 3, 3), interpolation="cubic")
