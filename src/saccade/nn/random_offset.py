"""What convolutions at random distances share; they differ in the distribution of the distances.

GDC paper, section III, eq. 1: each tap keeps its direction and takes a new random distance at
every call, in training and in evaluation alike.

Deviations: distances are scaled by the side of the sampled map (the paper does not say which),
positions are rounded to the nearest pixel and clamped to the map (the paper is silent), and the
draws come from a generator of the layer, never from the global one.
"""

from collections.abc import Sequence
from typing import TypedDict

import torch
from torch import Tensor

from saccade.nn.seeded import SeededConv2d
from saccade.ops import (
    Border,
    Granularity,
    Rounding,
    Scale,
    grid_positions,
    map_scale,
    offset_size,
    round_positions,
    sampled_conv2d,
    tap_directions,
)
from saccade.ops.positions import as_pair
from saccade.ops.sampled_conv.checks import check_names


class SamplingOptions(TypedDict, total=False):
    """Keywords of every convolution at random distances.

    Attributes:
        groups: groups of channels, by default 1.
        bias: whether to learn one, by default True.
        granularity: one offset per "location" (and tap and axis; the default), "tap" (and axis),
            or "layer".
        scale: distances are shares of the "shortest" side of the sampled map (the default), or of
            the side per "axis".
        rounding: of positions: "nearest" (the default), "floor", or "none" for bilinear sampling.
        border: what is read outside of the map: "clamp" (the default) or "zero".
        seed: of the layer's own generators; None, the default, takes entropy from the system.
    """

    groups: int
    bias: bool
    granularity: Granularity
    scale: Scale
    rounding: Rounding
    border: Border
    seed: int | None


class RandomOffsetConv2d(SeededConv2d):
    """Convolution at random distances; a subclass draws them in `_offsets`."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        *,
        groups: int = 1,
        bias: bool = True,
        granularity: Granularity = "location",
        scale: Scale = "shortest",
        rounding: Rounding = "nearest",
        border: Border = "clamp",
        seed: int | None = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, groups=groups, bias=bias, seed=seed
        )
        # Wrong names should fail here and not at the first image.
        offset_size(granularity, len(tap_directions(kernel_size)), (1, 1))
        map_scale((1, 1), scale)
        round_positions(torch.zeros(1), rounding)
        check_names(border=border)
        self.granularity, self.scale = granularity, scale
        self.rounding, self.border = rounding, border

    def draw(
        self, x_or_size: Tensor | Sequence[int], generator: torch.Generator | None = None
    ) -> Tensor:
        """Draws sampling positions.

        Args:
            x_or_size: the map (B, Cin, H, W) to be sampled, or its size (H, W).
            generator: source of the offsets, by default the layer's own.

        Returns:
            (1, T, 2, H, W) absolute (y, x), shared by the batch, on whole pixels unless the
            layer's rounding is "none". On the device of the map or of the weight.
        """
        if isinstance(x_or_size, Tensor):
            size, device = as_pair(x_or_size.shape[-2:], "size"), x_or_size.device
        else:
            size, device = as_pair(x_or_size, "size"), self.weight.device
        generator = generator if generator is not None else self._generator(device)
        directions = tap_directions(self.kernel_size, device=device)
        shape = offset_size(self.granularity, len(directions), size)
        offsets = self._offsets(shape, generator, device)
        reach = directions * torch.tensor(map_scale(size, self.scale), device=device)
        return round_positions(grid_positions(size, reach, offsets), self.rounding)

    def forward(
        self,
        x: Tensor,
        *,
        generator: torch.Generator | None = None,
        positions: Tensor | None = None,
    ) -> Tensor:
        """Convolves at new random positions.

        Args:
            x: (B, Cin, H, W).
            generator: source of the offsets, by default the layer's own.
            positions: (B or 1, T, 2, Ho, Wo) to use instead of a draw: a draw made before, a
                fixed grid, or few locations (Ho = P, Wo = 1). `torch.compile(fullgraph=True)`
                needs them, because a generator cannot enter a graph.

        Returns:
            (B, Cout, H, W), or (B, Cout, Ho, Wo) for given positions.
        """
        return sampled_conv2d(
            x,
            self.weight,
            self.bias,
            positions=self.draw(x, generator) if positions is None else positions,
            interpolation="bilinear" if self.rounding == "none" else "nearest",
            border=self.border,
            groups=self.groups,
        )

    def _offsets(
        self, size: Sequence[int], generator: torch.Generator, device: torch.device
    ) -> Tensor:
        raise NotImplementedError

    def extra_repr(self) -> str:
        """The configuration in one line."""
        return (
            f"{super().extra_repr()}, granularity={self.granularity!r}, scale={self.scale!r}, "
            f"rounding={self.rounding!r}, border={self.border!r}"
        )
