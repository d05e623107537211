"""What each step sees depends on seed and step alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from scripts.train_bundled.draws import check_draws, plan_draws, step_generator, steps_from
from scripts.train_bundled.fit import FitTask
from scripts.train_bundled.settings import Stage
from scripts.train_bundled.tasks import Place


class Numbers:
    """Draws a number of each of the generators."""

    def draw(self, rng, generator):
        return float(rng.random()), float(torch.rand((), generator=generator))


class Task:
    source = Numbers()

    def vary(self, batch, rng, *, first):
        return (*batch, float(rng.random()), first)


STAGE = Stage("a", "fit", 3, steps=40, batch=1, learning_rate=1.0, reuse=3, pool=4)


def test_run_that_goes_on_sees_what_an_uninterrupted_one_sees() -> None:
    whole = list(steps_from(Task(), STAGE, 0))
    assert [step for step, _ in whole] == list(range(40))
    for first in (1, 17, 39, 40):
        assert list(steps_from(Task(), STAGE, first)) == whole[first:]


@pytest.mark.slow
def test_processes_that_draw_change_nothing(root: Path) -> None:
    stage = replace(STAGE, steps=6, shares={"binary": 1.0})
    task = FitTask(stage, {}, Place(root, root, torch.device("cpu")))
    here, there = (list(steps_from(task, stage, 1, jobs=jobs)) for jobs in (0, 2))
    assert [step for step, _ in here] == [step for step, _ in there] == [1, 2, 3, 4, 5]
    for (_, one), (_, other) in zip(here, there, strict=True):
        for name in ("image", "strokes", "truth"):
            assert torch.equal(getattr(one, name), getattr(other, name))


def test_draws_are_numbered_by_first_use_and_seen_as_often_as_asked() -> None:
    plan = plan_draws(0, 4000, reuse=4, pool=100)
    assert list(dict.fromkeys(plan)) == list(range(max(plan) + 1))
    assert 3.5 < len(plan) / (max(plan) + 1) < 4.5
    seen = {n: [i for i, m in enumerate(plan) if m == n] for n in (0, 500)}
    assert all(len(steps) < 100 for steps in seen.values())
    assert plan_draws(0, 50, reuse=1, pool=1) == list(range(50))


def test_first_views_are_told_apart() -> None:
    seen = set()
    for _, (number, _, _, first) in steps_from(Task(), STAGE, 0):
        assert first == (number not in seen)
        seen.add(number)


def test_checks_are_no_draws_of_a_step() -> None:
    checks = check_draws(Numbers(), STAGE.seed, 5)
    assert checks == check_draws(Numbers(), STAGE.seed, 5)
    drawn = {batch[0] for _, batch in steps_from(Task(), STAGE, 0)}
    assert not drawn & {batch[0] for batch in checks}


def test_generators_of_steps_differ_and_repeat() -> None:
    cpu = torch.device("cpu")
    seeds = [step_generator(s, n, cpu).initial_seed() for s in (0, 1) for n in range(50)]
    assert len(set(seeds)) == 100
    assert step_generator(1, 49, cpu).initial_seed() == seeds[-1]
    np.random.default_rng(seeds[0])  # what NumPy draws in a loss may be seeded with it
