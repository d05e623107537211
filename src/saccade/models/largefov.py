"""DeepLab-LargeFOV on VGG16 (DeepLab v1, Chen et al. 2015), layer for layer.

The segmentation network of the MDC paper and of the GDC paper's table II. Stride 8: three poolings
of stride 2, two of stride 1, and dilation instead of the strides that are left out.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from saccade.errors import InputError
from saccade.nn.guided import resize

_VGG = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""Channels and number of convolutions of VGG16's five groups."""

_TORCHVISION = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
"""Places of the convolutions in torchvision's `vgg16().features`."""


class LargeFOV(nn.Module):
    """DeepLab-LargeFOV: VGG16, fc6 as a 3x3 convolution of dilation 12, scores at stride 8.

    All poolings are 3x3 with padding 1, every convolution has a bias. Takes images as
    `saccade.models.segmentation.SegmentationNet` does, in [0, 1].

    Args:
        classes: K.
        dilation: of fc6; 12 is what "large field of view" stands for.
        dropout: after fc6 and fc7.
        mean: of the colours, in [0, 1].
        std: of the colours.

    Raises:
        InputError: fewer than two classes.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        classes: int,
        *,
        dilation: int = 12,
        dropout: float = 0.5,
        mean: tuple[float, float, float] = (0.485, 0.456, 0.406),
        std: tuple[float, float, float] = (0.229, 0.224, 0.225),
    ) -> None:
        super().__init__()
        if classes < 2:
            raise InputError(f"classes is {classes!r}, must be at least 2")
        layers = vgg_layers(strides=(2, 2, 2, 1, 1), dilations=(1, 1, 1, 1, 2), pool=3)
        layers["pool5a"] = nn.AvgPool2d(3, stride=1, padding=1)
        self.features = nn.Sequential(layers)
        self.fc6 = nn.Conv2d(512, 1024, 3, padding=dilation, dilation=dilation)
        self.fc7 = nn.Conv2d(1024, 1024, 1)
        self.fc8 = nn.Conv2d(1024, classes, 1)
        self.dropout = nn.Dropout(dropout)
        nn.init.normal_(self.fc8.weight, std=0.01)
        nn.init.zeros_(self.fc8.bias)  # type: ignore[arg-type]
        for name, values in (("mean", mean), ("std", std)):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1] to (B, K, H, W) logits, upsampled bilinearly."""
        return resize(self.coarse_scores(images), images.shape[2:])

    def coarse_scores(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, K, ceil(H / 8), ceil(W / 8)) logits.

        The original is trained on these, against every eighth pixel of the labels.
        """
        x = self.features((images - self.mean) / self.std)
        x = self.dropout(self.fc6(x).relu())
        x = self.dropout(self.fc7(x).relu())
        scores: Tensor = self.fc8(x)
        return scores

    @torch.no_grad()
    def load_vgg16(self, weights: dict[str, Tensor]) -> None:
        """Start from torchvision's `vgg16`; fc6 and fc7 take every fourth output, fc8 stays new.

        fc6 keeps every third of the 7x7 taps in both directions, fc7 every fourth input as well.

        Raises:
            InputError: a layer is missing or of another shape.
        """
        load_vgg_convolutions(self.features, weights)
        try:
            fc6 = weights["classifier.0.weight"].view(4096, 512, 7, 7)[::4, :, ::3, ::3]
            self.fc6.weight.copy_(fc6)
            self.fc6.bias.copy_(weights["classifier.0.bias"][::4])  # type: ignore[union-attr]
            self.fc7.weight.copy_(weights["classifier.3.weight"][::4, ::4, None, None])
            self.fc7.bias.copy_(weights["classifier.3.bias"][::4])  # type: ignore[union-attr]
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
