"""The measuring loop of the tables: image by image, on each image every branch with every seed."""

import hashlib
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from saccade.errors import InputError
from saccade.experiments.gdc_tables import preset_of
from saccade.experiments.rows import Key, Row, append_row, open_rows
from saccade.experiments.samples import SPECS, Sample

Progress = Callable[[float, str], None]
"""Told how many measurements are done, and what is measured."""


@dataclass(frozen=True)
class Task:
    """One measurement."""

    sample: Sample
    branch: str
    seed: int

    @property
    def key(self) -> Key:
        """What its row is found by."""
        return self.sample.set, self.sample.stem, self.branch, self.seed


@dataclass
class Outcome:
    """The rows of the tasks asked for that are finished, and what became of the others."""

    rows: dict[Key, Row] = field(default_factory=dict)
    failed: dict[tuple[str, str], str] = field(default_factory=dict)  # (set, stem) -> why
    interrupted: bool = False


def plan_tasks(
    samples: Sequence[Sample], branches: Sequence[str], seeds: Sequence[int]
) -> list[Task]:
    """All measurements, those of an image together, the sets in turns."""
    turns: list[tuple[int, Sample]] = []
    for name in dict.fromkeys(s.set for s in samples):
        turns += enumerate(s for s in samples if s.set == name)
    ordered = [sample for _, sample in sorted(turns, key=lambda turn: turn[0])]
    return [Task(s, branch, seed) for s in ordered for seed in seeds for branch in branches]


def measure(tasks: Sequence[Task], path: Path, *, jobs: int, progress: Progress) -> Outcome:
    """Do what is not in the file of rows yet; Ctrl-C ends the loop and keeps what is done.

    Args:
        tasks: what is asked for.
        path: the file of rows; other tasks' rows in it stay.
        jobs: processes.
        progress: told after each measurement.

    Raises:
        InputError: the rows there are of other settings.
    """
    outcome = Outcome()
    known = open_rows(path, settings())
    outcome.rows = {task.key: known[task.key] for task in tasks if task.key in known}
    todo = [task for task in tasks if task.key not in known]
    progress(len(outcome.rows), "")
    try:
        for task, result in _results(todo, jobs):
            if isinstance(result, Row):
                append_row(path, result)
                outcome.rows[task.key] = result
            else:
                outcome.failed[task.key[:2]] = result
            progress(len(outcome.rows), f"{task.sample.stem}: {task.branch}")
    except KeyboardInterrupt:
        outcome.interrupted = True
    return outcome


def settings() -> dict[str, Any]:
    """What rows must share to be compared: the preset but for its branch, and the features."""
    from safetensors.numpy import load_file

    import saccade
    from saccade.interactive.presets import preset_named

    tensors = load_file(Path(saccade.__file__).parent / "models" / "bundled.safetensors")
    digest = hashlib.sha256()
    for name in sorted(name for name in tensors if name.startswith("head.")):
        digest.update(tensors[name].tobytes())
    return {"preset": repr(preset_named("paper")), "features": digest.hexdigest()[:12]}


def run_task(task: Task) -> Row | str:
    """One measurement on the CPU: the row, or why the image cannot be used."""
    import numpy as np

    from saccade.evaluation.metrics import confusion_matrix
    from saccade.experiments.reading import load
    from saccade.interactive import segment

    try:
        pair = load(task.sample)
    except InputError as error:
        return str(error)
    start = time.perf_counter()
    result = segment(
        pair.image, pair.strokes, preset=preset_of(task.branch), seed=task.seed, device="cpu"
    )
    seconds = time.perf_counter() - start
    matrix = confusion_matrix(pair.truth, result.labels, SPECS[task.sample.set].classes)
    return Row(task.key, matrix.astype(np.int32), seconds)


def _results(tasks: Sequence[Task], jobs: int) -> Iterator[tuple[Task, Row | str]]:
    if jobs == 1:
        yield from map(_keyed, tasks)
        return
    # Spawned: a process forked from one in which PyTorch has threads may hang. Only this one
    # listens to Ctrl-C; leaving the block ends the others.
    with get_context("spawn").Pool(jobs, signal.signal, (signal.SIGINT, signal.SIG_IGN)) as pool:
        yield from pool.imap_unordered(_keyed, tasks)


def _keyed(task: Task) -> tuple[Task, Row | str]:
    return task, run_task(task)
