"""Variant Gaussian dynamic convolution (GDC paper, section IV-B, eq. 4).

A dilated convolution whose dilation is drawn anew at every training step: one offset for the
whole kernel, on top of a constant base. Offsets are in pixels of the map, not shares of it.

Deviations: the dilation is rounded to whole pixels, at least 1, so that the layer runs as an
ordinary convolution with zero padding (the authors' code rounds too, the paper is silent); in
evaluation it stays at the base, where their code goes on drawing unless told otherwise.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional

from saccade.errors import InputError
from saccade.nn.seeded import SeededConv2d
from saccade.ops import half_gaussian_offsets, round_positions, truncated_gaussian_offsets
from saccade.ops.positions import as_pair
from saccade.ops.sampled_conv.checks import check_input, check_same_kind, check_weight

Distribution = Literal["half_gaussian", "truncated_normal"]
Evaluation = Literal["base", "sample", "mean"]

_SAMPLERS = {
    "half_gaussian": half_gaussian_offsets,
    "truncated_normal": truncated_gaussian_offsets,
}


class VariantGaussianDynamicConv2d(SeededConv2d):
    """Convolution with a random dilation base + offset (GDC paper, eq. 4), "same" size.

    With sigma 0 it is the dilated convolution. With a seed, weights and offsets depend on the
    seed alone, so give the layers of a network different ones; copies and loaded layers start
    their stream again.

    Args:
        in_channels: Cin.
        out_channels: Cout.
        kernel_size: odd, one number or (kh, kw).
        sigma: standard deviation of the offset in pixels of the map.
        base: dilation without an offset, in pixels of the map.
        stride: as in Conv2d.
        groups: groups of channels.
        bias: whether to learn one.
        distribution: "half_gaussian" adds to the base (paper); "truncated_normal", within
            +-2 sigma, goes both ways (authors' code).
        isotropic: the same offset on both axes (authors' code) instead of one per axis.
        evaluation: in eval mode, use the "base", a new "sample" at every call, or the "mean"
            of the outputs of several.
        samples: how many for the mean.
        seed: of the layer's own generator; None takes entropy from the system.

    Raises:
        InputError: an even kernel, sigma < 0, base, stride or samples < 1, unknown names, or
            channels that groups do not divide.

    Example:
        >>> layer = VariantGaussianDynamicConv2d(16, 32, sigma=2.0, base=9, seed=0)
        >>> layer.training, layer.draw()  # a new dilation (dy, dx) at every call
        (True, (12, 10))
        >>> layer(torch.rand(1, 16, 20, 30)).shape
        torch.Size([1, 32, 20, 30])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int] = 3,
        sigma: float = 2.0,
        *,
        base: int = 9,
        stride: int | Sequence[int] = 1,
        groups: int = 1,
        bias: bool = True,
        distribution: Distribution = "half_gaussian",
        isotropic: bool = False,
        evaluation: Evaluation = "base",
        samples: int = 8,
        seed: int | None = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, groups=groups, bias=bias, seed=seed
        )
        # The output of an even kernel would change its size with the dilation.
        if any(side % 2 == 0 for side in self.kernel_size):
            raise InputError(f"kernel_size is {kernel_size!r}, must be odd")
        _check_choice("distribution", distribution, get_args(Distribution))
        _check_choice("evaluation", evaluation, get_args(Evaluation))
        self.stride = _positive_pair(stride, "stride")
        for name, value in (("base", base), ("samples", samples)):
            if not isinstance(value, int) or value < 1:
                raise InputError(f"{name} is {value!r}, must be a whole number >= 1")
        self.sigma, self.base, self.isotropic = sigma, base, isotropic
        self.distribution, self.evaluation, self.samples = distribution, evaluation, samples
        self.draw(torch.Generator())  # a wrong sigma should fail here and not at the first image

    def draw(self, generator: torch.Generator | None = None) -> tuple[int, int]:
        """Draws a dilation (dy, dx) in pixels, each >= 1.

        Args:
            generator: source of the offset, by default the layer's own. That one lives on the
                CPU whatever the device of the layer: a dilation is two Python integers, and
                to fetch them from an accelerator would make every step wait.
        """
        generator = generator if generator is not None else self._generator(torch.device("cpu"))
        size = (1 if self.isotropic else 2,)
        offsets = _SAMPLERS[self.distribution](size, self.sigma, generator=generator)
        drawn = round_positions(self.base + offsets, "nearest").clamp_(min=1).int().tolist()
        return drawn[0], drawn[-1]

    def forward(
        self,
        x: Tensor,
        *,
        generator: torch.Generator | None = None,
        dilation: int | Sequence[int] | None = None,
    ) -> Tensor:
        """Convolves at a new dilation, or at that of `evaluation` in eval mode.

        Args:
            x: (B, Cin, H, W).
            generator: source of the offsets, if any are drawn; by default the layer's own.
            dilation: (dy, dx) or one number to use instead, for example a draw made before.
                `torch.compile(fullgraph=True)` needs it where the layer would draw, because a
                generator cannot enter a graph. Inductor compiles anew for every dilation, up to
                its recompile limit.

        Returns:
            (B, Cout, ceil(H / stride), ceil(W / stride)), whatever the dilation.
        """
        check_input(x)
        check_weight(self.weight, x.shape[1], self.groups)
        if not torch.is_autocast_enabled(x.device.type):
            check_same_kind(x, weight=self.weight, bias=self.bias)
        if dilation is not None:
            return self._convolve(x, _positive_pair(dilation, "dilation"))
        if self.training or self.evaluation == "sample":
            return self._convolve(x, self.draw(generator))
        if self.evaluation == "mean":
            # Equal draws are convolved once: with few pixels of sigma there are many.
            draws = Counter(self.draw(generator) for _ in range(self.samples))
            shares = (self._convolve(x, d) * (n / self.samples) for d, n in draws.items())
            return sum(shares, start=x.new_zeros(()))
        return self._convolve(x, (self.base, self.base))

    def _convolve(self, x: Tensor, dilation: tuple[int, int]) -> Tensor:
        (height, width), (dy, dx) = self.kernel_size, dilation
        padding = (dy * (height // 2), dx * (width // 2))
        return functional.conv2d(
            x, self.weight, self.bias, self.stride, padding, dilation, self.groups
        )

    def extra_repr(self) -> str:
        """The configuration in one line."""
        return (
            f"{super().extra_repr()}, sigma={self.sigma}, base={self.base}, stride={self.stride}, "
            f"distribution={self.distribution!r}, isotropic={self.isotropic}, "
            f"evaluation={self.evaluation!r}, samples={self.samples}"
        )


def _check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise InputError(f"{name} is {value!r}, must be one of {', '.join(choices)}")


def _positive_pair(value: int | Sequence[int], name: str) -> tuple[int, int]:
    pair = as_pair(value, name)
    if min(pair) < 1:
        raise InputError(f"{name} is {value!r}, must be positive")
    return pair
