"""The labels that the tables of weak supervision train on, made once and kept."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from saccade.data.sets import LabelledSet
from saccade.errors import InputError
from saccade.experiments.measure import Progress
from saccade.formats.masks import write_mask
from saccade.scribbles.simulate import CLASSES, simulate_strokes
from saccade.training.run import open_sets
from saccade.weak.stroke_masks import StrokeLabelling, label_all, plan

if TYPE_CHECKING:
    from saccade.experiments.run_networks import NetworkPlan


def prepare_labels(kind: str, setup: "NetworkPlan", folder: Path, progress: Progress) -> Path:
    """The folder of label images of a kind, FOLDER/labels/KIND; what is there already is kept.

    Args:
        kind: of `KINDS`.
        setup: of the table.
        folder: of the table.
        progress: told what is being made; not how many runs are done, as these are none.

    Raises:
        InputError: an unknown kind, or data that cannot be used.
    """
    if kind not in KINDS:
        raise InputError(f"labels {kind!r}, expected one of {', '.join(KINDS)}")
    training, _ = open_sets(setup.data)
    home = folder / "labels" / kind
    home.mkdir(parents=True, exist_ok=True)
    KINDS[kind](training, setup, home, progress)
    return home


def _strokes(found: LabelledSet, setup: "NetworkPlan", home: Path, progress: Progress) -> None:
    """Strokes of ScribbleSup where they are given, else of the simulated annotator."""
    from saccade.annotations import read_any_strokes

    for index, example in enumerate(found.examples):
        path = home / f"{example.name}.png"
        if path.is_file():
            continue
        progress(0, f"strokes, {index + 1} of {len(found.examples)}")
        if setup.scribbles is not None:
            source = setup.scribbles / f"{example.name}.xml"
            drawn = read_any_strokes(source, names=found.spec.names)
            strokes = np.where(drawn.labels == drawn.unlabeled, 255, drawn.labels).astype(np.uint8)
        else:
            rng = np.random.default_rng([0, index])
            truth = found.labels(index)
            strokes = simulate_strokes(truth, rng, styles=CLASSES, by_component=True)
        write_mask(path, strokes, "png")


def _pseudo_strokes(
    found: LabelledSet, setup: "NetworkPlan", home: Path, progress: Progress
) -> None:
    """The per-image segmenter's masks."""
    drawn = home.with_name("strokes")
    drawn.mkdir(exist_ok=True)
    _strokes(found, setup, drawn, progress)
    pairs = [(example.image, drawn / f"{example.name}.png") for example in found.examples]
    outcome = label_all(
        plan(pairs, home),
        found.spec,
        StrokeLabelling(device=setup.device),
        processes=max(1, setup.processes),
        progress=lambda done, name: progress(0, f"pseudo labels, {done} of {len(pairs)}"),
    )
    if outcome.interrupted:
        raise KeyboardInterrupt
    if outcome.failed:
        name, why = next(iter(outcome.failed.items()))
        raise InputError(f"{len(outcome.failed)} images have no pseudo labels; {name}: {why}")


KINDS: Mapping[str, Callable[[LabelledSet, "NetworkPlan", Path, Progress], None]] = {
    "strokes": _strokes,
    "pseudo-strokes": _pseudo_strokes,
}
"""How labels are made, by name."""
