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
