"""Follows a recipe: checks the data, trains what is not done yet, and packs the files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from saccade.devices import pick_device
from saccade.errors import InputError
from saccade.files import atomic_write
from saccade.training.lock import locked
from scripts.train_bundled.digests import check_data
from scripts.train_bundled.kinds import KINDS
from scripts.train_bundled.loop import CheckLoss, Loop, StoppedError, train
from scripts.train_bundled.packing import pack, unseen
from scripts.train_bundled.progress import Progress, duration
from scripts.train_bundled.settings import PackedFile, Recipe, Stage, digest_of_values
from scripts.train_bundled.states import load_file_of, mean_of, save_file_of
from scripts.train_bundled.tasks import Place, State, Weights


@dataclass(frozen=True)
class Options:
    """How a recipe is followed, none of which changes the weights.

    Attributes:
        data: root of the data.
        out: folder of the results.
        stage: train this one, and what it starts from, and pack nothing; "" for all.
        jobs: processes that draw episodes; 0 draws in this one.
        every: steps between two checkpoints.
        resume: whether finished stages and checkpoints in ``out`` are gone on from.
        device: of the networks.
        stopped: fills when somebody asks to stop.
    """

    data: Path
    out: Path
    stage: str = ""
    jobs: int = 0
    every: int = 100
    resume: bool = True
    device: str = "cpu"
    stopped: Sequence[int] = ()


def follow(recipe: Recipe, options: Options) -> None:
    """Train and pack.

    Raises:
        InputError: the data are others than those of the recipe, there is no such stage, or a
            file of an earlier run is damaged.
        StoppedError: somebody asked to stop; all steps so far are kept.
    """
    if options.stage and options.stage not in recipe.stages:
        raise InputError(
            f"--stage {options.stage}: is no stage; there are {', '.join(recipe.stages)}"
        )
    members = [name for file in recipe.files for names in file.members for name in names]
    stages = recipe.needed([options.stage] if options.stage else members)
    names = {name for stage in stages for name in KINDS[stage.kind].data(stage)}
    check_data([data for data in recipe.data.values() if data.name in names], options.data)
    with locked(options.out):
        run = _Run(recipe, options, stages)
        for stage in stages:
            run.do(stage)
        for file in () if options.stage else recipe.files:
            run.pack(file)


def stage_digest(stage: Stage, recipe: Recipe) -> str:
    """Of all settings that a stage's weights come from: its own, the data's, those before it."""
    return digest_of_values(
        {
            "stage": asdict(stage),
            "start": [stage_digest(recipe.stages[name], recipe) for name in stage.start],
            "data": {n: dict(recipe.data[n].folders) for n in KINDS[stage.kind].data(stage)},
        }
    )


class _Run:
    """Files and weights of the stages of one run."""

    def __init__(self, recipe: Recipe, options: Options, stages: Sequence[Stage]) -> None:
        self.recipe, self.options = recipe, options
        self.folder = options.out / "stages"
        self.folder.mkdir(exist_ok=True)
        self.place = Place(options.data, options.out / "cache", pick_device(options.device))
        self.trained: dict[str, Weights] = {}
        self.records: dict[str, dict[str, Any]] = {}
        self.paths = {s.name: self._path(s) for s in stages}
        if not options.resume:
            for path in self.paths.values():
                path.unlink(missing_ok=True)
                _checkpoint(path).unlink(missing_ok=True)
        done = {name: _steps_in(_checkpoint(path)) for name, path in self.paths.items()}
        self.progress = Progress([s for s in stages if not self.paths[s.name].is_file()], done)

    def _path(self, stage: Stage) -> Path:
        """A run with other settings has other names, and nothing is lost."""
        digest = stage_digest(stage, self.recipe)
        return self.folder / f"{stage.name}-{digest[:12]}.pt"

    def do(self, stage: Stage) -> None:
        """Train a stage, or read what an earlier run has made of it."""
        path = self.paths[stage.name]
        if path.is_file():
            state = load_file_of(path)
            print(f"{stage.name}: done before", flush=True)
        else:
            if self.options.stopped:
                raise StoppedError
            state = self._train(stage, _checkpoint(path))
            with atomic_write(path) as part:
                save_file_of(part, state)
            _checkpoint(path).unlink(missing_ok=True)
        self.trained[stage.name], self.records[stage.name] = state["weights"], state["record"]

    def _train(self, stage: Stage, checkpoint: Path) -> dict[str, Any]:
        kind = KINDS[stage.kind]
        start = mean_of([self.trained[name] for name in stage.start])
        task = kind.task(stage, start, self.place)
        check = CheckLoss(task)
        before = check.of(task.module)
        self.progress.begin()
        loop = Loop(
            checkpoint,
            self.options.every,
            self.options.jobs,
            self.options.stopped,
            self.progress.report,
        )
        trained = train(task, stage, loop)
        self.progress.end()
        after = check.of(trained.module)
        own: State = {k: v.detach().cpu() for k, v in trained.module.state_dict().items()}
        weights = {**start, stage.kind: own}
        most = self.recipe.short.photographs if self.recipe.short else 0
        stages = self.recipe.needed([stage.name])
        only = frozenset(unseen(self.recipe, stages, self.options.data))
        scores = kind.scores(weights, self.place, only, most)
        print(
            f"{stage.name}: loss {before:.4f} to {after:.4f} in"
            f" {duration(trained.seconds)}; "
            + ", ".join(f"{name} {score:.4f}" for name, score in scores.items()),
            flush=True,
        )
        record = {
            "loss_before": before,
            "loss_after": after,
            "scores": dict(scores),
            "seconds": round(trained.seconds),
        }
        return {"weights": weights, "record": record}

    def pack(self, file: PackedFile) -> None:
        """Write a file of the recipe."""
        path = self.options.out / file.name
        scores = pack(file, self.recipe, self.trained, self.records, self.options.data, path)
        told = ", ".join(f"{name} {score:.4f}" for name, score in scores.items())
        print(f"{path}: {path.stat().st_size} bytes; {told or 'no strokes of people'}", flush=True)


def _checkpoint(path: Path) -> Path:
    return path.with_suffix(".checkpoint")


def _steps_in(checkpoint: Path) -> int:
    return int(load_file_of(checkpoint)["step"]) if checkpoint.is_file() else 0
