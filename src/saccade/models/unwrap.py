"""State dicts as training scripts leave them: in other dicts, with prefixes to their names."""

from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

_FIRST_BLOCK = {"0": "0.0", "1": "0.1", "3": "1", "4": "2"}
_BLOCK = {"0": "0.0", "1": "0.1", "3": "1.0", "4": "1.1", "6": "2", "7": "3"}
"""Place of a layer in a block in one row -> in torchvision's names."""

_TIMM_FIRST = {"conv_dw": "0.0", "bn1": "0.1", "conv_pw": "1", "bn2": "2"}
_TIMM_BLOCK = {"conv_pw": "0.0", "bn1": "0.1", "conv_dw": "1.0", "bn2": "1.1"}
_TIMM_BLOCK |= {"conv_pwl": "2", "bn3": "3"}
_TIMM_ENDS = {"conv_stem": "features.0.0", "bn1": "features.0.1"}
_TIMM_ENDS |= {"conv_head": "features.18.0", "bn2": "features.18.1", "classifier": "classifier.1"}
"""A layer of timm's `mobilenetv2_100` -> in torchvision's names."""


def load_pickled(path: Path) -> Any:
    """What a file of `torch.save` holds, tensors and plain values only.

    The scripts of torchvision keep their options beside the weights, an `argparse.Namespace`.
    """
    with torch.serialization.safe_globals([Namespace]):
        return torch.load(path, map_location="cpu", weights_only=True)


def unwrap(content: Mapping[str, Any], first: str) -> dict[str, Tensor]:
    """The state dict of a network somewhere in a checkpoint.

    Wrappers are dicts in dicts ("model", "state_dict"), and prefixes of the names ("module.",
    "backbone."); of several places the outermost is taken, and the shortest prefix.

    Args:
        content: of the checkpoint.
        first: a name that the state dict has.

    Returns:
        The tensors under the prefix, without it; all of `content` where the name is nowhere.

    Example:
        >>> one = torch.ones(1)
        >>> unwrap({"model": {"module.a.bias": one, "other": one}, "epoch": 3}, "a.bias")
        {'a.bias': tensor([1.])}
    """
    levels: list[Mapping[str, Any]] = [content]
    while levels:
        for level in levels:
            tensors = {k: v for k, v in level.items() if isinstance(v, Tensor)}
            prefixes = [k.removesuffix(first) for k in tensors if f".{k}".endswith(f".{first}")]
            if prefixes:
                prefix = min(prefixes, key=len)
                return {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}
        levels = [v for level in levels for v in level.values() if isinstance(v, Mapping)]
    return dict(content)


def as_torchvision(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """A MobileNetV2 with torchvision's names; the layers of a block may be numbered in one row.

    That is how its first public port to PyTorch has them, with places for activations between.

    Example:
        >>> one = torch.ones(1)
        >>> list(as_torchvision({"features.1.conv.3.weight": one, "features.2.conv.7.bias": one}))
        ['features.1.conv.1.weight', 'features.2.conv.3.bias']
    """
    if "features.1.conv.3.weight" not in tensors:
        return tensors
    renamed = {}
    for key, value in tensors.items():
        parts = key.split(".")
        if len(parts) == 5 and parts[2] == "conv":
            places = _FIRST_BLOCK if parts[1] == "1" else _BLOCK
            parts[3] = places.get(parts[3], parts[3])
        renamed[".".join(parts)] = value
    return renamed


def from_timm(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename the layers of timm's `mobilenetv2_100` as torchvision does; else nothing.

    timm counts the blocks in stages and names the layers of a block by what they do. Its ResNets
    and VGGs have torchvision's names.

    Example:
        >>> one = torch.ones(1)
        >>> list(from_timm({"conv_stem.weight": one, "blocks.0.0.conv_dw.weight": one,
        ...                 "blocks.1.0.bn3.bias": one}))
        ['features.0.0.weight', 'features.1.conv.0.0.weight', 'features.2.conv.3.bias']
    """
    if "conv_stem.weight" not in tensors:
        return tensors
    blocks = sorted({(int(s), int(b)) for s, b in map(_block_of, tensors) if s})
    places = {block: number for number, block in enumerate(blocks, 1)}
    renamed = {}
    for key, value in tensors.items():
        stage, block = _block_of(key)
        layer, _, rest = key.rpartition(".")
        layer = layer.rpartition(".")[2]
        if stage:
            number = places[int(stage), int(block)]
            inner = (_TIMM_FIRST if number == 1 else _TIMM_BLOCK).get(layer, layer)
            renamed[f"features.{number}.conv.{inner}.{rest}"] = value
        else:
            renamed[f"{_TIMM_ENDS.get(layer, layer)}.{rest}"] = value
    return renamed


def _block_of(key: str) -> tuple[str, str]:
    """Stage and number in it, as text; empty where a name is of no block."""
    parts = key.split(".")
    inside = parts[0] == "blocks" and len(parts) == 5 and (parts[1] + parts[2]).isdecimal()
    return (parts[1], parts[2]) if inside else ("", "")
