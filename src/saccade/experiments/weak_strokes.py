"""The strokes that the tables of weak supervision start from: ScribbleSup's, or simulated ones."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from saccade.data.sets import LabeledSet
from saccade.errors import InputError
from saccade.experiments.measure import Progress
from saccade.experiments.reading import Labels, read_scribbles
from saccade.experiments.samples import UNLABELED, by_stem
from saccade.formats.masks import write_mask
from saccade.images import image_size
from saccade.scribbles.simulate import CLASSES, simulate_strokes

if TYPE_CHECKING:
    from saccade.experiments.run_networks import NetworkPlan


def make_strokes(found: LabeledSet, setup: "NetworkPlan", home: Path, progress: Progress) -> None:
    """Write HOME/NAME.png for each image; what is there already is kept.

    Raises:
        InputError: what `check_scribbles` finds.
    """
    files = {} if setup.scribbles is None else _files(found, setup.scribbles)
    for index, example in enumerate(found.examples):
        path = home / f"{example.name}.png"
        if path.is_file():
            continue
        progress(0, f"strokes, {index + 1} of {len(found.examples)}")
        if files:
            strokes = _read(found, index, files[example.name], setup)
        else:
            rng = np.random.default_rng([0, index])
            truth = found.labels(index)
            strokes = simulate_strokes(truth, rng, styles=CLASSES, by_component=True)
        write_mask(path, strokes, "png")


def check_scribbles(
    found: LabeledSet, setup: "NetworkPlan", home: Path, progress: Progress
) -> None:
    """Read ScribbleSup's strokes of all images whose PNG is not in HOME yet.

    Raises:
        InputError: an image without strokes, or strokes that cannot be used; it says how many.
    """
    if setup.scribbles is None:
        return
    files, wrong = _files(found, setup.scribbles), list[str]()
    for index, example in enumerate(found.examples):
        progress(0, f"checking strokes, {index + 1} of {len(found.examples)}")
        if not (home / f"{example.name}.png").is_file():
            try:
                _read(found, index, files[example.name], setup)
            except InputError as error:
                wrong.append(str(error))
    if wrong:
        raise InputError(wrong[0] + (f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""))


def _files(found: LabeledSet, folder: Path) -> dict[str, Path]:
    """The strokes of each image, by name."""
    files = by_stem(folder, (".xml", ".png"))
    lost = [example.name for example in found.examples if example.name not in files]
    if lost:
        raise InputError(
            f"{folder}: {len(lost)} of {len(found.examples)} training images have no strokes, "
            f"{lost[0]}.xml for one"
        )
    return files


def _read(found: LabeledSet, index: int, path: Path, setup: "NetworkPlan") -> Labels:
    name = "context" if setup.data.layout.startswith("context") else "voc"
    shape, classes = image_size(found.examples[index].image), len(found.spec.names)
    strokes = read_scribbles(path, name, shape)
    if strokes.shape != shape:
        raise InputError(
            f"{path}: {strokes.shape[1]} x {strokes.shape[0]} pixels (width x height), its image "
            f"has {shape[1]} x {shape[0]}"
        )
    drawn = np.setdiff1d(strokes, [UNLABELED])
    if len(drawn) < 2 or drawn.max() >= classes:
        raise InputError(
            f"{path}: strokes of the classes {', '.join(map(str, drawn)) or 'none'}, expected two "
            f"or more of 0 to {classes - 1}"
        )
    return strokes
