"""Label images from strokes: the strokes, ScribbleSup's or simulated, or the segmenter's masks."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from saccade.batch import LocalProcesses
from saccade.data.sets import LabeledSet
from saccade.errors import InputError
from saccade.experiments.engine.labels import LabelSource, Progress, require_all
from saccade.experiments.engine.load_samples import Labels, read_strokes
from saccade.experiments.engine.network_config import LEFT_OUT, NetworkPlan, read_left_out
from saccade.experiments.engine.samples import UNLABELED, files_by_stem
from saccade.files import atomic_write
from saccade.formats.masks import write_mask
from saccade.images import image_size
from saccade.scribbles.simulate import CLASSES, simulate_strokes
from saccade.weak.stroke_labeling import StrokeLabeling
from saccade.weak.stroke_masks import label_all
from saccade.weak.stroke_masks import plan as plan_labeling

LABELINGS = {
    "pseudo-paper": StrokeLabeling("paper", confidence=0.0),
    "pseudo-paper-literal": StrokeLabeling("paper-literal", confidence=0.0),
    "pseudo-strokes": StrokeLabeling("fast"),
}
"""Kind of label images -> how strokes become masks. The paper's keep every pixel of its network."""


def check_stroke_labels(
    kinds: Sequence[str], dataset: LabeledSet, plan: NetworkPlan, folder: Path, progress: Progress
) -> None:
    """Read ScribbleSup's strokes of all images whose PNG is not in FOLDER/strokes yet.

    Images with strokes of one class are left out: a network cannot be fitted to them.

    Raises:
        InputError: an image without strokes, or strokes that cannot be used; it says how many.
    """
    if plan.scribbles is None:
        return
    files, errors = _stroke_files(dataset, plan.scribbles), list[str]()
    left_out, usable = read_left_out(folder / "strokes"), 0
    for index, example in enumerate(dataset.examples):
        progress(0, f"checking strokes, {index + 1} of {len(dataset.examples)}")
        if not (folder / "strokes" / f"{example.name}.png").is_file():
            try:
                strokes = _read_usable_strokes(dataset, index, files[example.name], plan)
                usable += strokes is not None
                if strokes is None and example.name not in left_out:
                    left_out.append(example.name)
            except InputError as error:
                errors.append(str(error))
    if errors:
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise InputError(errors[0] + more)
    if len(left_out) == len(dataset.examples):
        raise InputError(f"{plan.scribbles}: no image has strokes of two classes or more")
    if left_out:
        (folder / "strokes").mkdir(parents=True, exist_ok=True)
        with atomic_write(folder / "strokes" / LEFT_OUT) as path:
            path.write_text("".join(f"{name}\n" for name in left_out), encoding="utf-8")


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
    if kind in LABELINGS:
        _segment(dataset, plan, strokes, folder / kind, progress)


def note_stroke_labels(
    kinds: Sequence[str], plan: NetworkPlan, folders: Mapping[str, Path]
) -> tuple[str, ...]:
    """Whose strokes, and how many images were left out."""
    whose = "simulated strokes" if plan.scribbles is None else "ScribbleSup's strokes"
    left_out = read_left_out(folders[kinds[0]].with_name("strokes"))
    lines = [whose]
    if left_out:
        lines.append(
            f"{len(left_out)} images have strokes of one class only, {left_out[0]} for one; rows "
            "from strokes are trained without them"
        )
    for kind in kinds:
        if kind in LABELINGS:
            one = LABELINGS[kind]
            lines.append(f"`{kind}`: preset `{one.preset}`, confidence {one.confidence:g}")
    return tuple(lines)


STROKE_LABELS = LabelSource(
    ("strokes", *LABELINGS), check_stroke_labels, make_stroke_labels, note_stroke_labels
)
"""``strokes``: the strokes alone; the others: masks of the per-image segmenter, by preset."""


def _make_strokes(dataset: LabeledSet, plan: NetworkPlan, folder: Path, progress: Progress) -> None:
    files = {} if plan.scribbles is None else _stroke_files(dataset, plan.scribbles)
    left_out = set(read_left_out(folder))
    for index, example in enumerate(dataset.examples):
        path = folder / f"{example.name}.png"
        if path.is_file() or example.name in left_out:
            continue
        progress(0, f"strokes, {index + 1} of {len(dataset.examples)}")
        if files:
            read = _read_usable_strokes(dataset, index, files[example.name], plan)
            if read is None:
                continue
            strokes = read
        else:
            rng = np.random.default_rng([0, index])
            truth = dataset.labels(index)
            strokes = simulate_strokes(truth, rng, styles=CLASSES, by_component=True)
        write_mask(path, strokes, "png")


def _segment(
    dataset: LabeledSet, plan: NetworkPlan, strokes: Path, folder: Path, progress: Progress
) -> None:
    left_out = set(read_left_out(strokes))
    stroked = [example for example in dataset.examples if example.name not in left_out]
    pairs = [(example.image, strokes / f"{example.name}.png") for example in stroked]
    outcome = label_all(
        plan_labeling(pairs, folder),
        dataset.spec,
        replace(LABELINGS[folder.name], device=plan.device),
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


def _read_usable_strokes(
    dataset: LabeledSet, index: int, path: Path, plan: NetworkPlan
) -> Labels | None:
    """The strokes; None where they are of one class."""
    name = "context" if plan.data.layout.startswith("context") else "voc"
    shape, classes = image_size(dataset.examples[index].image), len(dataset.spec.names)
    strokes = read_strokes(path, name, shape)
    if strokes.shape != shape:
        raise InputError(
            f"{path}: {strokes.shape[1]} x {strokes.shape[0]} pixels (width x height), its image "
            f"has {shape[1]} x {shape[0]}"
        )
    stroked = np.setdiff1d(strokes, [UNLABELED])
    if len(stroked) == 1 and stroked[0] < classes:
        return None
    if not len(stroked) or stroked.max() >= classes:
        raise InputError(
            f"{path}: strokes of the classes {', '.join(map(str, stroked)) or 'none'}, expected "
            f"some of 0 to {classes - 1}"
        )
    return strokes
