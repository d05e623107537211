"""Multi-dilated classification network (MDC paper, figure 3): where are the classes of an image?

A backbone and `saccade.nn.MultiDilatedBlocks` on its features, trained on labels of whole images;
its class activation maps, one per dilation and class, are the localization maps.

Deviations: at stride 8 (the paper has 16) conv5 is dilated; other backbones than VGG16.
"""

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

import torch
from torch import Tensor, nn

from saccade.data.specs import LabelSpec
from saccade.errors import InputError
from saccade.files import check_readable, reading
from saccade.models.backbones import Backbone, build_backbone
from saccade.models.headers import network_with, read_header, spec_from_dict, write_with_header
from saccade.models.largefov import vgg_layers
from saccade.nn.dilated import DILATIONS, MultiDilatedBlocks

_KEY = "saccade-localiser"
_VERSION = 1


@dataclass(frozen=True)
class LocalizerConfig:
    """Everything that decides the layers of a `MultiDilatedNet`; saved with its weights.

    Attributes:
        classes: K, background not among them.
        backbone: "vgg16" (paper: the convolutions, without the last pooling), "mobilenet_v2",
            "resnet50" or "resnet101".
        dilations: of the blocks, the first for precise maps.
        output_stride: of the features, 16 (paper) or 8.
        width: channels of the convolutions of the blocks.
        stride_first: of a ResNet, see `backbones.ResNetFeatures`; its weights say it.
        mean: of the colors, in [0, 1].
        std: of the colors.
    """

    classes: int = 1
    backbone: str = "vgg16"
    dilations: tuple[int, ...] = DILATIONS
    output_stride: int = 16
    width: int = 512
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    stride_first: bool = False

    def __post_init__(self) -> None:
        """Raises InputError for values that no network can be built from."""
        if self.backbone not in get_args(Backbone):
            known = ", ".join(get_args(Backbone))
            raise InputError(f"network: backbone is {self.backbone!r}, must be one of {known}")
        if self.classes < 1 or self.width < 1:
            raise InputError("network: classes and width must be at least 1")
        if not self.dilations or min(self.dilations) < 1:
            raise InputError(f"network: dilations are {self.dilations!r}, must be numbers >= 1")
        if self.output_stride not in (8, 16):
            raise InputError(f"network: output_stride is {self.output_stride!r}, must be 8 or 16")
        if min(self.std) <= 0:
            raise InputError("network: std must be above 0")


class MultiDilatedNet(nn.Module):
    """Backbone and `MultiDilatedBlocks` on its features, with random weights (MDC paper, figure 3).

    Takes images (B, 3, H, W) in [0, 1], as `saccade.models.segmentation.SegmentationNet` does.
    The weights are drawn from PyTorch's global generator.

    Args:
        config: what to build.

    Example:
        >>> net = MultiDilatedNet(LocalizerConfig(20, "mobilenet_v2", width=16)).eval()
        >>> images = torch.rand(1, 3, 64, 96)
        >>> net(images).shape, net.localization_maps(images).shape
        (torch.Size([1, 4, 20]), torch.Size([1, 4, 20, 4, 6]))
    """

    mean: Tensor
    std: Tensor
    backbone: nn.Module

    def __init__(self, config: LocalizerConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone, channels = _features(config)
        self.blocks = MultiDilatedBlocks(channels, config.width, config.classes, config.dilations)
        for name, values in (("mean", config.mean), ("std", config.std)):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, D, K) logits, one row per block; each is trained by itself."""
        logits: Tensor = self.blocks(self.features(images))
        return logits

    def localization_maps(self, images: Tensor, *, flip: bool = False) -> Tensor:
        """Class activation maps of every block, (B, D, K, h, w), each divided by its maximum.

        A map that is zero everywhere stays zero.

        Args:
            images: (B, 3, H, W) in [0, 1].
            flip: average with the mirror images, before ReLU and division.
        """
        maps = self.blocks.signed_maps(self.features(images))
        if flip:
            mirrored = self.blocks.signed_maps(self.features(images.flip(3)))
            maps = (maps + mirrored.flip(4)) / 2
        maps = maps.relu()
        peak = maps.amax((3, 4), keepdim=True)
        return maps / peak.clamp(min=torch.finfo(maps.dtype).tiny)

    def features(self, images: Tensor) -> Tensor:
        """The backbone's features, (B, C, h, w), which all blocks read."""
        maps = self.backbone((images - self.mean) / self.std)
        features: Tensor = maps[5] if isinstance(maps, dict) else maps
        return features


def _features(config: LocalizerConfig) -> tuple[nn.Module, int]:
    output_stride = config.output_stride
    if config.backbone == "vgg16":
        # pool5 is left out; at stride 8 pool4 keeps the size and conv5 is dilated instead.
        fine = output_stride == 8
        layers = vgg_layers(
            strides=(2, 2, 2, 1, 0) if fine else (2, 2, 2, 2, 0),
            dilations=(1, 1, 1, 1, 2 if fine else 1),
            pool=3 if fine else 2,
        )
        return nn.Sequential(layers), 512
    net = build_backbone(config.backbone, output_stride, stride_first=config.stride_first)
    return net, net.channels[5]


@dataclass(frozen=True)
class Localizer:
    """A classifier in eval mode, the classes of its data, and what is known of its training."""

    net: MultiDilatedNet
    spec: LabelSpec
    info: dict[str, Any]


def save_localizer(
    path: str | os.PathLike[str],
    net: MultiDilatedNet,
    spec: LabelSpec,
    info: dict[str, Any],
) -> None:
    """Write a classifier; an older file is replaced as a whole or not at all.

    Args:
        path: to write to.
        net: the classifier.
        spec: the classes of its data.
        info: plain values for JSON.

    Raises:
        OSError: the disk is full or may not be written to.
    """
    header = {
        "version": _VERSION,
        "network": asdict(net.config),
        "classes": asdict(spec),
        "info": info,
    }
    write_with_header(path, _KEY, header, net.state_dict())


def load_localizer(path: str | os.PathLike[str], *, device: str = "cpu") -> Localizer:
    """Read what `save_localizer` wrote, in eval mode.

    Raises:
        InputError: the file is missing, damaged, or no classifier of Saccade.
    """
    path = Path(check_readable(path))
    header, weights = read_header(path, _KEY, "classifier")
    with reading(path, "incomplete classifier"):
        content: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in header["network"].items()
        }
        config = LocalizerConfig(**content)
        spec, info = spec_from_dict(header["classes"]), dict(header["info"])
        if len(config.dilations) > len(weights):
            raise ValueError(f"{len(config.dilations)} dilations")
        net = network_with(lambda: MultiDilatedNet(config), weights)
    return Localizer(net.eval().to(device), spec, info)
