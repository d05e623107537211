"""The fused convolution as a PyTorch operator: schema, fake tensors, gradient.

`torch.ops.saccade.sampled_conv2d` is opaque to compilers, so a compiled model launches the same
kernels as an eager one. It is differentiable once and runs where `fused.reason_against` finds
nothing to object to; call it through `ops.sampled_conv2d` and `ops.gaussian_conv2d`, which check.
"""

from typing import Any, Sequence  # noqa: UP035 - the only spelling that PyTorch 2.6 knows

import torch
from torch import Tensor

from saccade.ops.fused.plan import Sampling, Wanted, empty_output


@torch.library.custom_op("saccade::sampled_conv2d", mutates_args=())
def fused_conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    positions: Tensor | None,
    mask: Tensor | None,
    seed: Tensor | None,
    bilinear: bool,
    zero: bool,
    groups: int,
    sigma_y: float,
    sigma_x: float,
    granularity: str,
    floor: bool,
) -> Tensor:
    """Sampled convolution at `positions`, or where they are None at those drawn from `seed`.

    Args:
        input: (B, Cin, H, W) float32, float16 or bfloat16.
        weight: (Cout, Cin / groups, kh, kw) in the same dtype.
        bias: (Cout,) or None.
        positions: (B or 1, T, 2, Ho, Wo) float32, or None.
        mask: (B or 1, T, Ho, Wo) float32, or None.
        seed: () int64, or None with positions.
        bilinear: interpolate, or take the nearest pixel.
        zero: pixels outside count as 0, or are those of the border.
        groups: groups of channels.
        sigma_y: standard deviation in pixels of drawn positions.
        sigma_x: the same along x.
        granularity: "location", "tap" or "layer".
        floor: round drawn positions down.

    Returns:
        (B, Cout, Ho, Wo), with (Ho, Wo) = (H, W) for drawn positions.
    """
    from saccade.ops.fused.launch import Launch

    sampling = Sampling(bilinear, zero, groups, sigma_y, sigma_x, granularity, floor)
    return Launch(input, weight, positions, mask, seed, sampling).forward(bias)


@fused_conv2d.register_fake
def _(input: Tensor, weight: Tensor, bias: Any, positions: Tensor | None, *_: Any) -> Tensor:
    size = input.shape[2:] if positions is None else positions.shape[3:]
    return empty_output(input, weight.shape[0], tuple(size))


@torch.library.custom_op("saccade::sampled_conv2d_backward", mutates_args=())
def fused_conv2d_backward(
    grad_output: Tensor,
    input: Tensor,
    weight: Tensor,
    positions: Tensor | None,
    mask: Tensor | None,
    seed: Tensor | None,
    bilinear: bool,
    zero: bool,
    groups: int,
    sigma_y: float,
    sigma_x: float,
    granularity: str,
    floor: bool,
    wanted: Sequence[bool],
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Gradients of input, weight, positions and mask; (0,) for those not in `wanted`."""
    from saccade.ops.fused.launch import Launch

    sampling = Sampling(bilinear, zero, groups, sigma_y, sigma_x, granularity, floor)
    launch = Launch(input, weight, positions, mask, seed, sampling)
    asked = Wanted(image=wanted[0], where=wanted[2], mask=wanted[3])
    made = launch.columns_grad(grad_output, asked) if any(asked) else (None, None, None)
    weight_grad = launch.weight_grad(grad_output) if wanted[1] else None
    none = input.new_empty(0)
    by_input, by_positions, by_mask = made
    grads = (by_input, weight_grad, by_positions, by_mask)
    first, second, third, fourth = (none.clone() if g is None else g for g in grads)
    return first, second, third, fourth


@fused_conv2d_backward.register_fake
def _(
    grad_output: Tensor,
    input: Tensor,
    weight: Tensor,
    positions: Tensor | None,
    mask: Tensor | None,
    *rest: Any,
) -> tuple[Tensor, ...]:
    grads = [torch.empty_like(input), weight.new_empty(weight.shape)]
    for tensor in (positions, mask):
        grads.append(input.new_empty(0) if tensor is None else tensor.new_empty(tensor.shape))
    wanted = rest[-1]
    return tuple(
        grad if asked else input.new_empty(0) for grad, asked in zip(grads, wanted, strict=True)
    )


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    input, weight, _, positions, mask, seed, *rest = inputs
    ctx.save_for_backward(input, weight, positions, mask, seed)
    ctx.rest = rest


def _backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    input, weight, positions, mask, seed = ctx.saved_tensors
    needed = ctx.needs_input_grad
    bilinear = ctx.rest[0]
    wanted = [needed[0], needed[1], needed[3] and bilinear, needed[4]]
    grads: list[Tensor | None] = [None] * 4
    if any(wanted):
        made = fused_conv2d_backward(grad, input, weight, positions, mask, seed, *ctx.rest, wanted)
        grads = [g if asked else None for g, asked in zip(made, wanted, strict=True)]
    by_bias = grad.sum((0, 2, 3)) if needed[2] else None
    by_input, by_weight, by_positions, by_mask = grads
    return by_input, by_weight, by_bias, by_positions, by_mask, *([None] * (1 + len(ctx.rest)))


fused_conv2d.register_autograd(_backward, setup_context=_setup_context)
