"""Where a convolution samples: directions of taps, and the positions that offsets make of them.

GDC paper, eq. 1: position = c + offset * direction, elementwise, for the centre c and the
directions e of the kernel's taps. Axis order is (y, x) everywhere, units are pixels of the
sampled map. Offsets come from `saccade.ops.offsets`.

Deviation: the paper's 3x3 directions are generalised to any kernel, to the whole numbers that
an ordinary convolution with "same" padding would use.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from saccade.errors import InputError

Scale = Literal["shortest", "axis"]
Rounding = Literal["nearest", "floor", "none"]


def as_pair(value: int | Sequence[int], name: str) -> tuple[int, int]:
    """An integer, or two in the order (y, x), as a pair; `name` is for the InputError."""
    pair = (value, value) if isinstance(value, int) else tuple(value)
    if len(pair) != 2:
        raise InputError(f"{name} is {value!r}, must be an integer or a pair (y, x)")
    return pair[0], pair[1]


def tap_directions(
    kernel_size: int | Sequence[int],
    *,
    device: torch.device | str | None = None,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """The set E of eq. 1: (T, 2) directions (y, x) of the taps in row-major order.

    A kernel of size k runs from -((k - 1) // 2); an even one has its surplus tap at the end, as
    `padding="same"` has.

    >>> tap_directions((1, 3)).tolist()
    [[0.0, -1.0], [0.0, 0.0], [0.0, 1.0]]
    """
    height, width = as_pair(kernel_size, "kernel_size")
    if height < 1 or width < 1:
        raise InputError(f"kernel_size is {kernel_size!r}, must be positive")
    rows = torch.arange(height, device=device, dtype=dtype) - (height - 1) // 2
    columns = torch.arange(width, device=device, dtype=dtype) - (width - 1) // 2
    return torch.cartesian_prod(rows, columns).view(-1, 2)


def map_scale(size: Sequence[int], scale: Scale) -> tuple[float, float]:
    """Factors (y, x) from the unit of the samplers to pixels of an (H, W) map.

    "shortest" is the shortest side on both axes (the s of the paper), "axis" the height for y
    and the width for x (the authors' code).

    >>> map_scale((30, 40), "shortest"), map_scale((30, 40), "axis")
    ((30.0, 30.0), (30.0, 40.0))
    """
    height, width = as_pair(size, "size")
    factors = {
        "shortest": (float(min(height, width)), float(min(height, width))),
        "axis": (float(height), float(width)),
    }
    if scale not in factors:
        raise InputError(f"scale is {scale!r}, must be one of {', '.join(factors)}")
    return factors[scale]


def grid_positions(
    output_size: Sequence[int],
    directions: Tensor,
    offsets: Tensor | float,
    *,
    stride: int | Sequence[int] = 1,
    origin: int | Sequence[int] = 0,
) -> Tensor:
    """Positions c + offset * e (eq. 1) with the centres c on a regular grid.

    Args:
        output_size: (Ho, Wo), the number of centres.
        directions: (T, 2) of `tap_directions`; may carry the factors of `map_scale`.
        offsets: broadcastable to (T, 2, Ho, Wo) or (B, T, 2, Ho, Wo); a number is a dilation.
        stride: distance of the centres, (y, x) or one number.
        origin: (y, x) of the first centre.

    Returns:
        (B or 1, T, 2, Ho, Wo) absolute (y, x).

    >>> grid_positions((4, 5), tap_directions(3), 2.0).shape
    torch.Size([1, 9, 2, 4, 5])
    """
    height, width = as_pair(output_size, "output_size")
    (step_y, step_x), (start_y, start_x) = as_pair(stride, "stride"), as_pair(origin, "origin")
    device, dtype = directions.device, directions.dtype
    y = torch.arange(height, device=device, dtype=dtype) * step_y + start_y
    x = torch.arange(width, device=device, dtype=dtype) * step_x + start_x
    centres = torch.stack(torch.meshgrid(y, x, indexing="ij"))  # (2, Ho, Wo)
    steps = directions.view(-1, 2, 1, 1)
    if isinstance(offsets, Tensor):
        positions = torch.addcmul(centres, offsets, steps)
    else:
        positions = centres + offsets * steps
    return positions if positions.ndim == 5 else positions.unsqueeze(0)


def conv_positions(
    input_size: Sequence[int],
    kernel_size: int | Sequence[int],
    *,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    device: torch.device | str | None = None,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Positions at which `torch.nn.functional.conv2d` samples.

    Args:
        input_size: (H, W) of the sampled map.
        kernel_size: (kh, kw) or one number, T = kh * kw.
        stride: as in conv2d.
        padding: as in conv2d; positions reach that far outside of the map.
        dilation: as in conv2d.
        device: where the result goes.
        dtype: floating dtype of the result.

    Returns:
        (1, T, 2, Ho, Wo) with the Ho and Wo of conv2d.

    Raises:
        InputError: the kernel does not fit into the padded map.

    >>> conv_positions((5, 6), 3, padding=1).shape
    torch.Size([1, 9, 2, 5, 6])
    """
    kernel, pad = as_pair(kernel_size, "kernel_size"), as_pair(padding, "padding")
    step, gap = as_pair(stride, "stride"), as_pair(dilation, "dilation")
    size = as_pair(input_size, "input_size")
    room = [n + 2 * p - d * (k - 1) - 1 for n, p, d, k in zip(size, pad, gap, kernel, strict=True)]
    if min(room) < 0:
        raise InputError(
            f"kernel {kernel} with dilation {gap} does not fit a map of {size} padded by {pad}"
        )
    centres = [r // s + 1 for r, s in zip(room, step, strict=True)]
    first = [d * ((k - 1) // 2) - p for d, k, p in zip(gap, kernel, pad, strict=True)]
    directions = tap_directions(kernel, device=device, dtype=dtype)
    directions = directions * torch.tensor(gap, device=device, dtype=dtype)
    return grid_positions(centres, directions, 1.0, stride=step, origin=first)


def positions_at(centres: Tensor, directions: Tensor, offsets: Tensor | float) -> Tensor:
    """Positions c + offset * e (eq. 1) of chosen centres only.

    Args:
        centres: (P, 2) absolute (y, x).
        directions: (T, 2) of `tap_directions`; may carry the factors of `map_scale`.
        offsets: broadcastable to (P, T, 2), or a number.

    Returns:
        (1, T, 2, P, 1): the convolution of these positions is (B, Cout, P, 1).

    Raises:
        InputError: `centres` is not (P, 2).

    >>> positions_at(torch.tensor([[3.0, 4.0]]), tap_directions(3), 2.0).shape
    torch.Size([1, 9, 2, 1, 1])
    """
    if centres.ndim != 2 or centres.shape[1] != 2:
        raise InputError(f"centres is {tuple(centres.shape)}, must be (P, 2) of (y, x)")
    positions = centres.to(directions.dtype).unsqueeze(1) + offsets * directions  # (P, T, 2)
    return positions.permute(1, 2, 0).unsqueeze(0).unsqueeze(-1)


def round_positions(positions: Tensor, rounding: Rounding) -> Tensor:
    """Positions on whole pixels, in the same dtype.

    "nearest" is floor(v + 0.5): halves go up, so that the sampled pattern does not depend on
    whether a centre is even. "floor" is what the GDC authors' code amounts to, biased up and
    left by half a pixel. "none" changes nothing (sample bilinearly then).

    >>> round_positions(torch.tensor([0.4, 1.6]), "nearest")
    tensor([0., 2.])
    """
    if rounding == "nearest":
        return (positions + 0.5).floor_()
    if rounding == "floor":
        return positions.floor()
    if rounding == "none":
        return positions
    raise InputError(f"rounding is {rounding!r}, must be one of nearest, floor, none")
