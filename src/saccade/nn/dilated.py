"""Multi-dilated convolution (MDC paper, figure 3): one block per dilation on the same features.

Large dilations carry the response from the most discriminative part of an object to the rest of
it; each block is a classifier of whole images whose class activation map (CAM) says where.

Our choice: the CAM leaves the bias of the classifier out.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from saccade.errors import InputError

DILATIONS = (1, 3, 6, 9)
"""Of the paper's blocks; the first is for precise maps."""


class DilatedBlock(nn.Module):
    """A dilated 3x3 convolution with ReLU, the mean over the map, and a linear classifier.

    Args:
        in_channels: Cin.
        width: channels of the convolution.
        classes: K.
        dilation: of the convolution.

    Example:
        >>> block = DilatedBlock(32, width=16, classes=5, dilation=3)
        >>> features = torch.rand(2, 32, 12, 15)
        >>> block(features).shape, block.activation_maps(features).shape
        (torch.Size([2, 5]), torch.Size([2, 5, 12, 15]))
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
        return self.signed_maps(features).relu()

    def signed_maps(self, features: Tensor) -> Tensor:
        """The maps before ReLU, (B, K, h, w); average views of an image before ReLU, not after."""
        weight = self.classifier.weight[:, :, None, None]
        return functional.conv2d(self.conv(features).relu(), weight)


class MultiDilatedBlocks(nn.ModuleList):
    """A `DilatedBlock` per dilation, all on the same features (MDC paper, figure 3).

    Args:
        in_channels: Cin.
        width: channels of each convolution.
        classes: K.
        dilations: of the D blocks; free, also the same one several times, as the paper's
            ablation has.

    Raises:
        InputError: no dilations, or one below 1.

    Example:
        >>> blocks = MultiDilatedBlocks(32, width=16, classes=5)
        >>> features = torch.rand(2, 32, 12, 15)
        >>> blocks(features).shape, blocks.signed_maps(features).shape
        (torch.Size([2, 4, 5]), torch.Size([2, 4, 5, 12, 15]))
    """

    def __init__(
        self, in_channels: int, width: int, classes: int, dilations: Sequence[int] = DILATIONS
    ) -> None:
        if not dilations or min(dilations) < 1:
            raise InputError(f"dilations are {tuple(dilations)!r}, must be whole numbers >= 1")
        super().__init__(
            [DilatedBlock(in_channels, width, classes, dilation) for dilation in dilations]
        )
        self.dilations = tuple(dilations)

    def forward(self, features: Tensor) -> Tensor:
        """(B, Cin, h, w) to (B, D, K) logits, one row per block; each is trained by itself."""
        return torch.stack([block(features) for block in self], 1)

    def signed_maps(self, features: Tensor) -> Tensor:
        """Class activation maps of every block before ReLU: (B, Cin, h, w) to (B, D, K, h, w)."""
        blocks = [block for block in self if isinstance(block, DilatedBlock)]
        return torch.stack([block.signed_maps(features) for block in blocks], 1)
