"""ImageNet weights for backbones: from torchvision's cache or a local file, never downloaded."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from saccade.errors import InputError
from saccade.files import check_readable, one_line
from saccade.models.backbones import adapt_weight
from saccade.models.keras_resnet import MEAN, STD, read_keras_resnet
from saccade.models.largefov import LargeFOVHead, load_fc6_and_fc7, load_vgg_convolutions
from saccade.models.timm_backbone import PREFIX, TimmFeatures, load_timm_weights
from saccade.models.unwrap import as_torchvision, from_timm, load_pickled, unwrap

FILES = {
    "mobilenet_v2": ("mobilenet_v2-7ebf99e0.pth", "mobilenet_v2-b0353104.pth"),
    "resnet50": ("resnet50-0676ba61.pth", "resnet50-11ad3fa6.pth"),
    "vgg16": ("vgg16-397923af.pth",),
    "resnet101": ("resnet101-63fe2227.pth", "resnet101-cd907fc2.pth"),
}
"""torchvision's file names, the preferred one first."""


class _Net(Protocol):
    """What all networks here have."""

    backbone: Any
    mean: Tensor
    std: Tensor


def load_backbone(
    net: _Net, name: str, source: str, *, images: Callable[[], Tensor] | None = None
) -> Path:
    """Load weights into the backbone of a network, in place; of "largefov" also fc6 and fc7.

    Those of the first layer are adapted to images of another number of channels than three, see
    `backbones.adapt_weight`.

    Args:
        net: whose backbone it is.
        name: of the backbone.
        source: "imagenet" for torchvision's weights in its cache, or a file: `.pth` or
            `.safetensors` with torchvision's or timm's names, wrapped or not (`unwrap`), a
            checkpoint of Saccade among them; or `.npz` of a MobileNetV2 with its batch
            normalisation folded into biases, which expects colors in [-1, 1]; or model.json of a
            Keras ResNet-50, whose strides the net is given (`saccade.models.keras_resnet`).
        images: for folded weights: returns (B, C, H, W) images in [0, 1] as `net` takes them, on
            which the statistics of the normalisation are measured, so that the function stays.

    Returns:
        The file that was read.

    Raises:
        InputError: the file is missing (the message says where it was looked for), damaged, of
            another network, or folded without `images`.
    """
    if name.startswith(PREFIX):
        made = net.backbone.net if isinstance(net.backbone, TimmFeatures) else net.backbone.model
        return load_timm_weights(made, name, source)
    path = _in_cache(name) if source == "imagenet" else check_readable(source)
    if path.suffix == ".json":
        if name != "resnet50":
            raise InputError(f"{path}: read as weights of Keras' resnet50, not of {name}")
        net.backbone.move_strides()
    own = net.backbone.state_dict()
    content = _read(path)
    weights = unwrap(content, "features.0.weight" if name == "vgg16" else next(iter(own)))
    if name == "mobilenet_v2":
        if next(iter(own)) not in weights:
            weights = from_timm(unwrap(content, "conv_stem.weight"))
        weights = as_torchvision(weights)
    _adapt_first(weights, own)
    if name == "vgg16":
        head = getattr(net, "head", None)
        try:
            load_vgg_convolutions(net.backbone, weights)
            if isinstance(head, LargeFOVHead):
                load_fc6_and_fc7(head, weights)
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
        return path
    if "features.0.0.bias" in weights:
        if images is None:
            raise InputError(f"{path}: folded weights need images to measure statistics on")
        _check(weights, {k: v for k, v in own.items() if _is_conv(k, own)}, path, name)
        _unfold(net, weights, images())
        return path
    _check(weights, own, path, name)
    net.backbone.load_state_dict({key: weights[key] for key in own})
    return path


def _adapt_first(weights: dict[str, Any], own: dict[str, Tensor]) -> None:
    """Fit the weights of the first layer, which are for colors, to the channels of a network."""
    first, count = next((key, value.shape[1]) for key, value in own.items() if value.ndim == 4)
    given = weights.get(first)
    if isinstance(given, Tensor) and given.ndim == 4 and given.shape[1] == 3:
        weights[first] = adapt_weight(given, count)


def expects(source: str) -> dict[str, Any]:
    """What weights decide in a network beside their numbers: settings of its configuration.

    Folded 8-bit models (`.npz`) take x / 128 - 1 for x in 0..255; Keras' ResNet-50 (`.json`) takes
    colors minus a mean and has its strides in other layers. A checkpoint of Saccade says what it
    expects; a file that cannot be read says nothing here.

    Example:
        >>> expects("resnet50.pth")
        {}
        >>> expects("model.json")["stride_first"]
        True
    """
    if source.endswith(".npz"):
        half = 128 / 255
        return {"mean": (half, half, half), "std": (half, half, half)}
    if source.endswith(".json"):
        return {"mean": MEAN, "std": STD, "stride_first": True}
    return _said_by(source) if source.endswith(".safetensors") else {}


def _said_by(path: str) -> dict[str, Any]:
    try:
        with safe_open(path, "pt") as file:
            network = json.loads((file.metadata() or {})["saccade"])["network"]
        found = {name: network[name] for name in ("mean", "std", "stride_first") if name in network}
        return {name: tuple(v) if isinstance(v, list) else v for name, v in found.items()}
    except (OSError, SafetensorError, LookupError, TypeError, ValueError, RecursionError):
        return {}  # no checkpoint, or one that is refused with a word when its weights are read


def in_cache(name: str) -> bool:
    """Whether torchvision's cache has ImageNet weights for a backbone."""
    try:
        return _in_cache(name).is_file()
    except InputError:
        return False


def _in_cache(name: str) -> Path:
    home = Path(os.environ.get("TORCH_HOME", Path.home() / ".cache" / "torch"))
    folder = home / "hub" / "checkpoints"
    for file in FILES[name]:
        if (folder / file).is_file():
            return folder / file
    raise InputError(
        f"no ImageNet weights for {name}: looked for {' and '.join(FILES[name])} in {folder}; "
        'put one there, name a local file as weights, or say weights = "none"'
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.suffix == ".json":
            return dict(read_keras_resnet(path))
        if path.suffix == ".safetensors":
            return load_file(path)
        if path.suffix == ".npz":
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return {k: torch.from_numpy(arrays[k].astype(np.float32)) for k in arrays}
        content = load_pickled(path)
    except InputError:
        raise
    except Exception as error:  # unpickling raises nearly anything; sizes there may be absurd
        raise InputError(f"{path}: weights that cannot be read ({one_line(error)})") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: holds a {type(content).__name__}, must be a state dict")
    return content


def _is_conv(key: str, own: dict[str, Tensor]) -> bool:
    return key.endswith("weight") and own[key].ndim == 4


def _check(weights: dict[str, Tensor], own: dict[str, Tensor], path: Path, name: str) -> None:
    for key, tensor in own.items():
        if key.endswith("num_batches_tracked"):
            weights.setdefault(key, tensor)
        if key not in weights:
            raise InputError(f"{path}: no weights for {name}, {key} is missing")
        if weights[key].shape != tensor.shape:
            raise InputError(
                f"{path}: {key} is {tuple(weights[key].shape)}, {name} has {tuple(tensor.shape)}"
            )


@torch.no_grad()
def _unfold(net: _Net, weights: dict[str, Tensor], images: Tensor) -> None:
    """Put back the batch normalisation, with mean m and variance v as measured.

    gamma = sqrt(v + eps) and beta = m + bias give gamma (u - m) / sqrt(v + eps) + beta = u + bias.
    """
    pairs = _convs_and_norms(net.backbone)
    for key, conv, norm in pairs:
        conv.weight.copy_(weights[f"{key}.weight"])
        norm.running_mean.zero_()  # type: ignore[union-attr]
        norm.running_var.fill_(1 - norm.eps)  # type: ignore[union-attr]
        norm.weight.fill_(1)
        norm.bias.copy_(weights[f"{key}.bias"])
    sums = {id(norm): torch.zeros(3, norm.num_features) for _, _, norm in pairs}

    def note(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        u = inputs[0].double()
        count = torch.full((u.shape[1],), float(u.numel() // u.shape[1]))
        moments = torch.stack([count, u.sum((0, 2, 3)).float(), (u * u).sum((0, 2, 3)).float()])
        sums[id(norm)] += moments

    hooks = [norm.register_forward_pre_hook(note) for _, _, norm in pairs]
    training = net.backbone.training
    net.backbone.eval()
    for batch in torch.split(images, 8):
        net.backbone((batch - net.mean) / net.std)
    for hook in hooks:
        hook.remove()
    for _, _, norm in pairs:
        count, total, squares = sums[id(norm)]
        mean = total / count
        variance = (squares / count - mean * mean).clamp(min=1e-4)
        bias = norm.bias.clone()
        norm.running_mean.copy_(mean)  # type: ignore[union-attr]
        norm.running_var.copy_(variance)  # type: ignore[union-attr]
        norm.weight.copy_((variance + norm.eps).sqrt())
        norm.bias.copy_(mean + bias)
    net.backbone.train(training)


def _convs_and_norms(backbone: nn.Module) -> list[tuple[str, nn.Conv2d, nn.BatchNorm2d]]:
    """Each convolution with the normalisation that follows it, in order."""
    layers = [
        (n, m) for n, m in backbone.named_modules() if isinstance(m, nn.Conv2d | nn.BatchNorm2d)
    ]
    pairs = []
    for (key, conv), (_, norm) in zip(layers[::2], layers[1::2], strict=True):
        assert isinstance(conv, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        pairs.append((key, conv, norm))
    return pairs
