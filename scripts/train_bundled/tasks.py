"""What a kind of stage must offer: the loop, the data check and the packing know nothing else.

A new kind is a module with a `Kind` in it, listed in `kinds.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from scripts.train_bundled.settings import Stage

State = dict[str, Tensor]
Weights = dict[str, State]
"""What stages have trained, by their kind: the state of each network."""

B = TypeVar("B")
B_co = TypeVar("B_co", covariant=True)


@dataclass(frozen=True)
class Place:
    """Where a run works: the root of the data, a folder that it may make and fill, the device."""

    data: Path
    cache: Path
    device: torch.device


class Source(Protocol[B_co]):
    """Draws what a step sees; it is sent to other processes, so it must be small and picklable."""

    def draw(self, rng: np.random.Generator, generator: torch.Generator) -> B_co:
        """A batch that depends on the state of the two generators alone, on the CPU."""
        ...


class Task(Protocol[B]):
    """A stage about to be trained."""

    @property
    def module(self) -> nn.Module:
        """What is trained, on the device, with the weights to begin with."""
        ...

    @property
    def source(self) -> Source[B]:
        """Where its batches come from."""
        ...

    @property
    def rates(self) -> Mapping[str, float]:
        """By prefix of the weights' names: their learning rate as a share of the stage's."""
        ...

    def vary(self, batch: B, rng: np.random.Generator, *, first: bool) -> B:
        """The batch as a step sees it, mirrored for example; ``first`` where it is new."""
        ...

    def loss(self, module: nn.Module, batch: B, generator: torch.Generator) -> Tensor:
        """The loss of a module like the task's own.

        ``generator`` is of the device. Its `initial_seed` differs from step to step, and may seed
        another one for what NumPy draws.
        """
        ...


def _nothing_else(where: str, stage: Stage) -> None:
    """A kind without options."""


@dataclass(frozen=True)
class Kind:
    """One kind of stages.

    Attributes:
        shares: the kinds of episodes that it knows.
        needs: kinds of stages that it must start from.
        data: names of the data sets that a stage learns from.
        photographs: stems of the photographs that a stage learns from, by data set.
        task: a stage with the weights to begin with. Those of its own kind are there where it
            goes on from a stage of its kind; else the network is random, by the stage's seed.
        scores: of weights with this kind among them, by what is scored. Its arguments are the
            weights, the place, stems to score alone (empty: all) and how many of a set (0: all).
        pack: tensors of a packed file, from the state and the number of the member.
        check: refuses options that it does not know, with the text that the message begins with.
    """

    shares: tuple[str, ...]
    needs: tuple[str, ...]
    data: Callable[[Stage], tuple[str, ...]]
    photographs: Callable[[Stage, Path], Mapping[str, frozenset[str]]]
    task: Callable[[Stage, Weights, Place], Task[Any]]
    scores: Callable[[Weights, Place, frozenset[str], int], Mapping[str, float]]
    pack: Callable[[State, int], State]
    check: Callable[[str, Stage], None] = field(default=_nothing_else)
