"""Any backbone of timm that gives maps of several strides, for networks that are trained.

Stages are named as in `saccade.models.backbones`: X(s) has stride 2 to the power of s, but for the
last ones where the output stride is smaller.
"""

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn import functional as F

from saccade.errors import InputError
from saccade.images.extras import require_module
from saccade.models.timm_maps import cached_weights, quiet_timm

PREFIX = "timm:"
STAGES = (2, 3, 4, 5)


class TimmFeatures(nn.Module):
    """A backbone of timm with the maps X(2) ... X(5).

    Args:
        backbone: "timm:NAME".
        output_stride: 8, 16 or 32.
        in_channels: number C of channels of an image.

    Attributes:
        channels: of each stage.

    Raises:
        InputError: timm is not installed, has no such backbone, or its maps have other strides.

    Example:
        >>> net = TimmFeatures("timm:resnet18", 16)
        >>> {stage: tuple(x.shape[1:]) for stage, x in net(torch.rand(2, 3, 64, 96)).items()}
        {2: (64, 16, 24), 3: (128, 8, 12), 4: (256, 4, 6), 5: (512, 4, 6)}
    """

    def __init__(self, backbone: str, output_stride: int = 16, in_channels: int = 3) -> None:
        super().__init__()
        timm, name = _known(backbone)
        reductions = _stages(timm, backbone, name)
        last = {stride: index for index, stride in enumerate(reductions)}
        missing = [2**stage for stage in STAGES if 2**stage not in last]
        if missing:
            raise InputError(
                f"network: {backbone} has maps of strides {', '.join(map(str, last))}, expected "
                "4, 8, 16 and 32"
            )
        indices = tuple(last[2**stage] for stage in STAGES)
        self.net = _created(
            timm, backbone, name, output_stride, in_chans=in_channels, out_indices=indices
        )
        info: Any = self.net.feature_info
        self.channels: dict[int, int] = dict(zip(STAGES, info.channels(), strict=True))
        self._strides = dict(zip(STAGES, info.reduction(), strict=True))
        self._check(backbone, in_channels)

    def forward(self, x: Tensor) -> dict[int, Tensor]:
        """Images (B, C, H, W), standardised, to the maps X(2) ... X(5)."""
        height, width = x.shape[2:]
        # Divisions of negative numbers, which are shorter, are rounded otherwise in ONNX.
        found = self.net(F.pad(x, (0, (32 - width % 32) % 32, 0, (32 - height % 32) % 32)))
        maps = {}
        for (stage, stride), one in zip(self._strides.items(), found, strict=True):
            if one.shape[1] != self.channels[stage]:  # some give (B, h, w, C)
                one = one.permute(0, 3, 1, 2)
            rows, columns = (height + stride - 1) // stride, (width + stride - 1) // stride
            maps[stage] = one[:, :, :rows, :columns]
        return maps

    @torch.no_grad()
    def _check(self, backbone: str, in_channels: int) -> None:
        """Raise InputError where maps do not have the strides that timm says."""
        was = self.net.training
        self.net.eval()
        example = next(self.net.parameters()).new_zeros(1, in_channels, 64, 96)
        try:
            maps = self(example)
        except (AssertionError, RuntimeError, ValueError) as error:
            raise InputError(
                f"network: {backbone} takes no image of 64 x 96 ({str(error).splitlines()[0]}), "
                "expected a backbone for images of any size"
            ) from error
        finally:
            self.net.train(was)
        for stage, one in maps.items():
            stride = self._strides[stage]
            expected = (1, self.channels[stage], 64 // stride, 96 // stride)
            if tuple(one.shape) != expected:
                raise InputError(
                    f"network: {backbone} gives maps of {tuple(one.shape)} at stage {stage}, "
                    f"expected {expected}"
                )


def load_timm_weights(net: nn.Module, backbone: str, source: str) -> Path:
    """Load weights of timm into a backbone of it, in place.

    timm adapts those of the first layer to images of another number of channels than three.

    Args:
        net: what timm made, with `features_only`.
        backbone: "timm:NAME".
        source: "imagenet" for those in timm's cache, or a file.

    Returns:
        The file that was read.

    Raises:
        InputError: there is no such file, or it has weights of another network.
    """
    timm, name = _known(backbone)
    path = cached_weights(backbone, name, timm) if source == "imagenet" else Path(source)
    if not path.is_file():
        raise InputError(f"{path}: no such file, expected the weights of timm's {name}")
    info: Any = net.feature_info
    common: dict[str, Any] = {"features_only": True, "out_indices": tuple(info.out_indices)}
    common["in_chans"] = next(p for p in net.parameters() if p.ndim == 4).shape[1]
    read = {"pretrained": True, "pretrained_cfg_overlay": {"file": str(path)}}
    try:
        with quiet_timm(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            made = timm.create_model(name, **common, **read)
            torch.manual_seed(0)
            random = timm.create_model(name, **common).state_dict()
        _require_other(made.state_dict(), random)
        net.load_state_dict(made.state_dict())
    except (KeyError, OSError, RuntimeError, TypeError, ValueError, SafetensorError) as error:
        raise InputError(
            f"{path}: no weights of timm's {name} ({str(error).strip().splitlines()[0]})"
        ) from error
    return path


def _require_other(loaded: dict[str, Tensor], random: dict[str, Tensor]) -> None:
    """Raise ValueError where most kernels are random still: timm passes over names it lacks."""
    kernels = [name for name, tensor in loaded.items() if tensor.ndim > 1]
    same = sum(torch.equal(loaded[name], random[name]) for name in kernels)
    if 2 * same > len(kernels):
        raise ValueError(f"{same} of its {len(kernels)} kernels are not there")


def colors_of(backbone: str) -> dict[str, tuple[float, ...]]:
    """Mean and standard deviation of the colors that a backbone of timm was trained on.

    Example:
        >>> colors_of("timm:resnet18")["mean"]
        (0.485, 0.456, 0.406)
    """
    timm, name = _known(backbone)
    settings = timm.get_pretrained_cfg(name)
    return {"mean": tuple(settings.mean), "std": tuple(settings.std)} if settings else {}


def _known(backbone: str) -> tuple[Any, str]:
    name = backbone.removeprefix(PREFIX)
    timm = require_module(backbone, "backbones of timm", "timm", "timm")
    if not timm.is_model(name):
        raise InputError(
            f"network: backbone {backbone!r}: timm has no such network; timm.list_models('*') "
            "lists them"
        )
    return timm, name


def _stages(timm: Any, backbone: str, name: str) -> list[int]:
    """The strides of all maps that a backbone of timm has."""
    try:
        with torch.device("meta"):  # strides alone are asked for
            made = timm.create_model(name, pretrained=False, features_only=True)
    except (AssertionError, AttributeError, KeyError, RuntimeError, TypeError) as error:
        raise InputError(
            f"network: {backbone} cannot give maps ({str(error).splitlines()[0]})"
        ) from error
    strides: list[int] = made.feature_info.reduction()
    return strides


def _created(timm: Any, backbone: str, name: str, output_stride: int, **options: Any) -> nn.Module:
    options["features_only"] = True
    if output_stride != 32:
        options["output_stride"] = output_stride
    try:
        made: nn.Module = timm.create_model(name, pretrained=False, **options)
    except (AssertionError, NotImplementedError, TypeError) as error:
        if output_stride == 32:
            raise
        raise InputError(
            f"network: {backbone} has an output stride of 32 alone, expected output_stride = 32"
        ) from error
    return made
