"""One training loop for all kinds of stages: it counts steps, and can be stopped and go on."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic

import torch
from torch import Tensor, nn

from saccade.files import atomic_write
from scripts.train_bundled.draws import check_draws, step_generator, steps_from
from scripts.train_bundled.settings import Stage
from scripts.train_bundled.states import load_file_of, save_file_of
from scripts.train_bundled.tasks import B, B_co, Source, Task

_LOWEST = 1e-6  # the learning rate at the end
CHECKS = 6  # batches of the loss before and after a stage
_CHECK_SEED = 20_000_003  # no stage has it


class StoppedError(Exception):
    """Somebody asked to stop; the state was saved."""


@dataclass(frozen=True)
class Loop:
    """How a stage is run, none of which changes its weights.

    Attributes:
        checkpoint: file of the state while it trains.
        every: steps between two of these.
        jobs: processes that draw episodes; 0 draws in this one.
        stopped: fills when somebody asks to stop.
        report: is told the steps that are done, and the running loss.
    """

    checkpoint: Path
    every: int
    jobs: int
    stopped: Sequence[int]
    report: Callable[[int, float], None]


@dataclass(frozen=True)
class Trained:
    """What is kept of a stage, in eval mode, and how long its steps took."""

    module: nn.Module
    seconds: float


def learning_rate(stage: Stage, step: int) -> float:
    """Of a step, counted from 0: a line up to the full rate, times a cosine down to nothing."""
    warm = min(1.0, (step + 1) / max(1, stage.warm_up))
    decay = 0.5 * (1 + math.cos(math.pi * step / stage.steps))
    return stage.learning_rate * warm * decay + _LOWEST


def check_batches(source: Source[B_co]) -> list[B_co]:
    """What no step sees, always the same of a source."""
    return check_draws(source, _CHECK_SEED, CHECKS)


class CheckLoss(Generic[B]):
    """The mean loss on episodes that no step sees, the same ones for all stages with a source."""

    def __init__(self, task: Task[B]) -> None:
        self.task, self.batches = task, check_batches(task.source)

    def of(self, module: nn.Module) -> float:
        """Of a module like the task's."""
        device = next(module.parameters()).device
        module = copy.deepcopy(module).eval()  # statistics of normalization stay as they are
        total = 0.0
        for number, batch in enumerate(self.batches):
            loss = self.task.loss(module, batch, step_generator(_CHECK_SEED, number, device))
            total += float(loss.detach())
        return total / CHECKS


def train(task: Task[B], stage: Stage, loop: Loop) -> Trained:
    """Train a stage, from its checkpoint where there is one.

    What is kept is the running average of the weights where the stage asks for it. A run that was
    stopped and goes on makes the same weights, bit by bit on one machine with the same software.

    Raises:
        StoppedError: ``loop.stopped`` has filled; the checkpoint has all steps so far.
    """
    run = _Run(task, stage)
    if loop.checkpoint.is_file():
        run.load(load_file_of(loop.checkpoint))
    device = next(task.module.parameters()).device
    began = time.monotonic()
    for step, batch in steps_from(task, stage, run.step, loop.jobs):
        if loop.stopped:
            run.save(loop.checkpoint)
            raise StoppedError
        run.before(step)
        generator = step_generator(stage.seed, step, device)
        with torch.autocast(device.type, torch.bfloat16, enabled=stage.bfloat16):
            loss = task.loss(task.module, batch, generator)
        run.update(loss)
        run.seconds, began = run.seconds + time.monotonic() - began, time.monotonic()
        loop.report(run.step, run.running)
        if run.step % loop.every == 0:
            run.save(loop.checkpoint)
    run.save(loop.checkpoint)  # what is done with the weights may be stopped, too
    return Trained(run.kept.eval(), run.seconds)


class _Run:
    """Everything that changes while a stage trains."""

    def __init__(self, task: Task[Any], stage: Stage) -> None:
        module = task.module
        self.module, self.stage = module, stage
        self.parameters = [p for p in module.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            _groups(module, task.rates), lr=stage.learning_rate, weight_decay=stage.weight_decay
        )
        self.kept = copy.deepcopy(module).eval() if stage.average else module
        self.step, self.running, self.seconds = 0, 0.0, 0.0

    def before(self, step: int) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = group["share"] * learning_rate(self.stage, step)
        if step > self.stage.freeze_norm * self.stage.steps:
            for m in self.module.modules():
                if isinstance(m, nn.BatchNorm2d):
                    m.eval()

    def update(self, loss: Tensor) -> None:
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        value = float(loss.detach())
        self.running = value if self.step == 0 else 0.98 * self.running + 0.02 * value
        self.step += 1
        if self.kept is not self.module:
            _average(self.kept, self.module, min(self.stage.average, 1 - 1 / (self.step + 1)))

    def save(self, path: Path) -> None:
        state: dict[str, Any] = {
            "module": self.module.state_dict(),
            "kept": self.kept.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "running": self.running,
            "seconds": self.seconds,
        }
        with atomic_write(path) as part:
            save_file_of(part, state)

    def load(self, state: dict[str, Any]) -> None:
        self.module.load_state_dict(state["module"])
        self.kept.load_state_dict(state["kept"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.running = state["step"], state["running"]
        self.seconds = state["seconds"]


def _groups(module: nn.Module, rates: Mapping[str, float]) -> list[dict[str, Any]]:
    """What is trained, by its share of the learning rate."""
    groups: dict[float, list[nn.Parameter]] = {}
    for name, p in module.named_parameters():
        if p.requires_grad:
            shares = [share for prefix, share in rates.items() if name.startswith(prefix)]
            groups.setdefault(shares[0] if shares else 1.0, []).append(p)
    return [{"params": params, "share": share} for share, params in groups.items()]


@torch.no_grad()
def _average(kept: nn.Module, module: nn.Module, share: float) -> None:
    for old, new in zip(kept.state_dict().values(), module.state_dict().values(), strict=True):
        if old.dtype.is_floating_point:
            old.mul_(share).add_(new, alpha=1 - share)
