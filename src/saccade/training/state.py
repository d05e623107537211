"""The state between two steps, kept on disk so that a run can go on where it was killed."""

import json
import zipfile
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from saccade.errors import InputError
from saccade.files import atomic_write, one_line, write_error
from saccade.strict_json import json_text
from saccade.training.segmentation_losses import LossConfig

STATE = "state.pt"

IMAGES, CLASSES, MASKS = "set of images", "list of classes", "set of masks"
"""Keys beside the settings of a run: what it is about, wherever the files are."""


@dataclass
class State:
    """Everything that a step changes.

    Attributes:
        step: steps done.
        weights: state dict of the network.
        optimizer: state dict of the optimizer.
        ema: moving average of the weights, empty where there is none.
        scaler: state of the loss scaling, empty but for float16.
        best: best mIoU so far, -1 before the first evaluation.
        history: one entry per evaluated epoch.
        longer: where more epochs were asked for: the step, and the epochs planned before it.
        losses: (step, loss, learning rate) of every tenth step.
    """

    step: int
    weights: dict[str, Tensor]
    optimizer: dict[str, Any]
    ema: dict[str, Tensor]
    scaler: dict[str, Any]
    best: float
    history: list[dict[str, Any]]
    longer: list[list[int]] = field(default_factory=list)
    losses: list[list[float]] = field(default_factory=list)


def save_state(folder: Path, state: State, config: dict[str, Any]) -> None:
    """Write the state beside the checkpoints, whole or not at all.

    Raises:
        OSError: the disk is full or may not be written to.
    """
    content = {**vars(state), "config": json_text(config, sort_keys=True)}
    with atomic_write(folder / STATE) as path:
        try:
            with path.open("wb") as file:  # a path would lose the reason of a failure
                torch.save(content, file)
        except RuntimeError as error:  # its way of saying that the disk is full
            raise write_error(error, folder / STATE) from error


def load_state(
    folder: Path,
    config: dict[str, Any],
    *,
    newer: Collection[str] = (),
    later: Collection[str] = (),
    may_grow: bool = False,
) -> State | None:
    """The state that `save_state` left in a folder; None where there is none.

    Args:
        folder: of the run.
        config: of the run that wants to go on.
        newer: keys of it that older states do not have; such a state says nothing of them.
        later: keys that it does not have yet; they are not compared.
        may_grow: let `optim.epochs` be more than the run had; that is noted in `State.longer`.

    Raises:
        InputError: the file is damaged, or of a run with other settings; it names the first.
    """
    path = folder / STATE
    if not path.exists():
        return None
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        saved = json.loads(content.pop("config"))
        state = _checked(State(**content))
    except RuntimeError as error:
        raise InputError(f"{path}: damaged ({one_line(error)}); start in another folder") from error
    except (EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: truncated; start in another folder") from error
    except MemoryError:
        raise
    except Exception as error:  # unpickling raises nearly anything
        # PyTorch's own words are a page on how to read files that are not to be trusted.
        raise InputError(
            f"{path}: damaged, or not the state of a run of Saccade; start in another folder"
        ) from error
    requested = {key: value for key, value in config.items() if key not in newer or key in saved}
    requested = _deciding(json.loads(json_text(requested)))
    known = {key: value for key, value in saved.items() if key not in later}
    known = _deciding(known)
    if may_grow and known["optim"]["epochs"] < requested["optim"]["epochs"]:
        state.longer.append([state.step, known["optim"]["epochs"]])
        known["optim"]["epochs"] = requested["optim"]["epochs"]
    differing = first_difference(known, requested)
    if differing:
        raise InputError(
            f"{folder}: the run there has another {differing}; go on with its settings, or give "
            "-o another folder"
        )
    return state


def _checked(state: State) -> State:
    """Raise TypeError where what a file holds is no state."""
    kinds = {"step": int, "best": float, "history": list, "longer": list, "losses": list}
    for name, value in vars(state).items():
        if not isinstance(value, kinds.get(name, dict)):
            raise TypeError(f"{name} is a {type(value).__name__}")
    if state.step < 0 or not all(isinstance(entry, dict) for entry in state.history):
        raise TypeError("no history")
    return state


# What changes neither steps nor weights, and where files are: data may be moved between two calls.
_FREE = {
    "data": ("root",),
    "optim": ("patience",),
    "run": ("workers", "pictures", "save_every", "validate_every"),
}
_PATHS = {"": ("weights", "start"), "supervision": ("masks", "strong_list", "labels")}
# Settings that are newer than some runs, with what these did.
_NEWER: dict[str, dict[str, Any]] = {
    "data": {"intensities": [], "channels": []},
    "network": {"stride_first": False, "in_channels": 3},
    "augmentation": {"more": []},
    "optim": {"drop_once": False, "freeze": False, "optimizer": "sgd", "layer_decay": 1.0},
    "supervision": {"leave_out": False},
}
_NEWER_TABLES: dict[str, dict[str, Any]] = {"loss": asdict(LossConfig())}


def _deciding(config: dict[str, Any]) -> dict[str, Any]:
    """A configuration without what a run may go on with in another way; paths as names."""
    kept = {k: dict(v) if isinstance(v, dict) else v for k, v in config.items()}
    if "supervision" in kept:  # the run of a network, not of a classifier
        kept |= {name: table for name, table in _NEWER_TABLES.items() if name not in kept}
    for table, settings in _NEWER.items():
        if isinstance(kept.get(table), dict):
            kept[table] = {**settings, **kept[table]}
    for table, names in _FREE.items():
        for name in names:
            if isinstance(kept.get(table), dict):
                kept[table].pop(name, None)
    for table, names in _PATHS.items():
        values = kept.get(table) if table else kept
        for name in names:
            if isinstance(values, dict) and isinstance(values.get(name), str):
                values[name] = Path(values[name]).name
    return kept


def first_difference(one: Any, other: Any, name: str = "") -> str:
    """Name of the first value that differs between nested dicts, or "" where none does."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}):
            below = f"{name}.{key}" if name else str(key)
            difference = first_difference(one.get(key), other.get(key), below)
            if difference:
                return difference
        return ""
    return "" if one == other else name
