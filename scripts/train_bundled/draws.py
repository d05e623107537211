"""Which episodes each step sees, drawn from seed and number alone, so that a run can go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from saccade.training.signals import without_ctrl_c
from scripts.train_bundled.settings import Stage
from scripts.train_bundled.tasks import B, Source, Task

# What a number is drawn for, behind it in a seed: NumPy takes (1, 2) and (1, 2, 0) for the same.
_CUES, _VARY, _STEP, _CHECK = 1, 2, 3, 4
T = TypeVar("T")


def plan_draws(seed: int, steps: int, reuse: int, pool: int) -> list[int]:
    """The number of the draw that each step sees.

    Drawing costs more than a step, so a draw waits in a pool that grows up to ``pool`` and is seen
    ``reuse`` times on average. Draws are numbered in the order in which they are first seen.
    """
    rng = np.random.default_rng(seed)
    waiting: list[int] = []
    plan: list[int] = []
    drawn = 0
    for _ in range(steps):
        if len(waiting) < reuse or rng.random() < 1 / reuse:
            waiting.append(drawn)
            plan.append(drawn)
            drawn += 1
            if len(waiting) > pool:
                waiting[int(rng.integers(len(waiting)))] = waiting.pop()
        else:
            plan.append(waiting[int(rng.integers(len(waiting)))])
    return plan


def step_generator(seed: int, step: int, device: torch.device) -> torch.Generator:
    """For the loss of a step."""
    return _generator(seed, _STEP, step, device)


def check_draws(source: Source[T], seed: int, count: int) -> list[T]:
    """Draws that no step sees, always the same of a seed."""
    batches = []
    for number in range(count):
        rng = np.random.default_rng((seed, number, _CHECK))
        generator = _generator(seed, _CHECK, number, torch.device("cpu"))
        batches.append(source.draw(rng, generator))
    return batches


def steps_from(task: Task[B], stage: Stage, first: int, jobs: int = 0) -> Iterator[tuple[int, B]]:
    """Step and batch, from step ``first`` to the last; the same whatever ``first`` and ``jobs``.

    Args:
        task: draws and varies them.
        stage: says how many, and the seed.
        first: step to begin with.
        jobs: processes that draw ahead; 0 draws in this one.
    """
    plan = plan_draws(stage.seed, stage.steps, stage.reuse, stage.pool)
    seen = {number: step for step, number in reversed(list(enumerate(plan)))}
    last = {number: step for step, number in enumerate(plan)}
    waiting: dict[int, B] = {}
    ahead = _drawn(task.source, stage.seed, list(dict.fromkeys(plan[first:])), jobs)
    for step in range(first, stage.steps):
        number = plan[step]
        if number not in waiting:
            waiting[number] = next(ahead)
        batch = waiting.pop(number) if last[number] == step else waiting[number]
        rng = np.random.default_rng((stage.seed, step, _VARY))
        yield step, task.vary(batch, rng, first=seen[number] == step)


@dataclass(frozen=True)
class _Draws(Dataset[T], Generic[T]):
    source: Source[T]
    seed: int

    def __getitem__(self, number: int) -> T:
        rng = np.random.default_rng((self.seed, number))
        return self.source.draw(rng, _generator(self.seed, _CUES, number, torch.device("cpu")))


def _drawn(source: Source[T], seed: int, numbers: Sequence[int], jobs: int) -> Iterator[T]:
    """These draws, in order."""
    # Tensors of draws that wait would keep more files open than a process may have.
    torch.multiprocessing.set_sharing_strategy("file_system")  # type: ignore[no-untyped-call]
    with without_ctrl_c() if jobs else nullcontext():
        return iter(
            DataLoader(
                _Draws(source, seed),
                sampler=numbers,
                batch_size=None,
                collate_fn=_as_it_is,
                num_workers=jobs,
                prefetch_factor=4 if jobs else None,
                worker_init_fn=_one_thread,
                # A fork of a process with threads may hang.
                multiprocessing_context="forkserver" if jobs else None,
            )
        )


def _as_it_is(batch: T) -> T:
    return batch


def _one_thread(worker: int) -> None:
    torch.set_num_threads(1)


def _generator(seed: int, purpose: int, number: int, device: torch.device) -> torch.Generator:
    state = np.random.SeedSequence((seed, number, purpose)).generate_state(1, np.uint64)
    return torch.Generator(device).manual_seed(int(state[0]) >> 1)
