"""From images and strokes to a trained, evaluated network and a report, resumable at every step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.data.images import load_image
from saccade.data.sets import Example, LabelledSet
from saccade.data.specs import LabelSpec
from saccade.errors import InputError
from saccade.evaluation.inference import Protocol, labels_of, predict_probabilities
from saccade.models.checkpoint import load_checkpoint
from saccade.training.config import TrainConfig
from saccade.training.evaluate import Scores, evaluate
from saccade.training.keeping import LAST
from saccade.training.loop import train
from saccade.weak.report import Trained, write_report
from saccade.weak.stroke_masks import Job, Outcome, StrokeLabelling, label_all, plan

HELD_OUT = 10
"""Without masks to evaluate on, every tenth image is held out with its pseudo mask."""

MASKS, RUN, REPORT = "masks", "run", "report.html"

Told = Callable[[str, float, float, str], None]
"""Told the stage ("label" or "train"), how much of how much is done, and what is being done."""


@dataclass(frozen=True)
class Pipeline:
    """What is to be done.

    Attributes:
        title: of the data, for people.
        pairs: (image, strokes).
        spec: the classes.
        labelling: how strokes become masks.
        training: network, optimiser, augmentation and run; its data is not looked at.
        val: images with masks that people drew; None holds out pseudo masks.
        processes: that segment side by side.
        skip_failed: train without the images that could not be labelled.
    """

    title: str
    pairs: Sequence[tuple[Path, Path]]
    spec: LabelSpec
    labelling: StrokeLabelling
    training: TrainConfig
    val: LabelledSet | None = None
    processes: int = 1
    skip_failed: bool = False


@dataclass(frozen=True)
class Done:
    """What became of it: the masks, the scores (None if it was stopped), the page."""

    outcome: Outcome
    scores: Scores | None
    interrupted: bool
    report: Path


def label_and_train(
    work: Pipeline,
    folder: Path,
    tell: Told = lambda stage, done, total, text: None,
    note: Callable[[str], None] = lambda line: None,
) -> Done:
    """Do what is left: FOLDER/masks, FOLDER/run, and FOLDER/report.html, which is always written.

    Args:
        work: what is to be done.
        folder: must exist.
        tell: told of the progress.
        note: given lines on the data that somebody should know before hours are spent.

    Raises:
        InputError: images that could not be labelled (unless they are to be skipped), or whatever
            `saccade.training.loop.train` refuses.
    """
    jobs = plan(work.pairs, folder / MASKS)
    total = len(jobs)
    outcome = label_all(
        jobs,
        work.spec,
        work.labelling,
        processes=work.processes,
        progress=lambda done, name: tell("label", done, total, name),
    )
    page = folder / REPORT

    def report(trained: Trained | None) -> None:
        write_report(
            page,
            work.title,
            jobs,
            outcome,
            work.spec,
            confidence=work.labelling.confidence,
            trained=trained,
        )

    report(None)
    if outcome.interrupted:
        return Done(outcome, None, True, page)
    if outcome.failed and not work.skip_failed:
        name, why = next(iter(outcome.failed.items()))
        raise InputError(
            f"{len(outcome.failed)} of {total} images were not labelled, {name} for one: {why}; "
            f"mend them, or train without them with --skip-failed ({page} lists them)"
        )
    training, val = pseudo_sets(work, jobs, outcome)
    trained = train(
        work.training,
        folder / RUN,
        sets=(training, val),
        report=lambda done, of, text: tell("train", done, of, text),
        note=note,
    )
    if trained.interrupted:
        return Done(outcome, None, True, page)
    found = load_checkpoint(folder / RUN / LAST)
    # A run that was finished before has its network, but not its scores.
    scores = trained.scores or evaluate(found.net, val, Protocol())
    history = [(entry["epoch"], entry["miou"]) for entry in trained.history]
    pictures = [_prediction(found.net, e, work.spec) for e in val.examples[:6]]
    network = _described(work.training, len(training.examples))
    report(Trained(history, scores, work.val is not None, network, pictures))
    return Done(outcome, scores, False, page)


def pseudo_sets(
    work: Pipeline, jobs: Sequence[Job], outcome: Outcome
) -> tuple[LabelledSet, LabelledSet]:
    """What is trained on, and what is evaluated on.

    Raises:
        InputError: too few images for both.
    """
    labelled = [job for job in jobs if job.image.stem in outcome.records]
    examples = tuple(Example(j.image.stem, j.image, j.mask, weak=True) for j in labelled)
    everything = LabelledSet(work.title, examples, work.spec)
    if work.val is not None:
        return everything, work.val
    held = examples[HELD_OUT // 2 :: HELD_OUT] or examples[-1:]
    rest = tuple(e for e in examples if e not in held)
    if not rest:
        raise InputError(f"{work.title}: {len(examples)} labelled images, a network needs more")
    return replace(everything, examples=rest), replace(everything, examples=held)


def _prediction(net: Any, example: Example, spec: LabelSpec) -> NDArray[np.uint8]:
    image = load_image(example.image)
    labels = labels_of(predict_probabilities(net, image, Protocol()))
    step = max(1, image.shape[1] // 360)
    image, colors = image[::step, ::step], spec.colors[labels[::step, ::step]]
    painted = np.rint(image * 0.4 + colors * 0.6).astype(np.uint8)
    return np.concatenate([image, painted], 1)


def _described(config: TrainConfig, images: int) -> str:
    network, optim = config.network, config.optim
    head = network.pyramid if network.network == "deeplab" else network.network
    return (
        f"{network.backbone} with {head}, weights {Path(config.weights).name}, {optim.epochs} "
        f"epochs of {images} images in batches of {optim.batch}"
    )
