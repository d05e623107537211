"""Convolution at free sampling positions: checks, dispatch and memory layout."""

import torch
from torch import Tensor

from saccade.errors import InputError
from saccade.ops.exporting import is_exporting
from saccade.ops.fused import fused_conv2d, reason_against
from saccade.ops.fused.plan import Sampling
from saccade.ops.sampled_conv.checks import (
    Backend,
    Border,
    Interpolation,
    check_bias,
    check_input,
    check_mask,
    check_names,
    check_positions,
    check_same_kind,
    check_weight,
)
from saccade.ops.sampled_conv.chunked import chunked_conv
from saccade.ops.sampled_conv.contract import weight_matrix
from saccade.ops.sampled_conv.reference import sampled_conv2d_reference
from saccade.ops.sampled_conv.taps import gather_plan
from saccade.ops.sampled_conv.traced import traced_conv

_GROUP_CHANNELS_MIN = 8


def sampled_conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    positions: Tensor,
    interpolation: Interpolation = "nearest",
    border: Border = "clamp",
    groups: int = 1,
    mask: Tensor | None = None,
    backend: Backend = "auto",
) -> Tensor:
    """Convolution whose taps read the input wherever `positions` says.

    out[b, :, p] = bias + sum over taps t of mask[b, t, p] * weight[:, :, t] @ input[b, :, at]
    with at = positions[b, t, :, p]. That is an ordinary convolution for the positions of eq. 1
    of the GDC paper with offset 1, GDC for random offsets, a deformable convolution for
    predicted ones.

    Args:
        input: (B, Cin, H, W).
        weight: (Cout, Cin / groups, kh, kw); T = kh * kw taps in row-major order.
        bias: (Cout,) or None.
        positions: (B or 1, T, 2, Ho, Wo), absolute (y, x) in pixels of the input, pixel centres
            at whole numbers. Ho and Wo are free: P chosen locations are Ho = P, Wo = 1. Floating
            (float32 at least: bf16 has no fraction beyond 256) or integer.
        interpolation: "nearest" takes floor(v + 0.5) and passes no gradient to the positions;
            "bilinear" does.
        border: "clamp" moves coordinates into [0, H - 1] and [0, W - 1]; "zero" lets pixels
            outside count as 0, for bilinear each of the four corners by itself, as
            `torchvision.ops.deform_conv2d` does.
        groups: groups of channels; Cin for depthwise.
        mask: (B or 1, T, Ho, Wo) factors of the taps (DCNv2), or None.
        backend: "chunked" is the eager path, "traced" plain operations for compilers, "fused"
            the Triton kernel (`ops.fused`), "reference" the slow oracle. "auto" takes "fused"
            on CUDA where it can and is worth it (not for groups of few channels, double
            precision, deterministic algorithms or export), else "traced" while compiling or
            exporting, else "chunked". All take the same arguments; "fused" only on CUDA and in
            single or half precision. "chunked" and "fused" are differentiable once, the others
            as often as wanted.

    Returns:
        (B, Cout, Ho, Wo) in the dtype of the input, under autocast in that of autocast;
        channels-last where the input is.

    Raises:
        InputError: shapes, dtypes or names that do not fit each other.

    >>> x, weight = torch.rand(1, 3, 8, 9), torch.rand(4, 3, 3, 3)
    >>> from saccade.ops import conv_positions
    >>> positions = conv_positions((8, 9), 3, padding=1)
    >>> found = sampled_conv2d(x, weight, positions=positions, border="zero")
    >>> torch.allclose(found, torch.nn.functional.conv2d(x, weight, padding=1), atol=1e-5)
    True
    """
    check_names(interpolation=interpolation, border=border, backend=backend)
    input, weight, bias = check_and_cast(input, weight, bias, groups)
    check_positions(positions, weight.shape[2] * weight.shape[3], input.shape[0])
    check_mask(mask, positions, input.shape[0])
    if positions.dtype in (torch.float16, torch.bfloat16):
        positions = positions.to(torch.float32)
    path = choose_path(backend, input, groups)
    if path == "reference":
        return sampled_conv2d_reference(
            input,
            weight,
            bias,
            positions=positions,
            interpolation=interpolation,
            border=border,
            groups=groups,
            mask=mask,
        )
    if path == "fused":
        sampling = Sampling(interpolation == "bilinear", border == "zero", groups)
        single = positions.to(torch.float32)
        factors = None if mask is None else mask.to(torch.float32)
        fused: Tensor = fused_conv2d(input, weight, bias, single, factors, None, *sampling)
        return fused
    indices, scales = gather_plan(
        positions,
        (input.shape[2], input.shape[3]),
        interpolation=interpolation,
        border=border,
        mask=mask,
    )
    rows = input.flatten(2).transpose(1, 2).contiguous()  # no copy for channels-last
    conv = traced_conv if path == "traced" else chunked_conv
    out = conv(rows, weight_matrix(weight, groups), indices, scales)  # (B, P, Cout)
    if bias is not None:
        # In place where nothing else holds the tensor: a fresh one costs as much as a GEMM.
        out = out + bias if path == "traced" else out.add_(bias)
    image = out.view(out.shape[0], *positions.shape[3:], out.shape[2]).permute(0, 3, 1, 2)
    return image if _channels_last(input) else image.contiguous()


def check_and_cast(
    input: Tensor, weight: Tensor, bias: Tensor | None, groups: int
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Input, weight and bias of a sampled convolution, checked, in the dtype of autocast.

    Raises:
        InputError: shapes or dtypes that do not fit each other.
    """
    check_input(input)
    check_weight(weight, input.shape[1], groups)
    check_bias(bias, weight.shape[0])
    input, weight = _autocast(input), _autocast(weight)
    bias = None if bias is None else _autocast(bias)
    check_same_kind(input, weight=weight, bias=bias)
    return input, weight, bias


def choose_path(backend: Backend, input: Tensor, groups: int) -> Backend:
    """The path that "auto" takes for this input, and any other as it is.

    Raises:
        InputError: "fused" where the kernel cannot run.
    """
    if backend == "fused":
        reason = reason_against(input)
        if reason is not None:
            raise InputError(f"backend is 'fused', must be another here: {reason}")
    if backend != "auto":
        return backend
    # The kernel multiplies blocks of 16 channels at least, which narrow groups would leave empty,
    # and adds up the input's gradient in any order.
    narrow = groups > 1 and input.shape[1] // groups < _GROUP_CHANNELS_MIN
    fits = not narrow and not torch.are_deterministic_algorithms_enabled()
    fits = fits and input.is_cuda and not is_exporting()
    if fits and reason_against(input) is None:
        return "fused"
    return "traced" if torch.compiler.is_compiling() else "chunked"


def _autocast(tensor: Tensor) -> Tensor:
    kind = tensor.device.type
    # Double stays double, as for torch's own convolutions.
    if tensor.dtype == torch.float64 or not torch.is_autocast_enabled(kind):
        return tensor
    return tensor.to(torch.get_autocast_dtype(kind))


def _channels_last(tensor: Tensor) -> bool:
    last = tensor.is_contiguous(memory_format=torch.channels_last)
    return last and not tensor.is_contiguous()
