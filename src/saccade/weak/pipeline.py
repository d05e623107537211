"""From images and strokes to a trained, evaluated network and a report, resumable at every step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.batch import Executor, Outcome, interruption
from saccade.data.check import inspect, require_labels
from saccade.data.sets import Example, LabeledSet
from saccade.data.specs import LabelSpec
from saccade.devices import pick_device
from saccade.errors import InputError
from saccade.evaluation.inference import Protocol, labels_of, predict_probabilities
from saccade.files import atomic_write, digest_of, refuse_to_replace
from saccade.images.network_input import as_colors
from saccade.models.checkpoint import load_checkpoint
from saccade.remarks import summary_of
from saccade.strict_json import json_text, stored_json
from saccade.training.checkpointing import LAST
from saccade.training.config import TrainConfig
from saccade.training.evaluate import Scores, evaluate
from saccade.training.loop import train
from saccade.training.start import check_start, completed
from saccade.training.state import STATE
from saccade.weak.report import Trained, write_report
from saccade.weak.stroke_labeling import StrokeLabeling
from saccade.weak.stroke_masks import Job, Record, finished, label_all, plan, unusable

HELD_OUT = 10
"""Without masks to evaluate on, every tenth image is held out with its pseudo mask."""

MASKS, RUN, REPORT = "masks", "run", "report.html"

Progress = Callable[[str, float, float, str], None]
"""Told the stage ("label" or "train"), how much of how much is done, and what is being done."""


@dataclass(frozen=True)
class Pipeline:
    """What is to be done.

    Attributes:
        title: of the data, for people.
        pairs: (image, strokes), or with `Job.entry` as a third.
        spec: the classes.
        labeling: how strokes become masks.
        training: network, optimizer, augmentation and run; its data is not looked at.
        val: images with masks that people drew; None holds out pseudo masks.
        executor: where images are segmented; None for this process.
        skip_failed: train without the images that could not be labelled.
        remarks: lines on the data for the report.
    """

    title: str
    pairs: Sequence[tuple[Path, Path] | tuple[Path, Path, str | None]]
    spec: LabelSpec
    labeling: StrokeLabeling
    training: TrainConfig
    val: LabeledSet | None = None
    executor: Executor | None = None
    skip_failed: bool = False
    remarks: Sequence[str] = ()


@dataclass(frozen=True)
class Done:
    """What became of it.

    Attributes:
        outcome: the masks.
        scores: of the network; None if Ctrl-C came first.
        report: the page.
        interruption: what to tell the user if Ctrl-C came, else "".
    """

    outcome: Outcome[Job, Record]
    scores: Scores | None
    report: Path
    interruption: str = ""


@dataclass(frozen=True)
class _Page:
    """The report of one pipeline; `remarks` grows while it runs."""

    work: Pipeline
    jobs: Sequence[Job]
    path: Path
    remarks: list[str]

    def write(self, outcome: Outcome[Job, Record], trained: Trained | None = None) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_report(
            self.path,
            self.work.title,
            self.jobs,
            outcome,
            self.work.spec,
            labeling=self.work.labeling,
            trained=trained,
            remarks=self.remarks,
        )

    def require_all(self, outcome: Outcome[Job, Record]) -> None:
        """Write it, and raise InputError where images failed that were not to be skipped."""
        self.write(outcome)
        if outcome.failed and not self.work.skip_failed:
            job, why = next(iter(outcome.failed.items()))
            raise InputError(
                f"{len(outcome.failed)} of {len(self.jobs)} images were not labelled, "
                f"{job.image.name} for one: {why}; mend them, or train without them with "
                f"--skip-failed ({self.path} lists them)"
            )


def label_and_train(
    work: Pipeline,
    folder: Path,
    tell: Progress = lambda stage, done, total, text: None,
    note: Callable[[str], None] = lambda line: None,
) -> Done:
    """Do what is left: FOLDER/masks, FOLDER/run, and FOLDER/report.html, which is always written.

    A network that was trained on other classes, images or masks is moved aside, to FOLDER/run-1,
    and a new one is trained.

    Args:
        work: what is to be done.
        folder: made if it is missing.
        tell: told of the progress.
        note: given lines on the data that somebody should know before hours are spent.

    Raises:
        InputError: images that could not be labelled (unless they are to be skipped), masks that
            would replace an input, or whatever `saccade.training.loop.train` refuses. Strokes,
            validation masks, weights and the device are looked at before the first mask is made.
    """
    jobs = plan(work.pairs, folder / MASKS)
    page = _Page(work, jobs, folder / REPORT, [*work.remarks])

    def remark(line: str) -> None:
        page.remarks.append(line)
        note(line)

    _check(work, jobs, folder)
    outcome = _label(work, jobs, page, tell)
    if outcome.interrupted:
        page.write(outcome)
        return Done(outcome, None, page.path, outcome.interruption)
    for line in summary_of((job.image.name, r.remarks) for job, r in outcome.records.items()):
        remark(line)
    page.require_all(outcome)
    training, val = pseudo_sets(work, jobs, outcome)
    _begin_run(folder / RUN, training, val, remark)
    trained = train(
        work.training,
        folder / RUN,
        sets=(training, val),
        report=lambda done, of, text: tell("train", done, of, text),
        note=remark,
    )
    if trained.interrupted:
        return Done(outcome, None, page.path, interruption(trained.step, trained.steps, "steps"))
    found = load_checkpoint(folder / RUN / LAST)
    # A run that was finished before has its network, but not its scores.
    scores = trained.scores or evaluate(found.net, val, Protocol())
    history = [(entry["epoch"], entry["miou"]) for entry in trained.history]
    pictures = [_prediction(found.net, val, i, work.spec) for i in range(len(val.examples))[:6]]
    network = _described(work.training, len(training.examples))
    page.write(outcome, Trained(history, scores, work.val is not None, network, pictures))
    return Done(outcome, scores, page.path)


def _label(
    work: Pipeline, jobs: Sequence[Job], page: _Page, tell: Progress
) -> Outcome[Job, Record]:
    """Masks of all images; strokes that cannot be used are found before the first is made."""
    total = len(jobs)
    lost = unusable(
        jobs,
        work.spec,
        work.labeling,
        progress=lambda done, name: tell("label", 0, total, f"checking {name}"),
    )
    if lost:
        already = finished(jobs, work.spec, work.labeling)
        page.require_all(Outcome(jobs, already=already, failed=lost))
    return label_all(
        jobs,
        work.spec,
        work.labeling,
        executor=work.executor,
        progress=lambda done, name: tell("label", done, total, name),
    )


def _check(work: Pipeline, jobs: Sequence[Job], folder: Path) -> None:
    """What can be wrong beside images and strokes, before hours are spent on these."""
    if work.val is not None:
        seen = (path for e in work.val.examples for path in (e.image, e.mask))
        refuse_to_replace((path for job in jobs for path in (job.mask, job.record)), seen)
        require_labels(inspect(work.val))
    if (folder / RUN / STATE).is_file():
        pick_device(work.training.run.device)  # a run that goes on has its weights
    else:
        how = work.training.data.reading_of([job.image for job in jobs])
        about = LabeledSet(work.title, (), work.spec, reading=how)
        check_start(completed(work.training, about), work.spec.names)


def _begin_run(
    folder: Path, training: LabeledSet, val: LabeledSet, note: Callable[[str], None]
) -> None:
    """Keep what a network is trained on beside it; one that was trained on else is moved aside."""
    names = [example.name for example in training.examples]
    asked: dict[str, object] = {
        "classes": list(training.spec.names),
        "images": names,
        "masks": digest_of(*(e.mask for e in training.examples)),
        "validation": digest_of(*(e.mask for e in val.examples)),
    }
    kept = folder / "labels.json"
    if kept.is_file() and not _same(stored_json(kept), asked):
        aside = next(
            p for k in count(1) if not (p := folder.with_name(f"{folder.name}-{k}")).exists()
        )
        folder.rename(aside)
        note(
            f"classes, images or masks have changed since {folder.name} was trained: it is now "
            f"{aside.name}, and a new network is trained"
        )
    if not kept.is_file():  # of an older run nothing is known
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_write(kept) as path:
            path.write_text(json_text(asked) + "\n", encoding="utf-8")


def _same(known: object, asked: dict[str, object]) -> bool:
    """Whether a network was trained on what is asked; older runs say nothing of validation."""
    return isinstance(known, dict) and asked | known == asked and known.keys() >= {"masks"}


def pseudo_sets(
    work: Pipeline, jobs: Sequence[Job], outcome: Outcome[Job, Record]
) -> tuple[LabeledSet, LabeledSet]:
    """What is trained on, and what is evaluated on.

    Raises:
        InputError: too few images for both.
    """
    labelled = [job for job in jobs if job in outcome.records]
    examples = tuple(Example(j.image.stem, j.image, j.mask, weak=True) for j in labelled)
    how = work.training.data.reading_of([job.image for job in labelled])
    everything = LabeledSet(work.title, examples, work.spec, reading=how)
    if work.val is not None:
        return everything, replace(work.val, reading=how)
    held = examples[HELD_OUT // 2 :: HELD_OUT] or examples[-1:]
    rest = tuple(e for e in examples if e not in held)
    if not rest:
        raise InputError(f"{work.title}: {len(examples)} labelled images, a network needs more")
    return replace(everything, examples=rest), replace(everything, examples=held)


def _prediction(net: Any, val: LabeledSet, index: int, spec: LabelSpec) -> NDArray[np.uint8]:
    image = val.image(index)
    labels = labels_of(predict_probabilities(net, image, Protocol()))
    step = max(1, image.shape[1] // 360)
    image, colors = as_colors(image)[::step, ::step], spec.colors[labels[::step, ::step]]
    painted = np.rint(image * 0.4 + colors * 0.6).astype(np.uint8)
    return np.concatenate([image, painted], 1)


def _described(config: TrainConfig, images: int) -> str:
    network, optim = config.network, config.optim
    head = network.pyramid if network.network == "deeplab" else network.network
    return (
        f"{network.backbone} with {head}, weights {Path(config.weights).name}, {optim.epochs} "
        f"epochs of {images} images in batches of {optim.batch}"
    )
