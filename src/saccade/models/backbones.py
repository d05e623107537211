"""Backbones for whole data sets: MobileNetV2 and ResNets of torchvision, with dilation for stride.

The last stages keep their resolution and are dilated instead, as in DeepLab. Feature maps are
named as in the DSNet paper: X(2) has stride 4, X(3) 8, X(4) 16, X(5) the output stride.
"""

from typing import Any, ClassVar, Literal, get_args

from torch import Tensor, nn

from saccade.errors import InputError

Backbone = Literal["mobilenet_v2", "resnet50", "resnet101", "vgg16"]

STAGES = (2, 3, 4, 5)


class MobileNetV2Features(nn.Module):
    """MobileNetV2 up to its last bottleneck: 24, 32, 96 and 320 channels.

    Parameters are named as in torchvision's `mobilenet_v2`, without the last 1x1 convolution to
    1280 channels, which belongs to its classifier.

    Args:
        output_stride: 8, 16 or 32.
        in_channels: number C of channels of an image.
    """

    channels: ClassVar[dict[int, int]] = dict(zip(STAGES, (24, 32, 96, 320), strict=True))
    _ends = (3, 6, 13, 17)

    def __init__(self, output_stride: int = 16, in_channels: int = 3) -> None:
        super().__init__()
        from torchvision.models import mobilenet_v2

        self.features: Any = mobilenet_v2(weights=None).features[:-1]
        self.features[0][0] = with_channels(self.features[0][0], in_channels)
        dilate_blocks(list(self.features), output_stride)

    def forward(self, x: Tensor) -> dict[int, Tensor]:
        """Images (B, C, H, W), standardised, to the maps X(2) ... X(5)."""
        maps = {}
        for i, block in enumerate(self.features):
            x = block(x)
            if i in self._ends:
                maps[STAGES[self._ends.index(i)]] = x
        return maps


class ResNetFeatures(nn.Module):
    """ResNet-50 or ResNet-101 without its classifier: 256, 512, 1024 and 2048 channels.

    Parameters are named as in torchvision's.

    Args:
        name: "resnet50" or "resnet101".
        output_stride: 8, 16 or 32.
        stride_first: have the stride of a stage in its first 1x1 convolution, as the first version
            of ResNet and weights of Keras and Caffe, not in the 3x3.
        in_channels: number C of channels of an image.
    """

    channels: ClassVar[dict[int, int]] = dict(zip(STAGES, (256, 512, 1024, 2048), strict=True))

    def __init__(
        self,
        name: str,
        output_stride: int = 16,
        *,
        stride_first: bool = False,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        from torchvision import models

        dilate = [False, output_stride <= 8, output_stride <= 16]
        make = models.resnet50 if name == "resnet50" else models.resnet101
        net: Any = make(weights=None, replace_stride_with_dilation=dilate)
        self.conv1 = with_channels(net.conv1, in_channels)
        self.bn1, self.relu, self.maxpool = net.bn1, net.relu, net.maxpool
        self.layer1, self.layer2 = net.layer1, net.layer2
        self.layer3, self.layer4 = net.layer3, net.layer4
        if stride_first:
            self.move_strides()

    def move_strides(self) -> None:
        """Have strides in the first 1x1 convolutions, in place; a dilated stage has none."""
        for layer in (self.layer2, self.layer3, self.layer4):
            block = layer[0]
            if block.conv2.stride == (2, 2):
                block.conv1.stride, block.conv2.stride = (2, 2), (1, 1)

    def forward(self, x: Tensor) -> dict[int, Tensor]:
        """Images (B, C, H, W), standardised, to the maps X(2) ... X(5)."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        maps = {}
        for stage, layer in zip(
            STAGES, (self.layer1, self.layer2, self.layer3, self.layer4), strict=True
        ):
            x = layer(x)
            maps[stage] = x
        return maps


def build_backbone(
    name: str, output_stride: int = 16, *, stride_first: bool = False, in_channels: int = 3
) -> MobileNetV2Features | ResNetFeatures:
    """A backbone with random weights.

    Args:
        name: of `Backbone`; VGG16 is not built here, its networks differ in their poolings.
        output_stride: of X(5), 8, 16 or 32.
        stride_first: of ResNets, see `ResNetFeatures`.
        in_channels: number of channels of an image.

    Raises:
        InputError: an unknown name or another stride.

    Example:
        >>> maps = build_backbone("mobilenet_v2", output_stride=16)(torch.rand(2, 3, 64, 96))
        >>> {stage: tuple(x.shape[1:]) for stage, x in maps.items()}
        {2: (24, 16, 24), 3: (32, 8, 12), 4: (96, 4, 6), 5: (320, 4, 6)}
    """
    known = [n for n in get_args(Backbone) if n != "vgg16"]
    if name not in known:
        raise InputError(f"backbone is {name!r}, must be one of {', '.join(known)}")
    if output_stride not in (8, 16, 32):
        raise InputError(f"output_stride is {output_stride!r}, must be 8, 16 or 32")
    if name == "mobilenet_v2":
        return MobileNetV2Features(output_stride, in_channels)
    return ResNetFeatures(name, output_stride, stride_first=stride_first, in_channels=in_channels)


def with_channels(conv: nn.Conv2d, count: int) -> nn.Conv2d:
    """A first convolution for another number of channels, its weights drawn anew.

    They are drawn as torchvision draws those of MobileNetV2 and of ResNets.

    Args:
        conv: returned as it is where it takes so many.
        count: of channels.
    """
    if conv.in_channels == count:
        return conv
    size: Any = conv.kernel_size
    stride: Any = conv.stride
    padding: Any = conv.padding
    made = nn.Conv2d(count, conv.out_channels, size, stride, padding, bias=conv.bias is not None)
    nn.init.kaiming_normal_(made.weight, mode="fan_out", nonlinearity="relu")
    return made


def adapt_weight(weight: Tensor, count: int) -> Tensor:
    """Weights (O, 3, h, w) of a first convolution for another number of channels, as timm does it.

    Of one channel they are the sum over the colors, so that grey gives what three equal channels
    gave; of others the three come again and again, scaled by 3 / `count`.

    Example:
        >>> three = torch.tensor([1.0, 2.0, 3.0]).view(1, 3, 1, 1)
        >>> adapt_weight(three, 1).flatten(), adapt_weight(three, 5).flatten() * 5
        (tensor([6.]), tensor([3., 6., 9., 3., 6.]))
    """
    if count == 3:
        return weight
    if count == 1:
        return weight.sum(1, keepdim=True)
    repeated = weight.repeat(1, -(-count // 3), 1, 1)[:, :count]
    return repeated * (3 / count)


def dilate_blocks(blocks: list[nn.Module], output_stride: int) -> None:
    """Replace strides by dilation, in place, once `output_stride` is reached.

    The 3x3 convolution that loses its stride keeps the dilation of its input, as in torchvision's
    ResNets; those after it get the larger one.

    Args:
        blocks: of a network, in order; only their `Conv2d` are looked at.
        output_stride: the total stride to keep.
    """
    stride, dilation = 1, 1
    for block in blocks:
        for conv in (m for m in block.modules() if isinstance(m, nn.Conv2d)):
            if conv.kernel_size == (1, 1):
                continue
            before = dilation
            if conv.stride == (2, 2):
                if stride >= output_stride:
                    conv.stride = (1, 1)
                    dilation *= 2
                else:
                    stride *= 2
            size = conv.kernel_size[0]
            conv.dilation = (before, before)
            conv.padding = (before * (size // 2),) * 2
