"""The state between two steps, kept on disk so that a run can go on where it was killed."""

import json
import pickle
import zipfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from saccade.data.files import atomic_write, one_line
from saccade.errors import InputError

STATE = "state.pt"


@dataclass
class State:
    """Everything that a step changes.

    Attributes:
        step: steps done.
        weights: state dict of the network.
        optimizer: state dict of the optimiser.
        ema: moving average of the weights, empty where there is none.
        scaler: state of the loss scaling, empty but for float16.
        best: best mIoU so far, -1 before the first evaluation.
        history: one entry per evaluated epoch.
    """

    step: int
    weights: dict[str, Tensor]
    optimizer: dict[str, Any]
    ema: dict[str, Tensor]
    scaler: dict[str, Any]
    best: float
    history: list[dict[str, Any]]


def save_state(folder: Path, state: State, config: dict[str, Any]) -> None:
    """Write the state beside the checkpoints, whole or not at all.

    Raises:
        OSError: the disk is full or may not be written to.
    """
    content = {**vars(state), "config": json.dumps(config, sort_keys=True)}
    with atomic_write(folder / STATE) as path:
        try:
            torch.save(content, path)
        except RuntimeError as error:  # its way of saying that the disk is full
            raise OSError(f"{folder / STATE}: cannot be written ({one_line(error)})") from error


def load_state(
    folder: Path, config: dict[str, Any], *, newer: Collection[str] = ()
) -> State | None:
    """The state that `save_state` left in a folder; None where there is none.

    Args:
        folder: of the run.
        config: of the run that wants to go on.
        newer: keys of it that older states do not have; such a state says nothing of them.

    Raises:
        InputError: the file is damaged, or of a run with other settings; it names the first.
    """
    path = folder / STATE
    if not path.exists():
        return None
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        saved = json.loads(content.pop("config"))
        state = State(**content)
    except (RuntimeError, ValueError, KeyError, TypeError, pickle.UnpicklingError) as error:
        raise InputError(f"{path}: damaged ({one_line(error)}); start in another folder") from error
    except (EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: truncated; start in another folder") from error
    asked = {key: value for key, value in config.items() if key not in newer or key in saved}
    differing = first_difference(saved, json.loads(json.dumps(asked)))
    if differing:
        raise InputError(
            f"{folder}: the run there has another {differing}; go on with its settings, or give "
            "-o another folder"
        )
    return state


def first_difference(one: Any, other: Any, name: str = "") -> str:
    """Name of the first value that differs between nested dicts, or "" where none does."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}):
            below = f"{name}.{key}" if name else str(key)
            found = first_difference(one.get(key), other.get(key), below)
            if found:
                return found
        return ""
    return "" if one == other else name
