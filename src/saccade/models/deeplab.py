"""DeepLabv3-like head: a pyramid on X(5) (GDC paper, section V-B and table V).

With `context` it has one of the layers that the DSNet paper compares with on top of the pyramid.

Our choice: a deformable layer of `context` is followed by normalization and ReLU.
"""

from typing import Literal

from torch import Tensor, nn

from saccade.nn.deform import DeformConv2dV2
from saccade.nn.dynamic_filter import DynamicFilter
from saccade.nn.pyramid import ASPP, GaussianDynamicPyramidPooling

Pyramid = Literal["none", "aspp", "s-aspp", "gdpp"]
Context = Literal["none", "deformable-v2", "dynamic-filter"]

_RATES: dict[str, tuple[int, ...]] = {
    "none": (),
    "aspp": (1, 6, 12, 18),
    "s-aspp": (1, 9, 18),
    "gdpp": (1, 18),
}


class DeepLabHead(nn.Module):
    """A pyramid on X(5), and a layer after it where `context` asks for one.

    Args:
        channels: of X(5).
        pyramid: "none", "aspp", "s-aspp" or "gdpp".
        rates: dilations of the pyramid's fixed branches; empty takes the paper's.
        width: channels of the pyramid.
        pointwise: give the pyramid a 1x1 branch, as DeepLabv3 has.
        separable: of "gdpp": depthwise and 1x1 instead of full 3x3 convolutions.
        base: of "gdpp": dilation of the drawn branch without offset, pixels of the map.
        sigma: of "gdpp": standard deviation of its offset, pixels of the map.
        context: "none", "deformable-v2" or "dynamic-filter".
        dropout: probability, in the pyramid.
        seed: of "gdpp": of its draws; None takes entropy from the system.

    Example:
        >>> head = DeepLabHead(320, pyramid="aspp", width=32)
        >>> head({5: torch.rand(2, 320, 12, 15)}).shape
        torch.Size([2, 32, 12, 15])
    """

    def __init__(
        self,
        channels: int,
        *,
        pyramid: Pyramid = "gdpp",
        rates: tuple[int, ...] = (),
        width: int = 256,
        pointwise: bool = False,
        separable: bool = True,
        base: int = 9,
        sigma: float = 2.0,
        context: Context = "none",
        dropout: float = 0.1,
        seed: int | None = None,
    ) -> None:
        super().__init__()
        rates = rates or _RATES[pyramid]
        self.pyramid: nn.Module = nn.Identity()
        if pyramid == "gdpp":
            self.pyramid = GaussianDynamicPyramidPooling(
                channels,
                width,
                rates,
                base=base,
                sigma=sigma,
                separable=separable,
                pointwise=pointwise,
                dropout=dropout,
                seed=seed,
            )
        elif pyramid != "none":
            separable = pyramid == "s-aspp"
            self.pyramid = ASPP(
                channels, width, rates, separable=separable, pointwise=pointwise, dropout=dropout
            )
        self.out_channels = channels if pyramid == "none" else width
        self.context: nn.Module = nn.Identity()
        if context == "deformable-v2":
            self.context = nn.Sequential(
                DeformConv2dV2(self.out_channels, self.out_channels, bias=False),
                nn.BatchNorm2d(self.out_channels),
                nn.ReLU(inplace=True),
            )
        elif context == "dynamic-filter":
            self.context = DynamicFilter(self.out_channels)

    def forward(self, maps: dict[int, Tensor]) -> Tensor:
        """The backbone's maps to (B, out_channels, h, w)."""
        features: Tensor = self.context(self.pyramid(maps[5]))
        return features
