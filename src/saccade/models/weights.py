"""Weights of the feature extractor: bundled, from a torchvision checkpoint, or random."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from saccade.errors import InputError
from saccade.models.evidence import EvidenceNet
from saccade.models.features import MobileNetHead

_BUNDLED = "bundled.safetensors"

# torchvision's mobilenet_v2: convolution, its normalisation, our name.
_TORCHVISION = (
    ("features.0.0", "features.0.1", "stem"),
    ("features.1.conv.0.0", "features.1.conv.0.1", "depthwise1"),
    ("features.1.conv.1", "features.1.conv.2", "project1"),
    ("features.2.conv.0.0", "features.2.conv.0.1", "expand2"),
    ("features.2.conv.1.0", "features.2.conv.1.1", "depthwise2"),
    ("features.2.conv.2", "features.2.conv.3", "project2"),
)

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Bundle:
    """What ships with the package, trained by ``scripts/train_bundled.py``.

    ``start`` and ``rates`` are the learned start and step sizes of the fit, ``fuse`` the 1x1
    fusion of 40 features and Lab colour that belongs to them.
    """

    head: MobileNetHead
    fuse: nn.Conv2d
    start: dict[str, Tensor]
    rates: dict[str, Tensor]
    evidence: EvidenceNet


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k[len(prefix) :]: v.float() for k, v in tensors.items() if k.startswith(prefix)}


def load_bundle() -> Bundle:
    """Read the bundled weights (a few milliseconds)."""
    with as_file(files("saccade.models") / _BUNDLED) as path:
        tensors = load_file(path)
    fuse = _part(tensors, "fuse.")
    outputs, inputs = fuse["weight"].shape[:2]
    bundle = Bundle(
        head=MobileNetHead(),
        fuse=nn.Conv2d(inputs, outputs, 1),
        start=_part(tensors, "start."),
        rates=_part(tensors, "rates."),
        evidence=EvidenceNet(guide=outputs + 3),
    )
    bundle.head.load_state_dict(_part(tensors, "head."))
    bundle.fuse.load_state_dict(fuse)
    bundle.evidence.load_state_dict(_part(tensors, "evidence."), strict=False)
    for module in (bundle.head, bundle.fuse, bundle.evidence):
        module.eval().requires_grad_(False)
    return bundle


def load_head(source: str, *, generator: torch.Generator | None = None) -> MobileNetHead:
    """The frozen extractor in eval mode.

    Args:
        source: ``"bundled"``, ``"random"``, or the path of a torchvision ``mobilenet_v2``
            checkpoint (``.pth`` or ``.safetensors``). One whose batch normalisation is folded
            into biases is taken to expect colours in [-1, 1], as 8-bit models do.
        generator: draws the weights of ``"random"``.

    Raises:
        InputError: the file is missing or holds no MobileNetV2.
    """
    if source == "bundled":
        return load_bundle().head
    head = MobileNetHead()
    if source == "random":
        for name, parameter in head.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            else:
                nn.init.kaiming_normal_(parameter, nonlinearity="relu", generator=generator)
    else:
        weights, folded = _from_torchvision(Path(source))
        head.load_state_dict(weights)
        if not folded:  # torchvision's training saw standardised colours in [0, 1]
            head.shift.copy_(2 * torch.tensor(_MEAN).view(1, 3, 1, 1) - 1)
            head.scale.copy_(2 * torch.tensor(_STD).view(1, 3, 1, 1))
    return head.eval().requires_grad_(False)


def _from_torchvision(path: Path) -> tuple[dict[str, Tensor], bool]:
    """Our names and tensors, and whether the file had normalisation folded in already."""
    if not path.is_file():
        raise InputError(
            f"{path}: no such file; features are 'bundled', 'random', or a local torchvision "
            "mobilenet_v2 checkpoint"
        )
    try:
        if path.suffix == ".safetensors":
            tensors = load_file(path)
        else:
            tensors = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, OSError, RuntimeError, ValueError, EOFError, KeyError) as error:
        raise InputError(f"{path}: not a checkpoint that can be read ({type(error).__name__})") from error
    try:
        folded = {}
        for conv, norm, name in _TORCHVISION:
            weight, bias = _fold(tensors, conv, norm)
            folded[f"{name}.weight"], folded[f"{name}.bias"] = weight, bias
        return folded, "features.0.0.bias" in tensors
    except (KeyError, TypeError) as error:
        raise InputError(f"{path}: not a torchvision mobilenet_v2 checkpoint, no {error}") from error


def _fold(tensors: dict[str, Tensor], conv: str, norm: str) -> tuple[Tensor, Tensor]:
    """Weight and bias of a convolution with the batch normalisation after it folded in."""
    weight = tensors[f"{conv}.weight"].float()
    if f"{conv}.bias" in tensors:  # folded already
        return weight, tensors[f"{conv}.bias"].float()
    scale = tensors[f"{norm}.weight"].float() / torch.sqrt(
        tensors[f"{norm}.running_var"].float() + 1e-5
    )
    bias = tensors[f"{norm}.bias"].float() - tensors[f"{norm}.running_mean"].float() * scale
    return weight * scale.view(-1, 1, 1, 1), bias
