"""Multi-dilated classification network (MDC paper, figure 3): where are the classes of an image?

A classifier of whole images whose last block exists several times, with another dilation each.
Its class activation maps (CAM), one per block, show where the classes are; large dilations carry
the response from the telling part of an object to its rest.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from saccade.errors import InputError
from saccade.models.backbones import build_backbone
from saccade.models.largefov import vgg_layers

DILATIONS = (1, 3, 6, 9)


class DilatedBlock(nn.Module):
    """A dilated 3x3 convolution with ReLU, the mean over the map, and a linear classifier.

    Args:
        in_channels: Cin.
        width: channels of the convolution.
        classes: K.
        dilation: of the convolution.
    """

    def __init__(self, in_channels: int, width: int, classes: int, dilation: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, width, 3, padding=dilation, dilation=dilation)
        self.classifier = nn.Linear(width, classes)

    def forward(self, features: Tensor) -> Tensor:
        """(B, Cin, h, w) to (B, K) logits of the classes being there."""
        scores: Tensor = self.classifier(self.conv(features).relu().mean((2, 3)))
        return scores

    def activation_maps(self, features: Tensor) -> Tensor:
        """Class activation maps: (B, Cin, h, w) to (B, K, h, w), not negative.

        The weights of the classifier as a 1x1 convolution, without its bias, and ReLU.
        """
        return self.evidence(features).relu()

    def evidence(self, features: Tensor) -> Tensor:
        """The maps before ReLU, whose mean over views means something: (B, K, h, w)."""
        weight = self.classifier.weight[:, :, None, None]
        return functional.conv2d(self.conv(features).relu(), weight)


class MultiDilatedNet(nn.Module):
    """Backbone and one `DilatedBlock` per dilation, all on the same features (figure 3).

    Takes images (B, 3, H, W) in [0, 1], as `saccade.models.segmentation.SegmentationNet` does.

    Args:
        classes: K, background not among them.
        backbone: "vgg16" (paper: the convolutions, without the last pooling), "mobilenet_v2",
            "resnet50" or "resnet101".
        dilations: of the blocks, the first for precise maps; free, also the same ones several
            times, as the paper's ablation has.
        output_stride: of the features, 16 (paper) or 8.
        width: channels of the blocks.
        mean: of the colours, in [0, 1].
        std: of the colours.

    Raises:
        InputError: no dilations, no classes, another stride, or an unknown backbone.
    """

    mean: Tensor
    std: Tensor
    backbone: nn.Module

    def __init__(
        self,
        classes: int,
        *,
        backbone: str = "vgg16",
        dilations: Sequence[int] = DILATIONS,
        output_stride: int = 16,
        width: int = 512,
        mean: tuple[float, float, float] = (0.485, 0.456, 0.406),
        std: tuple[float, float, float] = (0.229, 0.224, 0.225),
    ) -> None:
        super().__init__()
        if classes < 1:
            raise InputError(f"classes is {classes!r}, must be at least 1")
        if not dilations or min(dilations) < 1:
            raise InputError(f"dilations are {tuple(dilations)!r}, must be whole numbers >= 1")
        if output_stride not in (8, 16):
            raise InputError(f"output_stride is {output_stride!r}, must be 8 or 16")
        self.dilations = tuple(dilations)
        self.backbone, channels = _features(backbone, output_stride)
        self.blocks = nn.ModuleList(
            [DilatedBlock(channels, width, classes, dilation) for dilation in dilations]
        )
        for name, values in (("mean", mean), ("std", std)):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, D, K) logits, one row per block; each is trained by itself."""
        features = self.features(images)
        return torch.stack([block(features) for block in self.blocks], 1)

    def localization_maps(self, images: Tensor, *, flip: bool = False) -> Tensor:
        """Class activation maps of every block, (B, D, K, h, w), each divided by its maximum.

        A map that is zero everywhere stays zero.

        Args:
            images: (B, 3, H, W) in [0, 1].
            flip: average with the mirror images, before ReLU and division.
        """
        maps = self._evidence(images)
        if flip:
            maps = (maps + self._evidence(images.flip(3)).flip(4)) / 2
        maps = maps.relu()
        peak = maps.amax((3, 4), keepdim=True)
        return maps / peak.clamp(min=torch.finfo(maps.dtype).tiny)

    def _evidence(self, images: Tensor) -> Tensor:
        features = self.features(images)
        blocks = [b for b in self.blocks if isinstance(b, DilatedBlock)]
        return torch.stack([block.evidence(features) for block in blocks], 1)

    def features(self, images: Tensor) -> Tensor:
        """What all blocks read, (B, C, h, w)."""
        found = self.backbone((images - self.mean) / self.std)
        features: Tensor = found[5] if isinstance(found, dict) else found
        return features


def classification_loss(scores: Tensor, present: Tensor) -> Tensor:
    """Multi-label sigmoid loss, the mean over images and classes, summed over the blocks.

    Args:
        scores: (B, D, K) logits of `MultiDilatedNet`.
        present: (B, K), 1 where the class is in the image and 0 elsewhere.
    """
    target = present.to(scores.dtype)[:, None].expand_as(scores)
    losses = functional.binary_cross_entropy_with_logits(scores, target, reduction="none")
    return losses.mean((0, 2)).sum()


def _features(backbone: str, output_stride: int) -> tuple[nn.Module, int]:
    if backbone == "vgg16":
        # pool5 is left out; at stride 8 pool4 keeps the size and conv5 is dilated instead.
        fine = output_stride == 8
        layers = vgg_layers(
            strides=(2, 2, 2, 1, 0) if fine else (2, 2, 2, 2, 0),
            dilations=(1, 1, 1, 1, 2 if fine else 1),
            pool=3 if fine else 2,
        )
        return nn.Sequential(layers), 512
    net = build_backbone(backbone, output_stride)
    return net, net.channels[5]
