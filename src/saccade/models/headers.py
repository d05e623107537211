"""Weights and what is known of them in one safetensors file: JSON in its header, never executed."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from saccade.data.specs import LabelSpec
from saccade.errors import InputError
from saccade.files import atomic_write, one_line, write_error


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
            save_file(tensors, temporary, {key: json.dumps(header)})
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
