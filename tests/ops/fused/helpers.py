"""What the tests of the fused kernels share."""

import os

import torch
from torch import Tensor

from saccade.ops import (
    sampled_conv2d,
)
from saccade.ops.fused import reason_against

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"


DEVICE = "cuda" if torch.cuda.is_available() and not INTERPRETED else "cpu"


REASON = reason_against(torch.empty(1, device=DEVICE))


MODES = [(i, b) for i in ("nearest", "bilinear") for b in ("clamp", "zero")]


HALF = [torch.float16, torch.bfloat16]


HALF_MODES = MODES if DEVICE == "cuda" else [("nearest", "clamp"), ("bilinear", "zero")]


# Largest error, as a share of the largest value, that docs/reference/sampled-convolution.md allows.
TOLERANCE = {torch.float32: 1e-5, torch.float16: 5e-3, torch.bfloat16: 4e-2}


def draw(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(DEVICE, dtype)


def case(
    *,
    batch: int = 2,
    channels: int = 5,
    cout: int = 3,
    size: tuple[int, int] = (5, 4),
    kernel: tuple[int, int] = (1, 2),
    groups: int = 1,
    shared: bool = False,
    out_size: tuple[int, int] = (3, 4),
    dtype: torch.dtype = torch.float32,
) -> dict[str, Tensor]:
    """Arguments whose positions lie inside, on and far outside of the border."""
    taps = kernel[0] * kernel[1]
    spread = torch.tensor(size, device=DEVICE).view(2, 1, 1)
    batches = 1 if shared else batch
    return {
        "input": draw(batch, channels, *size, seed=2, dtype=dtype),
        "weight": draw(cout, channels // groups, *kernel, seed=3, dtype=dtype),
        "bias": draw(cout, seed=4, dtype=dtype),
        "positions": draw(batches, taps, 2, *out_size, seed=1) * spread + spread / 2,
        "mask": draw(batches, taps, *out_size, seed=5),
    }


def results(arguments: dict[str, Tensor], backend: str, **options: object) -> dict[str, Tensor]:
    """Output and gradients, by name, of the mean square of the output."""
    leaves = {k: v.detach().clone().requires_grad_() for k, v in arguments.items()}
    out = sampled_conv2d(**leaves, backend=backend, **options)
    out.double().square().mean().backward()
    grads = {f"grad {k}": v.grad for k, v in leaves.items() if v.grad is not None}
    return {"out": out.detach(), **grads}


def assert_equals_reference(arguments: dict[str, Tensor], **options: object) -> None:
    dtype = arguments["input"].dtype
    exact = {k: v.double() for k, v in arguments.items()}
    expected = results(exact, "reference", **options)
    actual = results(arguments, "fused", **options)
    assert actual.keys() == expected.keys()
    for name, value in actual.items():
        assert value.shape == expected[name].shape, name
        scale = expected[name].abs().max().item()
        error = (value.double() - expected[name]).abs().max().item()
        # The gradient of a mean square doubles the error of the output.
        assert error <= 4 * TOLERANCE[dtype] * max(scale, 1e-6), name
