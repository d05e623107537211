"""What the arguments of the sampled convolution may be, and the messages where they are not."""

from typing import Literal

from torch import Tensor

from saccade.errors import InputError

Interpolation = Literal["nearest", "bilinear"]
Border = Literal["clamp", "zero"]
Backend = Literal["auto", "chunked", "traced", "fused", "reference"]


_CHOICES = {
    "interpolation": ("nearest", "bilinear"),
    "border": ("clamp", "zero"),
    "backend": ("auto", "chunked", "traced", "fused", "reference"),
    "granularity": ("location", "tap", "layer"),
    "rounding": ("nearest", "floor", "none"),
}


def check_names(**names: str) -> None:
    """Raises InputError for a choice that does not exist."""
    for name, value in names.items():
        if value not in _CHOICES[name]:
            raise InputError(f"{name} is {value!r}, must be one of {', '.join(_CHOICES[name])}")


def check_input(input: Tensor) -> None:
    """Raises InputError unless the input is a floating (B, Cin, H, W) with a pixel to sample."""
    if input.ndim != 4 or not input.is_floating_point():
        raise InputError(f"input is {_show(input)}, must be floating (B, Cin, H, W)")
    if input.shape[2] * input.shape[3] == 0:
        raise InputError(f"input is {_show(input)}, must have at least one pixel to sample")


def check_weight(weight: Tensor, channels: int, groups: int) -> None:
    """Raises InputError unless the weight is (Cout, channels / groups, kh, kw)."""
    fits = weight.ndim == 4 and groups >= 1 and weight.shape[1] * groups == channels
    if not fits or weight.shape[0] % groups:
        raise InputError(
            f"weight is {_show(weight)}, must be (Cout, Cin / groups, kh, kw) with Cin {channels}, "
            f"groups {groups} and Cout a multiple of groups"
        )


def check_same_kind(input: Tensor, **others: Tensor | None) -> None:
    """Raises InputError unless the others have the dtype and device of the input."""
    for name, tensor in others.items():
        if tensor is None:
            continue
        if tensor.dtype != input.dtype or tensor.device != input.device:
            raise InputError(
                f"{name} is {tensor.dtype} on {tensor.device}, must be {input.dtype} on "
                f"{input.device} as the input is"
            )


def check_bias(bias: Tensor | None, cout: int) -> None:
    """Raises InputError unless the bias is (cout,) or None."""
    if bias is not None and bias.shape != (cout,):
        raise InputError(f"bias is {_show(bias)}, must be ({cout},)")


def check_positions(positions: Tensor, taps: int, batch: int) -> None:
    """Raises InputError unless the positions are (batch or 1, taps, 2, Ho, Wo)."""
    fits = positions.ndim == 5 and positions.shape[1:3] == (taps, 2)
    if not fits or positions.shape[0] not in (batch, 1):
        raise InputError(
            f"positions is {_show(positions)}, must be (B or 1, {taps}, 2, Ho, Wo) with B {batch}"
        )


def check_mask(mask: Tensor | None, positions: Tensor, batch: int) -> None:
    """Raises InputError unless the mask is (batch or 1, T, Ho, Wo) of the positions, or None."""
    if mask is None:
        return
    shape = (positions.shape[1], *positions.shape[3:])
    if mask.shape[1:] != shape or mask.shape[0] not in (batch, 1):
        raise InputError(f"mask is {_show(mask)}, must be (B or 1, *{shape}) with B {batch}")


def _show(tensor: Tensor) -> str:
    return f"{tensor.dtype} {tuple(tensor.shape)}"
