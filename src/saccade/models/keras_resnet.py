"""ResNet-50 weights of Keras, as TensorFlow.js stores them: model.json and the shards beside it.

The network is the first version of ResNet: the stride of a stage is in the first 1x1 convolution of
its first block, where torchvision has it in the 3x3. Its images are BGR in 0..255 minus a mean, its
convolutions have biases, and its normalization another epsilon. Names, order of channels, biases
and epsilon are converted without a change of what is computed; strides are the caller's.
"""

import json
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from saccade.errors import InputError
from saccade.files import reading

MEAN = (123.68 / 255, 116.779 / 255, 103.939 / 255)
STD = (1 / 255, 1 / 255, 1 / 255)
"""Of the colors that these weights expect, RGB in [0, 1]."""

_TORCH_EPSILON = 1e-5
_BLOCKS = {2: "abc", 3: "abcd", 4: "abcdef", 5: "abc"}
"""Stage -> the letters of its blocks, in order."""

_LAYERS = {"branch2a": ("conv1", "bn1"), "branch2b": ("conv2", "bn2"), "branch2c": ("conv3", "bn3")}
_SHORTCUT = {"branch1": ("downsample.0", "downsample.1")}


def read_keras_resnet(path: Path) -> dict[str, Tensor]:
    """The weights of a ResNet-50 with torchvision's names, without its classifier.

    Args:
        path: model.json; the shards that it names are beside it.

    Raises:
        InputError: no such file, a shard is missing or too short, or a layer is missing.
    """
    with reading(path, "expected model.json of a Keras ResNet-50, as TensorFlow.js stores it"):
        content = json.loads(path.read_text(encoding="utf-8"))
        arrays = _read_shards(path, content["weightsManifest"])
        epsilon = _epsilon(content)
    found: dict[str, Tensor] = {}
    for keras, ours in _names().items():
        conv, norm = f"{keras}/kernel", _norm_of(keras)
        parts = [conv, f"{keras}/bias", *(f"{norm}/{part}" for part in _NORM)]
        missing = [part for part in parts if part not in arrays]
        if missing:
            raise InputError(f"{path}: no weights for resnet50, {missing[0]} is missing")
        kernel, bias, gamma, beta, mean, variance = (arrays[part] for part in parts)
        # (height, width, in, out) to (out, in, height, width)
        found[f"{ours[0]}.weight"] = kernel.permute(3, 2, 0, 1).contiguous()
        found[f"{ours[1]}.weight"], found[f"{ours[1]}.bias"] = gamma, beta
        found[f"{ours[1]}.running_mean"] = mean - bias
        found[f"{ours[1]}.running_var"] = variance + (epsilon - _TORCH_EPSILON)
    found["conv1.weight"] = found["conv1.weight"].flip(1)  # BGR to RGB
    return found


_NORM = ("gamma", "beta", "moving_mean", "moving_variance")


def _names() -> dict[str, tuple[str, str]]:
    """Keras' convolution -> torchvision's convolution and normalization."""
    names = {"conv1": ("conv1", "bn1")}
    for stage, letters in _BLOCKS.items():
        for place, letter in enumerate(letters):
            home = f"layer{stage - 1}.{place}"
            for branch, (conv, norm) in (_LAYERS if place else _LAYERS | _SHORTCUT).items():
                names[f"res{stage}{letter}_{branch}"] = (f"{home}.{conv}", f"{home}.{norm}")
    return names


def _norm_of(conv: str) -> str:
    return "bn_conv1" if conv == "conv1" else conv.replace("res", "bn", 1)


def _read_shards(path: Path, manifest: Any) -> dict[str, Tensor]:
    """All arrays by name; those of a group follow each other in the shards, one after another."""
    arrays: dict[str, Tensor] = {}
    for group in manifest:
        files = [path.parent / str(name) for name in group["paths"]]
        for file in files:
            if file.resolve().parent != path.parent.resolve() or not file.is_file():
                raise InputError(f"{path}: its shard {file.name} is not beside it")
        content, start = b"".join(file.read_bytes() for file in files), 0
        for entry in group["weights"]:
            shape, kind = tuple(int(n) for n in entry["shape"]), entry["dtype"]
            size = 4 * prod(shape)
            if kind != "float32" or min(shape, default=1) < 0 or start + size > len(content):
                raise InputError(
                    f"{path}: {entry['name']} is {kind} {shape}, beyond the end of the shards or "
                    "not float32"
                )
            values = np.frombuffer(content, "<f4", prod(shape), start).reshape(shape)
            arrays[str(entry["name"])] = torch.from_numpy(values.astype(np.float32))
            start += size
    return arrays


def _epsilon(content: Mapping[str, Any]) -> float:
    layers = content["modelTopology"]["model_config"]["config"]["layers"]
    found = {
        float(layer["config"]["epsilon"])
        for layer in layers
        if layer["class_name"] == "BatchNormalization"
    }
    if len(found) != 1:
        raise ValueError(f"{len(found)} values of epsilon")
    return found.pop()
