"""Label images from clicks on objects: CLICKS of VOC, from What's the Point (Bearman et al., 2016).

People clicked on objects alone, so the ground is found first: the preset ``fast`` is given all
clicks as one class, whose provisional ground is everything else. Where several classes were
clicked, a second segmentation shares the rest among them. Clicks are discs of radius 5.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.batch import LocalProcesses, Worker, run_batch
from saccade.batch import Report as ReportStage
from saccade.data.pascal import voc_folder
from saccade.data.sets import Example, LabeledSet
from saccade.data.specs import IGNORE
from saccade.errors import InputError
from saccade.experiments.engine.labels import LabelSource, Progress, require_all
from saccade.experiments.engine.network_config import NetworkPlan
from saccade.files import read_json, reading
from saccade.formats.masks import write_mask
from saccade.images import image_size, load_image

FILE = "clicks.json"
"""In VOC's folder: name of an image -> clicks {"x", "y", "cls"}, in pixels, classes 1 to 20."""

RADIUS = 5


def read_clicks(path: Path, names: Sequence[str], classes: int) -> dict[str, NDArray[np.int64]]:
    """The clicks of images as (N, 3) arrays of y, x, class.

    Raises:
        InputError: the file is none of clicks, an image has none, or a class is out of range.
    """
    with reading(path, 'expected {"NAME": [{"x": 1.5, "y": 2.5, "cls": 1}, ...], ...}'):
        content = read_json(path)
        found = {
            name: np.array(
                [[int(c["y"]), int(c["x"]), int(c["cls"])] for c in content.get(name, [])]
            ).reshape(-1, 3)
            for name in names
        }
    bare = [name for name, clicks in found.items() if not len(clicks)]
    if bare:
        raise InputError(f"{path}: {len(bare)} training images have no clicks, {bare[0]} for one")
    for name, clicks in found.items():
        low, high = clicks[:, 2].min(), clicks[:, 2].max()
        if low < 1 or high >= classes:
            raise InputError(
                f"{path}: {name} has class {low if low < 1 else high}, expected 1 to {classes - 1}"
            )
    return found


def draw_clicks(clicks: NDArray[np.int64], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Discs on an image of `shape`, (H, W) classes, 255 elsewhere; clicks outside are moved in.

    Example:
        >>> int((draw_clicks(np.array([[9, 9, 3]]), (20, 20)) == 3).sum())
        81
    """
    strokes = np.full(shape, IGNORE, np.uint8)
    y, x = np.ogrid[: shape[0], : shape[1]]
    for row, column, value in clicks:
        row, column = min(max(row, 0), shape[0] - 1), min(max(column, 0), shape[1] - 1)
        strokes[(y - row) ** 2 + (x - column) ** 2 <= RADIUS**2] = value
    return strokes


def segment_clicks(
    image: NDArray[np.uint8], strokes: NDArray[np.uint8], device: str = "auto"
) -> NDArray[np.uint8]:
    """(H, W) classes: 0 for the ground, else one of those in `strokes`."""
    from saccade.interactive import segment

    chosen = np.unique(strokes[strokes != IGNORE])
    one = np.where(strokes == IGNORE, IGNORE, 1).astype(np.uint8)
    ground = segment(image, one, preset="fast", device=device).labels != 1
    rest: Any = chosen[0]
    if len(chosen) > 1:
        rest = segment(image, strokes, preset="fast", device=device).labels
    return np.where(ground & (strokes == IGNORE), 0, rest).astype(np.uint8)


def check_click_labels(
    kinds: Sequence[str], dataset: LabeledSet, plan: NetworkPlan, folder: Path, progress: Progress
) -> None:
    """Read the clicks of all images.

    Raises:
        InputError: as `read_clicks`.
    """
    names = [example.name for example in dataset.examples]
    read_clicks(voc_folder(Path(plan.data.root)) / FILE, names, len(dataset.spec.names))


def make_click_labels(
    kind: str, dataset: LabeledSet, plan: NetworkPlan, folder: Path, progress: Progress
) -> None:
    """Write FOLDER/KIND/NAME.png for each example; see `LabelSource.make`.

    Raises:
        InputError: clicks or images that cannot be used.
        KeyboardInterrupt: Ctrl-C; what is made is kept.
    """
    names = [example.name for example in dataset.examples]
    path = voc_folder(Path(plan.data.root)) / FILE
    clicks = read_clicks(path, names, len(dataset.spec.names))
    left = [e for e in dataset.examples if not (folder / kind / f"{e.name}.png").is_file()]
    outcome = run_batch(
        left,
        partial(_make_worker, clicks, folder / kind, plan.device),
        executor=LocalProcesses(plan.processes),
        name=lambda example: example.name,
        progress=lambda done, name: progress(0, f"pseudo labels, {done} of {len(left)}"),
    )
    require_all(outcome)


def note_click_labels(
    kinds: Sequence[str], plan: NetworkPlan, folders: Mapping[str, Path]
) -> tuple[str, ...]:
    """What the labels were made from."""
    return (
        f"clicks of {FILE} on objects, discs of radius {RADIUS}; nobody clicked on the ground, "
        "which is the provisional ground of the preset fast",
    )


CLICK_LABELS = LabelSource(
    ("pseudo-clicks",), check_click_labels, make_click_labels, note_click_labels
)
"""``pseudo-clicks``: masks of the per-image segmenter from clicks on objects."""


def _make_worker(
    clicks: Mapping[str, NDArray[np.int64]], folder: Path, device: str
) -> Worker[Example, Path]:
    def work(example: Example, report: ReportStage) -> Path:
        strokes = draw_clicks(clicks[example.name], image_size(example.image))
        path = folder / f"{example.name}.png"
        write_mask(path, segment_clicks(load_image(example.image), strokes, device), "png")
        return path

    return work
