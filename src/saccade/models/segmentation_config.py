"""The configuration of a network for whole data sets: everything that decides its layers."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from saccade.data.tables import from_table
from saccade.errors import InputError
from saccade.models.backbones import Backbone
from saccade.models.deeplab import Context, Pyramid
from saccade.models.dsnet import Guide
from saccade.models.smp_decoders import DECODERS
from saccade.models.timm_backbone import PREFIX
from saccade.nn.cgds import Sampler

Network = Literal["deeplab", "dsnet", "largefov", "unet", "fpn", "deeplabv3plus", "segformer"]

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the colors of ImageNet, in [0, 1]."""


def for_channels(values: tuple[float, ...], count: int) -> tuple[float, ...]:
    """Numbers of some channels for another number of channels: their mean for each.

    Example:
        >>> for_channels((0.5, 0.4, 0.3), 2), for_channels((0.5, 0.4, 0.3), 3)
        ((0.4, 0.4), (0.5, 0.4, 0.3))
    """
    if len(values) == count:
        return values
    return (round(sum(values) / len(values), 6),) * count


@dataclass(frozen=True)
class SegmentationConfig:
    """Everything that decides the layers of a network; saved in every checkpoint.

    Attributes:
        classes: number K of classes.
        network: "deeplab" (pyramid, 3x3 convolution, classifier), "dsnet", or "largefov"
            (DeepLab v1, layer for layer: its backbone is "vgg16" at stride 8, its dropout 0.5);
            or "unet", "fpn", "deeplabv3plus" or "segformer" of segmentation_models.pytorch, which
            take `backbone`, `mean` and `std` and choose all other layers themselves.
        backbone: "mobilenet_v2", "resnet50" or "resnet101"; "timm:NAME" for one of timm; "vgg16"
            of "largefov" alone.
        output_stride: of the backbone, 8, 16 or 32.
        stride_first: of a ResNet, see `backbones.ResNetFeatures`; its weights say it.
        pyramid: of "deeplab": "none", "aspp", "s-aspp" or "gdpp".
        rates: dilations of the pyramid (of "dsnet": of its ASPP); empty takes the paper's.
        pointwise: give the pyramid a 1x1 branch, as DeepLabv3 and DSNet have.
        separable: of "gdpp": depthwise and 1x1 instead of full 3x3 convolutions.
        base: dilation of GDPP's drawn branch without offset, pixels of the map.
        sigma: standard deviation of its offset, pixels of the map.
        context: a layer after the pyramid of "deeplab": "deformable-v2" and "dynamic-filter" are
            the baselines of the DSNet paper.
        width: channels of pyramid and head.
        low: of "dsnet": the stage that is sampled, 2 to 5.
        guide: of "dsnet": what guides, "aspp" or "x5".
        sampler: of "dsnet": "conv" or "non-local".
        auxiliary: a second classifier on X(4) for deep supervision; used in training only.
        dropout: probability, in the pyramid and before the classifiers.
        mean: of each channel, in [0, 1].
        std: of each channel.
        seed: of GDPP's draws.
        in_channels: number C of channels of an image; where it is not 3, `mean` and `std` of
            ImageNet become their means over the three colors, for each channel.
    """

    classes: int
    network: Network = "deeplab"
    backbone: str = "mobilenet_v2"
    output_stride: int = 16
    pyramid: Pyramid = "gdpp"
    rates: tuple[int, ...] = ()
    pointwise: bool = False
    separable: bool = True
    base: int = 9
    sigma: float = 2.0
    context: Context = "none"
    width: int = 256
    low: int = 3
    guide: Guide = "aspp"
    sampler: Sampler = "conv"
    auxiliary: bool = False
    dropout: float = 0.1
    mean: tuple[float, ...] = MEAN
    std: tuple[float, ...] = STD
    seed: int = 0
    stride_first: bool = False
    in_channels: int = 3

    def __post_init__(self) -> None:
        """Raises InputError for values that no network can be built from."""
        for name, kind in (
            ("network", Network),
            ("pyramid", Pyramid),
            ("context", Context),
            ("guide", Guide),
            ("sampler", Sampler),
        ):
            choices = get_args(kind)
            if getattr(self, name) not in choices:
                raise InputError(
                    f"network: {name} is {getattr(self, name)!r}, must be one of "
                    f"{', '.join(choices)}"
                )
        if not self.backbone.startswith(PREFIX) and self.backbone not in get_args(Backbone):
            raise InputError(
                f"network: backbone is {self.backbone!r}, must be one of "
                f"{', '.join(get_args(Backbone))}, or timm:NAME"
            )
        if not isinstance(self.classes, int) or self.classes < 2:
            raise InputError(f"network: classes is {self.classes!r}, must be at least 2")
        if self.output_stride not in (8, 16, 32):
            raise InputError(
                f"network: output_stride is {self.output_stride!r}, must be 8, 16 or 32"
            )
        if (self.network == "largefov") != (self.backbone == "vgg16"):
            raise InputError(
                f"network: {self.network!r} on backbone {self.backbone!r}; 'largefov' is built on "
                "'vgg16', and the others are not"
            )
        if self.network == "largefov" and (self.auxiliary or self.context != "none"):
            raise InputError("network: 'largefov' has neither auxiliary nor context")
        if self.network in DECODERS and (self.auxiliary or self.context != "none"):
            raise InputError(f"network: {self.network!r} has neither auxiliary nor context")
        self._check_channels()
        if self.width < 1 or not 0 <= self.dropout < 1 or min(self.std) <= 0:
            raise InputError("network: width must be >= 1, dropout in [0, 1), std above 0")
        if self.low not in (2, 3, 4, 5):
            raise InputError(f"network: low is {self.low!r}, must be a stage, 2 to 5")
        if min(self.rates, default=1) < 1 or self.base < 1 or self.sigma < 0:
            raise InputError("network: rates and base must be >= 1, sigma >= 0")

    def _check_channels(self) -> None:
        """Bring the usual mean and std to the number of channels; refuse others that do not fit."""
        count = self.in_channels
        if not isinstance(count, int) or count < 1:
            raise InputError(f"network: in_channels is {count!r}, must be at least 1")
        if count != 3 and self.network == "largefov":
            raise InputError(f"network: 'largefov' takes 3 channels, the images have {count}")
        for name, usual in (("mean", MEAN), ("std", STD)):
            if getattr(self, name) == usual:
                object.__setattr__(self, name, for_channels(usual, count))
            if len(getattr(self, name)) != count:
                raise InputError(
                    f"network: {name} has {len(getattr(self, name))} numbers, must have {count}, "
                    "one for each channel"
                )

    def with_channels(self, count: int) -> "SegmentationConfig":
        """The same for images of another number of channels.

        Raises:
            InputError: mean or std are given for another number.
        """
        usual: dict[str, Any] = {
            name: known
            for name, known in (("mean", MEAN), ("std", STD))
            if getattr(self, name) == for_channels(known, self.in_channels)
        }
        return replace(self, in_channels=count, **usual)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def config_from_dict(content: dict[str, Any]) -> SegmentationConfig:
    """The configuration of `SegmentationConfig.to_dict`.

    Raises:
        InputError: an unknown key, a missing number of classes, or values of the wrong kind.
    """
    config: SegmentationConfig = from_table(SegmentationConfig, "network", content)
    return config
