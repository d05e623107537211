"""Networks for whole data sets, built from one configuration.

DeepLabv3-like networks with a pyramid (GDC paper, section V-B) and DSNet. They take images with
values in [0, 1] and standardise them inside, so that a checkpoint says all there is to know.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from saccade.data.tables import from_table
from saccade.errors import InputError
from saccade.models.backbones import (
    Backbone,
    MobileNetV2Features,
    ResNetFeatures,
    build_backbone,
)
from saccade.models.deeplab import Context, DeepLabHead, Pyramid
from saccade.models.dsnet import DSNetHead, Guide
from saccade.models.largefov import LargeFOVFeatures, LargeFOVHead, largefov_classifier
from saccade.models.smp_decoders import DECODERS, padded, smp_parts
from saccade.models.timm_backbone import PREFIX, TimmFeatures
from saccade.nn.blocks import ConvNormAct
from saccade.nn.cgds import Sampler
from saccade.nn.resize import resize

Network = Literal["deeplab", "dsnet", "largefov", "unet", "fpn", "deeplabv3plus", "segformer"]


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
        mean: of the colors, in [0, 1].
        std: of the colors.
        seed: of GDPP's draws.
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
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    seed: int = 0
    stride_first: bool = False

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
        if len(self.mean) != 3 or len(self.std) != 3:
            raise InputError("network: mean and std must have three numbers each")
        if self.width < 1 or not 0 <= self.dropout < 1 or min(self.std) <= 0:
            raise InputError("network: width must be >= 1, dropout in [0, 1), std above 0")
        if self.low not in (2, 3, 4, 5):
            raise InputError(f"network: low is {self.low!r}, must be a stage, 2 to 5")
        if min(self.rates, default=1) < 1 or self.base < 1 or self.sigma < 0:
            raise InputError("network: rates and base must be >= 1, sigma >= 0")

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


class SegmentationNet(nn.Module):
    """Backbone, context and classifier of a `SegmentationConfig`, with random weights.

    The weights are drawn from PyTorch's global generator, as in every `nn.Module`.

    Args:
        config: what to build.

    Example:
        >>> net = SegmentationNet(SegmentationConfig(21, "dsnet", width=32)).eval()
        >>> net(torch.rand(1, 3, 64, 96)).shape
        torch.Size([1, 21, 64, 96])
    """

    mean: Tensor
    std: Tensor

    def __init__(self, config: SegmentationConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone: Any
        self.head: nn.Module
        self.classifier: nn.Module
        if config.network in DECODERS:
            parts = smp_parts(config.network, config.backbone, config.classes)
            self.backbone, self.head, self.classifier = parts
        else:
            self.backbone = _backbone(config)
            self.head = _head(config, self.backbone.channels)
            inputs = getattr(self.head, "out_channels", config.width)
            self.classifier = (
                largefov_classifier(config.classes)
                if config.network == "largefov"
                else _classifier(inputs, config.width, config)
            )
        self.auxiliary = (
            _classifier(self.backbone.channels[4], config.width, config)
            if config.auxiliary
            else None
        )
        for name, values in (("mean", config.mean), ("std", config.std)):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1), persistent=False)

    @property
    def pretrained(self) -> tuple[str, ...]:
        """How the names of parameters begin that come from ImageNet; fc6 and fc7 are among them."""
        return ("backbone.", "head.") if self.config.network == "largefov" else ("backbone.",)

    @property
    def of_classes(self) -> tuple[str, ...]:
        """Names of the parameters with a row for each class, in the order of the classes."""
        layers = {"classifier": self.classifier, "auxiliary": self.auxiliary}
        found = []
        for name, layer in layers.items():
            if layer is not None:
                last = f"{name}.{len(layer) - 1}" if isinstance(layer, nn.Sequential) else name
                found += [f"{last}.weight", f"{last}.bias"]
        return tuple(found)

    def forward(self, images: Tensor, *, auxiliary: bool = False) -> Any:
        """Class scores for images.

        Args:
            images: (B, 3, H, W), RGB in [0, 1].
            auxiliary: return the pair (scores, scores of the second classifier); the latter is
                None where the network has none.

        Returns:
            (B, K, H, W) logits, upsampled bilinearly to the images' size. With `auxiliary`,
            "largefov" gives them at its stride 8, as the original is trained on those.
        """
        images = (images - self.mean) / self.std
        size = images.shape[2:]
        if self.config.network in DECODERS:
            images = padded(images)
            scores = self.classifier(self.head(self.backbone(images)))
            scores = resize(scores, images.shape[2:])[..., : size[0], : size[1]]
            return (scores, None) if auxiliary else scores
        maps = self.backbone(images)
        scores = self.classifier(self.head(maps))
        if auxiliary and self.config.network == "largefov":
            return scores, None
        scores = resize(scores, size)
        if not auxiliary:
            return scores
        if self.auxiliary is None:
            return scores, None
        return scores, resize(self.auxiliary(maps[4]), size)


def _backbone(
    config: SegmentationConfig,
) -> MobileNetV2Features | ResNetFeatures | LargeFOVFeatures | TimmFeatures:
    if config.network == "largefov":
        return LargeFOVFeatures()
    if config.backbone.startswith(PREFIX):
        return TimmFeatures(config.backbone, config.output_stride)
    stride_first = config.stride_first
    return build_backbone(config.backbone, config.output_stride, stride_first=stride_first)


def _head(config: SegmentationConfig, channels: dict[int, int]) -> nn.Module:
    if config.network == "largefov":
        return LargeFOVHead()
    if config.network == "deeplab":
        return DeepLabHead(
            channels[5],
            pyramid=config.pyramid,
            rates=config.rates,
            width=config.width,
            pointwise=config.pointwise,
            separable=config.separable,
            base=config.base,
            sigma=config.sigma,
            context=config.context,
            dropout=config.dropout,
            seed=config.seed,
        )
    return DSNetHead(
        channels,
        low=config.low,
        guide=config.guide,
        width=config.width,
        rates=config.rates or (6, 12, 18),
        sampler=config.sampler,
        dropout=config.dropout,
    )


def _classifier(inputs: int, width: int, config: SegmentationConfig) -> nn.Module:
    return nn.Sequential(
        ConvNormAct(inputs, width, 3),
        nn.Dropout(config.dropout),
        nn.Conv2d(width, config.classes, 1),
    )
