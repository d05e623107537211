"""Our deformable convolution against torchvision's."""

import pytest
import torch
from torch import Tensor
from torchvision.ops import deform_conv2d as torchvision_deform_conv2d

from saccade.errors import InputError
from saccade.ops import deform_conv2d


def draw(*shape: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "dilation", "groups"),
    [
        ((3, 3), 1, 1, 1, 1),
        ((3, 3), 2, 1, 1, 2),
        ((3, 1), 1, (2, 0), (2, 1), 4),
        ((2, 4), (1, 2), (1, 3), 1, 1),
    ],
)
def test_equals_torchvision_with_gradients(
    masked: bool,
    kernel: tuple[int, int],
    stride: int | tuple[int, int],
    padding: int | tuple[int, int],
    dilation: int | tuple[int, int],
    groups: int,
) -> None:
    x, weight = draw(2, 4, 7, 9, seed=1), draw(8, 4 // groups, *kernel, seed=2)
    bias = draw(8, seed=3)
    geometry = {"stride": stride, "padding": padding, "dilation": dilation}
    out_size = torch.nn.functional.conv2d(x, weight, groups=groups, **geometry).shape[2:]
    taps = kernel[0] * kernel[1]
    offset = draw(2, 2 * taps, *out_size, seed=4) * 3  # many corners outside
    mask = draw(2, taps, *out_size, seed=5) if masked else None
    leaves = [t.requires_grad_() for t in (x, offset, weight, bias, mask) if t is not None]
    actual = deform_conv2d(x, offset, weight, bias, mask=mask, groups=groups, **geometry)
    expected = torchvision_deform_conv2d(x, offset, weight, bias, mask=mask, **geometry)
    torch.testing.assert_close(actual, expected)
    upstream = draw(*expected.shape, seed=6)
    torch.testing.assert_close(
        torch.autograd.grad(actual, leaves, upstream),
        torch.autograd.grad(expected, leaves, upstream),
    )


def test_offsets_in_half_precision_do_not_round_the_grid() -> None:
    # bf16 has no odd numbers beyond 256: a grid in bf16 would sample neighbours.
    x = torch.arange(400.0).view(1, 1, 1, 400)
    zero = torch.zeros(1, 2, 1, 400, dtype=torch.bfloat16)
    out = deform_conv2d(x, zero, torch.ones(1, 1, 1, 1))
    assert torch.equal(out, x)


def test_refuses_offsets_of_another_size() -> None:
    with pytest.raises(InputError, match=r"offset is .* must be \(1, 18, 5, 5\)"):
        deform_conv2d(
            torch.zeros(1, 2, 5, 5),
            torch.zeros(1, 18, 4, 5),
            torch.zeros(2, 2, 3, 3),
            padding=1,
        )
