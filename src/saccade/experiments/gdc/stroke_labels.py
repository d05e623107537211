"""Label images from strokes: the strokes, ScribbleSup's or simulated, or the segmenter's masks."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from saccade.batch import LocalProcesses
from saccade.data.sets import LabeledSet
from saccade.errors import InputError
from saccade.experiments.engine.labels import LabelSource, Progress, require_all
from saccade.experiments.engine.load_samples import Labels, read_strokes
from saccade.experiments.engine.network_config import NetworkPlan
from saccade.experiments.engine.samples import UNLABELED, files_by_stem
from saccade.formats.masks import write_mask
from saccade.images import image_size
from saccade.scribbles.simulate import CLASSES, simulate_strokes
from saccade.weak.stroke_masks import StrokeLabeling, label_all
from saccade.weak.stroke_masks import plan as plan_labeling


def check_stroke_labels(
    kinds: Sequence[str], dataset: LabeledSet, plan: NetworkPlan, folder: Path, progress: Progress
) -> None:
    """Read ScribbleSup's strokes of all images whose PNG is not in FOLDER/strokes yet.

    Raises:
        InputError: an image without strokes, or strokes that cannot be used; it says how many.
    """
    if plan.scribbles is None:
        return
    files, errors = _stroke_files(dataset, plan.scribbles), list[str]()
    for index, example in enumerate(dataset.examples):
        progress(0, f"checking strokes, {index + 1} of {len(dataset.examples)}")
        if not (folder / "strokes" / f"{example.name}.png").is_file():
            try:
                _read_usable_strokes(dataset, index, files[example.name], plan)
            except InputError as error:
                errors.append(str(error))
    if errors:
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise InputError(errors[0] + more)


def make_stroke_labels(
    kind: str, dataset: LabeledSet, plan: NetworkPlan, folder: Path, progress: Progress
) -> None:
    """Write FOLDER/KIND/NAME.png for each example; see `LabelSource.make`.

    Raises:
        InputError: strokes that cannot be used, or images that could not be segmented.
        KeyboardInterrupt: Ctrl-C; what is made is kept.
    """
    strokes = folder / "strokes"
    strokes.mkdir(exist_ok=True)
    _make_strokes(dataset, plan, strokes, progress)
    if kind == "pseudo-strokes":
        _segment(dataset, plan, strokes, folder / kind, progress)


STROKE_LABELS = LabelSource(("strokes", "pseudo-strokes"), check_stroke_labels, make_stroke_labels)
"""``strokes``: the strokes alone; ``pseudo-strokes``: masks of the per-image segmenter."""


def _make_strokes(dataset: LabeledSet, plan: NetworkPlan, folder: Path, progress: Progress) -> None:
    files = {} if plan.scribbles is None else _stroke_files(dataset, plan.scribbles)
    for index, example in enumerate(dataset.examples):
        path = folder / f"{example.name}.png"
        if path.is_file():
            continue
        progress(0, f"strokes, {index + 1} of {len(dataset.examples)}")
        if files:
            strokes = _read_usable_strokes(dataset, index, files[example.name], plan)
        else:
            rng = np.random.default_rng([0, index])
            truth = dataset.labels(index)
            strokes = simulate_strokes(truth, rng, styles=CLASSES, by_component=True)
        write_mask(path, strokes, "png")


def _segment(
    dataset: LabeledSet, plan: NetworkPlan, strokes: Path, folder: Path, progress: Progress
) -> None:
    pairs = [(example.image, strokes / f"{example.name}.png") for example in dataset.examples]
    outcome = label_all(
        plan_labeling(pairs, folder),
        dataset.spec,
        StrokeLabeling(device=plan.device),
        executor=LocalProcesses(plan.processes),
        progress=lambda done, name: progress(0, f"pseudo labels, {done} of {len(pairs)}"),
    )
    require_all(outcome)


def _stroke_files(dataset: LabeledSet, folder: Path) -> dict[str, Path]:
    """The file of strokes of each image, by name."""
    files = files_by_stem(folder, (".xml", ".png"))
    missing = [example.name for example in dataset.examples if example.name not in files]
    if missing:
        raise InputError(
            f"{folder}: {len(missing)} of {len(dataset.examples)} training images have no strokes, "
            f"{missing[0]}.xml for one"
        )
    return files


def _read_usable_strokes(dataset: LabeledSet, index: int, path: Path, plan: NetworkPlan) -> Labels:
    name = "context" if plan.data.layout.startswith("context") else "voc"
    shape, classes = image_size(dataset.examples[index].image), len(dataset.spec.names)
    strokes = read_strokes(path, name, shape)
    if strokes.shape != shape:
        raise InputError(
            f"{path}: {strokes.shape[1]} x {strokes.shape[0]} pixels (width x height), its image "
            f"has {shape[1]} x {shape[0]}"
        )
    stroked = np.setdiff1d(strokes, [UNLABELED])
    if len(stroked) < 2 or stroked.max() >= classes:
        raise InputError(
            f"{path}: strokes of the classes {', '.join(map(str, stroked)) or 'none'}, expected "
            f"two or more of 0 to {classes - 1}"
        )
    return strokes
