"""Weights between stages: which networks a stage hands on, their files, and their means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from saccade.errors import InputError
from scripts.train_bundled.settings import Stage
from scripts.train_bundled.tasks import Weights

Lineage = dict[str, frozenset[str]]
"""Kind of stage -> the stages whose mean a network is."""


def lineage(stage: Stage, stages: Mapping[str, Stage]) -> Lineage:
    """The networks that a stage hands on: its own, and those that it began with.

    Raises:
        InputError: it starts from stages that trained upon different networks.
    """
    found = together(f"stage {stage.name}: start", stage.start, stages, apart=(stage.kind,))
    return {**found, stage.kind: frozenset((stage.name,))}


def together(
    where: str, names: Iterable[str], stages: Mapping[str, Stage], apart: Sequence[str]
) -> Lineage:
    """The networks of several stages, of which those of the kinds ``apart`` may differ.

    Raises:
        InputError: they have different networks of another kind.
    """
    found: Lineage = {}
    for name in names:
        for kind, made_of in lineage(stages[name], stages).items():
            if found.get(kind, made_of) != made_of and kind not in apart:
                first, other = ("+".join(sorted(s)) for s in (found[kind], made_of))
                raise InputError(
                    f"{where}: {', '.join(names)} have a different {kind} ({first}, {other}), "
                    "must have the same"
                )
            found[kind] = found.get(kind, frozenset()) | made_of
    return found


def mean_of(parts: Sequence[Weights]) -> Weights:
    """All networks of these weights; the mean where several have different ones of a kind.

    Runs that went on from the same weights err in different ways, and their mean errs less.
    """
    found: Weights = {}
    for kind in dict.fromkeys(kind for weights in parts for kind in weights):
        states = [weights[kind] for weights in parts if kind in weights]
        found[kind] = {
            name: value
            if all(torch.equal(value, state[name]) for state in states)
            else torch.stack([state[name].float() for state in states]).mean(0).to(value.dtype)
            for name, value in states[0].items()
        }
    return found


def save_file_of(path: Path, state: dict[str, Any]) -> None:
    """Write tensors and plain values."""
    torch.save(state, path)


def load_file_of(path: Path) -> dict[str, Any]:
    """What `save_file_of` wrote.

    Raises:
        InputError: the file is damaged.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # unpickling raises nearly anything on a damaged file
        raise InputError(
            f"{path}: cannot be read ({type(error).__name__}); delete it to train the stage again"
        ) from error
    return state
