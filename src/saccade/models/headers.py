"""Weights and what is known of them in one safetensors file: JSON in its header, never executed."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from saccade.data.specs import LabelSpec
from saccade.errors import InputError
from saccade.files import atomic_write, reading, write_error
from saccade.strict_json import json_text

Net = TypeVar("Net", bound=nn.Module)

CHECKPOINT = "saccade"
"""Key of the header of a network that was trained on masks."""


def write_with_header(
    path: str | os.PathLike[str], key: str, header: dict[str, Any], weights: Mapping[str, Tensor]
) -> None:
    """Write weights and header; an older file is replaced as a whole or not at all.

    Args:
        path: to write to.
        key: of the header in the file's metadata.
        header: plain values for JSON.
        weights: a state dict.

    Raises:
        InputError: the folder of `path` is missing.
        OSError: the disk is full or may not be written to.
    """
    tensors = {name: t.detach().cpu().contiguous() for name, t in weights.items()}
    with atomic_write(path) as temporary:
        try:
            save_file(tensors, temporary, {key: json_text(header)})
        except SafetensorError as error:  # its way of saying that the disk is full
            raise write_error(error, path) from error


def read_header(path: Path, key: str, what: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The JSON under `key` in a safetensors file's header, and its tensors.

    Args:
        path: of the file.
        key: in its metadata.
        what: the file should be, for the message.

    Raises:
        InputError: no safetensors file, or none with such a header.
    """
    with reading(path, "damaged, or no safetensors file"), safe_open(path, "pt") as file:
        metadata = file.metadata() or {}
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    try:
        header = json.loads(metadata[key])
    except (KeyError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: a safetensors file, but no {what} of Saccade") from error
    if not isinstance(header, dict):
        raise InputError(f"{path}: a safetensors file, but no {what} of Saccade")
    return header, weights


def has_header(path: str | os.PathLike[str], key: str) -> bool:
    """Whether a safetensors file has a header under `key`; False for what is no such file.

    Example:
        >>> has_header(os.devnull, CHECKPOINT)
        False
    """
    try:
        with safe_open(path, "pt") as file:
            return key in (file.metadata() or {})
    except (SafetensorError, OSError, ValueError):
        return False


def network_with(make: Callable[[], Net], weights: Mapping[str, Tensor]) -> Net:
    """Build a network with the weights of a file.

    It is built without memory first: a damaged header may ask for any number of channels, a file
    of these weights cannot.

    Raises:
        RuntimeError: the weights are not those of such a network.
    """
    with torch.random.fork_rng(devices=[]):  # the weights drawn here are thrown away
        with torch.device("meta"):
            wanted = {name: tensor.shape for name, tensor in make().state_dict().items()}
        given = {name: tensor.shape for name, tensor in weights.items()}
        for name in [*wanted, *given]:
            if wanted.get(name) != given.get(name):
                expected, found = _shape(wanted.get(name)), _shape(given.get(name))
                raise RuntimeError(f"{name} is {found}, expected {expected}")
        net = make()
    net.load_state_dict(weights)
    return net


def _shape(shape: torch.Size | None) -> str:
    return "missing" if shape is None else " x ".join(map(str, shape)) or "one number"


def spec_from_dict(content: dict[str, Any]) -> LabelSpec:
    """The classes of a header."""
    return LabelSpec(
        tuple(content["names"]),
        tuple((r, g, b) for r, g, b in content["palette"]),
        tuple((value, index) for value, index in content["mapping"]),
        tuple(content["ignored"]),
    )
