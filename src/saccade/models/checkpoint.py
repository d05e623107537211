"""One file with everything that is needed to use a trained network.

A safetensors file: the weights, and in its header, as JSON, the network's configuration, the
classes and what is known of the training. Nothing in it is ever executed.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from saccade.data.specs import LabelSpec
from saccade.errors import InputError
from saccade.files import atomic_write, check_readable, one_line, write_error
from saccade.models.segmentation import SegmentationConfig, SegmentationNet, config_from_dict

_KEY = "saccade"
_VERSION = 1


@dataclass(frozen=True)
class Checkpoint:
    """A network in eval mode, the classes it knows, and what is known of its training."""

    net: SegmentationNet
    spec: LabelSpec
    info: dict[str, Any] = field(default_factory=dict)


def save_checkpoint(
    path: str | os.PathLike[str],
    config: SegmentationConfig,
    weights: dict[str, Tensor],
    spec: LabelSpec,
    info: dict[str, Any],
) -> None:
    """Write a checkpoint; an older file of the name is replaced as a whole or not at all.

    Args:
        path: to write to.
        config: of the network.
        weights: its state dict.
        spec: its classes.
        info: plain values for JSON.

    Raises:
        InputError: the folder of `path` is missing.
        OSError: the disk is full or may not be written to.
    """
    header = {
        "version": _VERSION,
        "network": config.to_dict(),
        "classes": asdict(spec),
        "info": info,
    }
    tensors = {name: t.detach().cpu().contiguous() for name, t in weights.items()}
    with atomic_write(path) as temporary:
        try:
            save_file(tensors, temporary, {_KEY: json.dumps(header)})
        except SafetensorError as error:  # its way of saying that the disk is full
            raise write_error(error, path) from error


def load_checkpoint(path: str | os.PathLike[str], *, device: str = "cpu") -> Checkpoint:
    """Read a checkpoint and build its network, in eval mode.

    Args:
        path: of `save_checkpoint`.
        device: where the network goes.

    Raises:
        InputError: the file is missing, damaged, no checkpoint of Saccade, of a newer version,
            or its weights do not fit its configuration.
    """
    path = check_readable(path)
    header, weights = read_header(path, _KEY, "checkpoint")
    if header.get("version") != _VERSION:
        raise InputError(
            f"{path}: checkpoint version {header.get('version')!r}, this program reads {_VERSION}"
        )
    try:
        config = config_from_dict(header["network"])
        spec = spec_from_dict(header["classes"])
        info = dict(header["info"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: incomplete checkpoint ({one_line(error)})") from error
    with torch.random.fork_rng(devices=[]):  # the weights drawn here are thrown away
        net = SegmentationNet(config)
    try:
        net.load_state_dict(weights)
    except RuntimeError as error:
        raise InputError(f"{path}: weights do not fit its network ({one_line(error)})") from error
    return Checkpoint(net.eval().to(device), spec, info)


def read_header(path: Path, key: str, what: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The JSON under `key` in a safetensors file's header, and its tensors.

    Args:
        path: of the file.
        key: in its metadata.
        what: the file should be, for the message.

    Raises:
        InputError: no safetensors file, or none with such a header.
    """
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: damaged, or no safetensors file ({one_line(error)})") from error
    try:
        header = json.loads(metadata[key])
    except (KeyError, ValueError) as error:
        raise InputError(f"{path}: a safetensors file, but no {what} of Saccade") from error
    return dict(header), weights


def spec_from_dict(content: dict[str, Any]) -> LabelSpec:
    """The classes of a header."""
    return LabelSpec(
        tuple(content["names"]),
        tuple((r, g, b) for r, g, b in content["palette"]),
        tuple((value, index) for value, index in content["mapping"]),
        tuple(content["ignored"]),
    )
