"""DeepLab-LargeFOV on VGG16 (DeepLab v1, Chen et al. 2015), layer for layer.

The segmentation network of the MDC paper and of the GDC paper's table II. Stride 8: three poolings
of stride 2, two of stride 1, and dilation instead of the strides that are left out.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from saccade.errors import InputError

STRIDE = 8
"""Pixels of the image per pixel of DeepLab-LargeFOV's scores."""

_VGG = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""Channels and number of convolutions of VGG16's five groups."""

_TORCHVISION = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
"""Places of the convolutions in torchvision's `vgg16().features`."""


class LargeFOVFeatures(nn.Module):
    """VGG16's convolutions at stride 8, with the poolings of DeepLab-LargeFOV.

    All poolings are 3x3 with padding 1, every convolution has a bias.

    Example:
        >>> LargeFOVFeatures()(torch.rand(1, 3, 65, 81))[5].shape
        torch.Size([1, 512, 9, 11])
    """

    def __init__(self) -> None:
        super().__init__()
        self.channels = {5: 512}
        layers = vgg_layers(strides=(2, 2, 2, 1, 1), dilations=(1, 1, 1, 1, 2), pool=3)
        layers["pool5a"] = nn.AvgPool2d(3, stride=1, padding=1)
        self.features = nn.Sequential(layers)

    def forward(self, images: Tensor) -> dict[int, Tensor]:
        """(B, 3, H, W), standardised, to X(5): (B, 512, ceil(H / 8), ceil(W / 8))."""
        return {5: self.features(images)}


class LargeFOVHead(nn.Module):
    """fc6 as a 3x3 convolution and fc7 as a 1x1 one, each with ReLU and dropout.

    Args:
        dilation: of fc6; 12 is what "large field of view" stands for.
        dropout: after both.

    Example:
        >>> head = LargeFOVHead().eval()
        >>> head({5: torch.rand(1, 512, 9, 11)}).shape
        torch.Size([1, 1024, 9, 11])
    """

    out_channels = 1024

    def __init__(self, dilation: int = 12, dropout: float = 0.5) -> None:
        super().__init__()
        self.fc6 = nn.Conv2d(512, 1024, 3, padding=dilation, dilation=dilation)
        self.fc7 = nn.Conv2d(1024, 1024, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, maps: dict[int, Tensor]) -> Tensor:
        """The backbone's maps to (B, 1024, h, w)."""
        x = self.dropout(self.fc6(maps[5]).relu())
        features: Tensor = self.dropout(self.fc7(x).relu())
        return features


def largefov_classifier(classes: int) -> nn.Conv2d:
    """fc8: 1x1, weights from N(0, 0.01), bias 0."""
    fc8 = nn.Conv2d(1024, classes, 1)
    nn.init.normal_(fc8.weight, std=0.01)
    nn.init.zeros_(fc8.bias)  # type: ignore[arg-type]
    return fc8


@torch.no_grad()
def load_fc6_and_fc7(head: LargeFOVHead, weights: dict[str, Tensor]) -> None:
    """Start from the classifier of torchvision's `vgg16`, taking every fourth output.

    fc6 keeps every third of the 7x7 taps in both directions, fc7 every fourth input as well.

    Raises:
        InputError: a layer is missing or of another shape.
    """
    try:
        fc6 = weights["classifier.0.weight"].view(4096, 512, 7, 7)[::4, :, ::3, ::3]
        head.fc6.weight.copy_(fc6)
        head.fc6.bias.copy_(weights["classifier.0.bias"][::4])  # type: ignore[union-attr]
        head.fc7.weight.copy_(weights["classifier.3.weight"][::4, ::4, None, None])
        head.fc7.bias.copy_(weights["classifier.3.bias"][::4])  # type: ignore[union-attr]
    except (KeyError, RuntimeError) as error:
        raise InputError(f"no weights of torchvision's vgg16: {error}") from error


def vgg_layers(
    *, strides: tuple[int, ...], dilations: tuple[int, ...], pool: int
) -> "OrderedDict[str, nn.Module]":
    """The 13 convolutions of VGG16 with ReLU, named conv1_1 ... conv5_3, and pool1 ... pool5.

    Args:
        strides: of the five poolings; 0 leaves one out.
        dilations: of the five groups.
        pool: side of the poolings; 3 has padding 1, 2 has none.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    channels = 3
    for group, ((width, count), stride, dilation) in enumerate(
        zip(_VGG, strides, dilations, strict=True), 1
    ):
        for number in range(1, count + 1):
            conv = nn.Conv2d(channels, width, 3, padding=dilation, dilation=dilation)
            layers[f"conv{group}_{number}"] = conv
            layers[f"relu{group}_{number}"] = nn.ReLU(inplace=True)
            channels = width
        if stride:
            layers[f"pool{group}"] = nn.MaxPool2d(pool, stride, padding=(pool - 1) // 2)
    return layers


@torch.no_grad()
def load_vgg_convolutions(features: nn.Module, weights: dict[str, Tensor]) -> None:
    """Copy torchvision's 13 convolutions into layers of `vgg_layers`.

    Raises:
        InputError: a layer is missing or of another shape.
    """
    convs = [m for m in features.modules() if isinstance(m, nn.Conv2d)]
    for conv, place in zip(convs, _TORCHVISION, strict=True):
        try:
            conv.weight.copy_(weights[f"features.{place}.weight"])
            conv.bias.copy_(weights[f"features.{place}.bias"])  # type: ignore[union-attr]
        except (KeyError, RuntimeError) as error:
            raise InputError(f"no weights of torchvision's vgg16: {error}") from error
