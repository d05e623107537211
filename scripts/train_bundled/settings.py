"""What a recipe says, as values: data, stages, and the files they make."""

# No `from __future__ import annotations` here: `from_table` reads the types of the fields.
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class DataSet:
    """One set of photographs.

    ``folders`` maps folders below the root of the data to their digests, the first of them has
    one file for each photograph; ``terms`` is under which conditions its owners give it.
    """

    name: str
    what: str
    terms: str
    folders: Mapping[str, str]


@dataclass(frozen=True)
class StageSettings:
    """One stage but for its tables; see `Stage`."""

    name: str
    kind: str
    seed: int
    steps: int
    batch: int
    learning_rate: float
    start: tuple[str, ...] = ()
    warm_up: int = 100
    weight_decay: float = 1e-3
    average: float = 0.0
    freeze_norm: float = 1.0
    reuse: int = 1
    pool: int = 1
    hold: str = ""
    bfloat16: bool = False


@dataclass(frozen=True)
class Stage(StageSettings):
    """One stage of the training: all that decides its weights but the data and the code.

    Attributes:
        name: of the stage, unique in the recipe.
        kind: what is trained, a key of `scripts.train_bundled.kinds.KINDS`.
        seed: of everything that is drawn.
        steps: of the optimizer.
        batch: episodes of a step, at most.
        learning_rate: after the warm-up; a cosine takes it to nothing.
        start: stages whose weights it begins with, the mean of them where several train the same
            network; without any the weights are random.
        warm_up: steps until the learning rate is reached.
        weight_decay: of AdamW.
        average: of the moving average of the weights, per step; 0 keeps the last weights.
        freeze_norm: share of the steps after which normalization keeps its statistics.
        reuse: how often an episode is seen on average; drawing one costs more than a step.
        pool: batches that wait to be seen again, at most.
        hold: "I/N" trains without every N-th photograph of the set with people's strokes.
        bfloat16: whether the network runs in it.
        shares: of the kinds of episodes; they sum to 1.
        options: what else a kind wants to know.
    """

    shares: Mapping[str, float] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PackedFile:
    """A file of weights: its name, and of each member the stages whose mean it is."""

    name: str
    members: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Short:
    """What a short run changes in all stages, and what it makes."""

    steps: int
    batch: int
    reuse: int
    warm_up: int
    files: tuple[str, ...]
    photographs: int  # that the scores are of, for each kind of strokes


@dataclass(frozen=True)
class Recipe:
    """All of it; ``short`` is None but in a short run."""

    path: Path
    data: Mapping[str, DataSet]
    stages: Mapping[str, Stage]
    files: tuple[PackedFile, ...]
    short: Short | None = None

    def digest(self) -> str:
        """Of all that the recipe decides; its comments and the name of its file are nothing."""
        return digest_of_values(asdict(self) | {"path": ""})

    def needed(self, names: Iterable[str]) -> list[Stage]:
        """These stages and all that they start from, in the order of the recipe."""
        wanted = set(names)
        for stage in reversed(list(self.stages.values())):
            if stage.name in wanted:
                wanted.update(stage.start)
        return [stage for stage in self.stages.values() if stage.name in wanted]


def digest_of_values(values: Any) -> str:
    """SHA-256 of plain values, whatever the order of their keys."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
