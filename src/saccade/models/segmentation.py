"""Networks for whole data sets, built from one configuration.

DeepLabv3-like networks with a pyramid (GDC paper, section V-B) and DSNet. They take images of any
number of channels with values in [0, 1] and standardise them inside, so that a checkpoint says all
there is to know.
"""

from typing import Any

import torch
from torch import Tensor, nn

from saccade.models.backbones import MobileNetV2Features, ResNetFeatures, build_backbone
from saccade.models.deeplab import DeepLabHead
from saccade.models.dsnet import DSNetHead
from saccade.models.largefov import LargeFOVFeatures, LargeFOVHead, largefov_classifier
from saccade.models.segmentation_config import SegmentationConfig, config_from_dict
from saccade.models.smp_decoders import DECODERS, padded, smp_parts
from saccade.models.timm_backbone import PREFIX, TimmFeatures
from saccade.nn.blocks import ConvNormAct
from saccade.nn.resize import resize

__all__ = ["SegmentationConfig", "SegmentationNet", "config_from_dict"]


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
            parts = smp_parts(config.network, config.backbone, config.classes, config.in_channels)
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
            self.register_buffer(name, torch.tensor(values).view(1, -1, 1, 1), persistent=False)

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
            images: (B, C, H, W) in [0, 1]; RGB where C is 3.
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
        return TimmFeatures(config.backbone, config.output_stride, config.in_channels)
    return build_backbone(
        config.backbone,
        config.output_stride,
        stride_first=config.stride_first,
        in_channels=config.in_channels,
    )


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
