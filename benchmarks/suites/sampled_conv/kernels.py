"""The fused kernel on the device at hand: held against the reference, and its block sizes timed."""

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor

from saccade.errors import InputError
from saccade.ops import (
    gaussian_conv2d,
    gaussian_positions,
    sampled_conv2d,
    sampled_conv2d_reference,
)
from saccade.ops.fused import reason_against
from saccade.ops.fused.plan import Blocks, Sampling, Wanted, choose_blocks

# Largest error as a share of the largest value, as docs/reference/sampled-convolution.md has it;
# a gradient of squares is allowed four times as much.
TOLERANCE = {torch.float32: 1e-5, torch.float16: 5e-3, torch.bfloat16: 4e-2}
Case = tuple[str, torch.dtype, Callable[..., Tensor], Callable[..., Tensor], dict[str, Tensor]]


def require(device: str, option: str) -> None:
    """Raises InputError where the kernel cannot run."""
    reason = reason_against(torch.empty(1, device=device))
    if reason is not None:
        raise InputError(f"{option}: no fused kernel here: {reason}")


def check(device: str, channels: int, size: tuple[int, int] = (61, 83)) -> bool:
    """Print every error of the kernel beside its bound; False if one is beyond."""
    good = True
    for name, dtype, run, reference, tensors in _cases(device, channels, size):
        leaves = [t.detach().requires_grad_() for t in tensors.values()]
        exact = [t.detach().double().requires_grad_() for t in tensors.values()]
        pairs = zip(
            ("out", *tensors), _results(run, leaves), _results(reference, exact), strict=True
        )
        for part, mine, theirs in pairs:
            if theirs is None:
                continue
            bound = TOLERANCE[dtype] * (1 if part == "out" else 4)
            error = ((mine.double() - theirs).abs().max() / theirs.abs().max()).item()
            good &= error <= bound
            verdict = "ok" if error <= bound else "WRONG"
            print(f"{verdict:5}  {name:40} {part:10} {error:.1e}  at most {bound:.0e}")
    return _same_positions(device, size) and good


def _cases(device: str, channels: int, size: tuple[int, int]) -> Iterator[Case]:
    generator = torch.Generator().manual_seed(0)

    def made(*shape: int, scale: float = 1.0) -> Tensor:
        return (torch.randn(shape, generator=generator) * scale).to(device)

    drawn = {"sigma": 0.2 * min(size), "seed": 5}
    for dtype in TOLERANCE:
        tensors = {
            "input": made(2, channels, *size)
            .to(dtype)
            .contiguous(memory_format=torch.channels_last),
            "weight": made(channels, channels, 3, 3).to(dtype),
            "bias": made(channels).to(dtype),
        }
        where = {"positions": made(2, 9, 2, *size, scale=30) + 30, "mask": made(2, 9, *size)}
        for mode in itertools.product(("nearest", "bilinear"), ("clamp", "zero")):
            options = {"interpolation": mode[0], "border": mode[1]}
            run = partial(_explicit, sampled_conv2d, {**options, "backend": "fused"})
            reference = partial(_explicit, sampled_conv2d_reference, options)
            yield f"{_name(dtype)} {' '.join(mode)}", dtype, run, reference, {**tensors, **where}
        for rounding in ("nearest", "none"):
            run = partial(gaussian_conv2d, rounding=rounding, backend="fused", **drawn)
            reference = partial(gaussian_conv2d, rounding=rounding, backend="reference", **drawn)
            yield f"{_name(dtype)} drawn, rounding {rounding}", dtype, run, reference, tensors


def _explicit(function: Callable[..., Tensor], options: dict[str, Any], *tensors: Tensor) -> Tensor:
    x, weight, bias, positions, mask = tensors
    return function(x, weight, bias, positions=positions, mask=mask, **options)


def _results(run: Callable[..., Tensor], leaves: list[Tensor]) -> list[Any]:
    """The output and the gradients of its square's sum, None where nothing depends."""
    out = run(*leaves)
    loss = out.double().square().sum() / 64  # the weight's gradient would leave float16's range
    grads = torch.autograd.grad(loss, leaves, allow_unused=True)
    return [out.detach(), *grads]


def _same_positions(device: str, size: tuple[int, int]) -> bool:
    """Whether the kernel draws what `gaussian_positions` draws on the CPU, read off a ramp."""
    y, x = torch.meshgrid(*(torch.arange(float(n)) for n in size), indexing="ij")
    ramp = torch.stack([y, x]).unsqueeze(0).to(device)
    taps = torch.eye(18).view(18, 9, 2).transpose(1, 2).reshape(18, 2, 3, 3).to(device)
    drawn = gaussian_positions(size, 3, 9.0, seed=5)[0]
    limit = torch.tensor(size).view(2, 1, 1) - 1
    expected = torch.minimum(drawn.clamp_min(0), limit)
    read = gaussian_conv2d(ramp, taps, sigma=9.0, seed=5, backend="fused").view(9, 2, *size)
    apart = int((read.cpu() != expected).sum())
    print(f"{'ok' if apart == 0 else 'WRONG':5}  {apart} of {drawn.numel()} coordinates differ")
    return apart == 0


def tune(device: str, channels: int, size: tuple[int, int] = (160, 240), batch: int = 8) -> None:
    """Print the time of forward and backward for every choice of blocks, the fastest first."""
    from triton.testing import do_bench

    from saccade.ops.fused.launch import Launch

    for dtype, bilinear in itertools.product(TOLERANCE, (False, True)):
        x = torch.randn(batch, channels, *size, device=device, dtype=dtype)
        x = x.contiguous(memory_format=torch.channels_last)
        weight = torch.randn(channels, channels, 3, 3, device=device, dtype=dtype)
        sampling = Sampling(bilinear, False, 1, 32.0, 32.0)
        seed = torch.tensor(0, device=device)
        usual = choose_blocks(channels, channels, sampling, dtype)
        wanted = Wanted(image=True, where=False, mask=False)
        lines = []
        for blocks in _neighbours(usual, channels):
            launch = Launch(x, weight, None, None, seed, sampling, blocks)
            try:
                times = [
                    do_bench(run)
                    for run in (
                        partial(launch.forward, None),
                        partial(launch.columns_grad, x, wanted),
                        partial(launch.weight_grad, x),
                    )
                ]
            except Exception as error:  # too much shared memory, by whatever name Triton gives it
                print(f"{blocks}: {type(error).__name__}: {str(error).splitlines()[:1]}")
                continue
            lines.append((sum(times), times, blocks))
        print(f"{_name(dtype)}, {'bilinear' if bilinear else 'nearest'}: forward, columns, weight")
        for _, times, blocks in sorted(lines)[:8]:
            mark = " <- used" if blocks == usual else ""
            print("  ".join(f"{ms:7.3f} ms" for ms in times), blocks, mark)


def _neighbours(usual: Blocks, channels: int) -> Iterator[Blocks]:
    widths = [width for width in (16, 32, 64, 128) if width < 2 * channels]
    for points, width, warps, stages in itertools.product((32, 64, 128), widths, (4, 8), (1, 2, 3)):
        yield Blocks(points, width, usual.outputs, warps, stages)


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
