"""What the tests of the sampled convolution share."""

import pytest
import torch
from torch import Tensor

from saccade.ops import sampled_conv2d

CUDA = pytest.param(
    "cuda",
    marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
)


DEVICES = ["cpu", CUDA]


FAST = ["chunked", "traced"]


MODES = [(i, b) for i in ("nearest", "bilinear") for b in ("clamp", "zero")]


# Largest error allowed, as a share of the largest value of the expected tensor.
TOLERANCE = {
    torch.float64: 1e-12,
    torch.float32: 1e-5,
    torch.float16: 5e-3,
    torch.bfloat16: 4e-2,
}


def assert_near(actual: Tensor, expected: Tensor) -> None:
    assert actual.shape == expected.shape
    scale = expected.abs().max().item() if expected.numel() else 1.0
    torch.testing.assert_close(
        actual.double(), expected.double(), rtol=0, atol=TOLERANCE[actual.dtype] * max(scale, 1e-6)
    )


def draw(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)


def case(
    *,
    batch: int = 2,
    channels: int = 4,
    cout: int = 6,
    size: tuple[int, int] = (7, 5),
    kernel: tuple[int, int] = (3, 3),
    groups: int = 1,
    shared: bool = False,
    out_size: tuple[int, int] = (4, 6),
    dtype: torch.dtype = torch.float64,
) -> dict[str, Tensor]:
    """Arguments whose positions lie inside, on and far outside of the border."""
    taps = kernel[0] * kernel[1]
    spread = torch.tensor(size, dtype=torch.float64).view(2, 1, 1)
    positions = draw(1 if shared else batch, taps, 2, *out_size, seed=1) * spread + spread / 2
    coordinate = torch.float64 if dtype == torch.float64 else torch.float32
    return {
        "input": draw(batch, channels, *size, seed=2, dtype=dtype),
        "weight": draw(cout, channels // groups, *kernel, seed=3, dtype=dtype),
        "bias": draw(cout, seed=4, dtype=dtype),
        "positions": positions.to(coordinate),
        "mask": draw(batch, taps, *out_size, seed=5, dtype=coordinate),
    }


def results(arguments: dict[str, Tensor], backend: str, **options: object) -> dict[str, Tensor]:
    """Output and gradients, by name, of the mean square of the output."""
    leaves = {k: v.clone().requires_grad_() for k, v in arguments.items()}
    out = sampled_conv2d(**leaves, backend=backend, **options)
    out.double().square().mean().backward()
    grads = {f"grad {k}": v.grad for k, v in leaves.items() if v.grad is not None}
    return {"out": out.detach(), **grads}


def on(device: str, arguments: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k: v.to(device) for k, v in arguments.items()}
