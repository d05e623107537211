"""Decoders of segmentation_models.pytorch as networks beside ours, on the same backbones.

They are what people compare with: U-Net, FPN, DeepLabV3+ and SegFormer's. The package is asked for
when such a network is built.
"""

from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from saccade.images.extras import require_module
from saccade.models.timm_backbone import PREFIX

DECODERS = ("unet", "fpn", "deeplabv3plus", "segformer")
MULTIPLE = 32
"""Sides of images that these decoders take."""


class ListedDecoder(nn.Module):
    """A decoder that takes the maps of its encoder as a list."""

    def __init__(self, decoder: nn.Module) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Maps of the encoder to what the classifier takes."""
        found: Tensor = self.decoder(maps)
        return found


def smp_parts(
    name: str, backbone: str, classes: int, in_channels: int = 3
) -> tuple[nn.Module, nn.Module, nn.Module]:
    """Encoder, decoder and classifier of a network of segmentation_models.pytorch.

    Args:
        name: of `DECODERS`.
        backbone: "mobilenet_v2", "resnet50", "resnet101" or "timm:NAME".
        classes: number of classes.
        in_channels: number C of channels of an image.

    Returns:
        The encoder takes (B, C, H, W) and gives a list of maps, the classifier gives (B, K, h, w).

    Raises:
        InputError: the package is not installed.
    """
    smp = require_module(name, "decoders of segmentation_models.pytorch", *_PACKAGE)
    encoder = backbone.replace(PREFIX, "tu-")
    net: Any = smp.create_model(
        name, encoder, encoder_weights=None, in_channels=in_channels, classes=classes
    )
    return net.encoder, ListedDecoder(net.decoder), net.segmentation_head[0]


_PACKAGE = ("segmentation_models_pytorch", "smp")


def padded(x: Tensor) -> Tensor:
    """Images with zeros at the right and below, so that their sides are multiples of 32.

    Example:
        >>> import torch
        >>> padded(torch.rand(1, 3, 40, 64)).shape
        torch.Size([1, 3, 64, 64])
    """
    height, width = x.shape[2:]
    # Divisions of negative numbers, which are shorter, are rounded otherwise in ONNX.
    right, below = ((MULTIPLE - side % MULTIPLE) % MULTIPLE for side in (width, height))
    return F.pad(x, (0, right, 0, below))
