"""The deformable layer against torchvision's operator and the ordinary convolution."""

import pytest
import torch
from torch import Tensor, nn
from torchvision.ops import deform_conv2d

from saccade.nn import DeformConv2d


def image(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


def stirred(layer: DeformConv2d) -> DeformConv2d:
    """The layer with a predictor that predicts something."""
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in layer.predictor.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.3)
    return layer


@pytest.mark.parametrize("modulated", [False, True])
@pytest.mark.parametrize(
    "geometry",
    [{}, {"stride": 2}, {"dilation": (2, 3)}, {"padding": 0, "groups": 2}, {"kernel_size": (5, 1)}],
    ids=str,
)
def test_starts_as_an_ordinary_convolution(
    modulated: bool, geometry: dict[str, int | tuple[int, int]]
) -> None:
    layer = DeformConv2d(4, 6, modulated=modulated, **geometry)
    plain = nn.Conv2d(
        4,
        6,
        layer.weight.shape[2:],
        stride=layer.stride,
        padding=layer.padding,
        dilation=layer.dilation,
        groups=layer.groups,
        bias=False,
    )
    plain.weight = layer.weight
    x = image(2, 4, 9, 8)
    response = plain(x) * (0.5 if modulated else 1.0)  # sigmoid(0)
    expected = response + layer.bias.view(1, -1, 1, 1)
    torch.testing.assert_close(layer(x), expected)
    if not geometry.keys() & {"stride", "padding"}:
        assert layer(x).shape[2:] == x.shape[2:]


@pytest.mark.parametrize("modulated", [False, True])
def test_equals_torchvision_with_gradients(modulated: bool) -> None:
    layer = stirred(DeformConv2d(4, 6, dilation=2, modulated=modulated)).double()
    x = image(2, 4, 9, 8).double().requires_grad_()
    predicted = layer.predictor(x)
    expected = deform_conv2d(
        x,
        predicted[:, :18],
        layer.weight,
        layer.bias,
        padding=2,
        dilation=2,
        mask=predicted[:, 18:].sigmoid() if modulated else None,
    )
    actual = layer(x)
    torch.testing.assert_close(actual, expected)
    leaves = [x, *layer.parameters()]
    torch.testing.assert_close(
        torch.autograd.grad(actual.square().sum(), leaves),
        torch.autograd.grad(expected.square().sum(), leaves),
    )


def test_the_predictor_learns_from_zero() -> None:
    layer = DeformConv2d(4, 6)
    layer(image(1, 4, 9, 8)).square().mean().backward()
    assert layer.predictor.weight.grad is not None
    assert layer.predictor.weight.grad.abs().sum() > 0


def test_autocast_keeps_half_precision() -> None:
    layer = stirred(DeformConv2d(4, 6, modulated=True))
    x = image(1, 4, 9, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = layer(x)
    assert out.dtype == torch.bfloat16
    out.float().sum().backward()
    assert layer.weight.grad is not None


def test_compiles_as_one_graph() -> None:
    layer = stirred(DeformConv2d(4, 6))
    x = image(1, 4, 9, 8)
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x), layer(x))
