"""Figures that set masks side by side: image, truth, ours, a row per image.

They are drawn from the networks and labels that a table has left in its folder.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from saccade.data.sets import LabeledSet
from saccade.data.specs import IGNORE
from saccade.errors import InputError
from saccade.evaluation import confusion_matrix, mean_iou
from saccade.evaluation.inference import Protocol, labels_of, predict_probabilities
from saccade.experiments.engine.labels import Progress
from saccade.experiments.engine.network_config import NetworkPlan, chosen_rows
from saccade.experiments.engine.network_tables import NetworkTable, Variant
from saccade.experiments.engine.report import Report, markdown_table
from saccade.files import atomic_write
from saccade.formats.overlay import write_picture
from saccade.formats.sheet import contact_sheet, lettered
from saccade.images import load_image, read_label_image
from saccade.models.checkpoint import load_checkpoint
from saccade.refine.dense_crf import DENSE_CRF_CONFIGS, dense_crf
from saccade.training.checkpointing import LAST
from saccade.training.inputs import open_sets

Labels = NDArray[np.uint8]
Column = Callable[[LabeledSet, int, NDArray[np.uint8]], Labels]
"""Masks of a column, called as ``column(dataset, index, image)``."""

CRF = "deeplab-largefov"
_SURE = 0.9  # of a class in a mask that the CRF refines


@dataclass(frozen=True)
class ComparisonFigure:
    """What a figure shows beside the image and the truth.

    Attributes:
        name: of the experiment.
        title: of the report.
        table: in whose folder the networks are.
        rows: title of a column -> the table's row whose network it shows.
        labels: title of a column -> kind of label images, those of training images.
        refined: label columns with a dense CRF beside them.
    """

    name: str
    title: str
    table: str
    rows: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    refined: bool = False


def run_comparison(
    figure: ComparisonFigure,
    table: NetworkTable,
    plan: NetworkPlan,
    folder: Path,
    *,
    progress: Progress,
    limit: int = 6,
    seed: int = 0,
) -> Report:
    """Draw the figure from what the table left in FOLDER.

    Args:
        figure: what is shown.
        table: `figure.table`.
        plan: data and device.
        folder: of the table.
        progress: told what is being drawn.
        limit: how many images, evenly spread over the split.
        seed: of the networks.

    Raises:
        InputError: networks or labels are not in the folder; it says which command makes them.
    """
    training, val = open_sets(plan.data)
    data = training if figure.labels else val
    assert data is not None
    columns = _columns(figure, table, plan, folder, seed)
    count = len(data.examples)
    chosen = [i * count // min(limit, count) for i in range(min(limit, count))]
    pictures: list[NDArray[np.uint8]] = []
    body = []
    for place, index in enumerate(chosen):
        example = data.examples[index]
        progress(0, f"{example.name}, {place + 1} of {len(chosen)}")
        image, truth = load_image(example.image), data.labels(index)
        masks = {title: column(data, index, image) for title, column in columns.items()}
        pictures += [lettered(image, example.name), lettered(_painted(data, truth), "truth")]
        pictures += [lettered(_painted(data, mask), title) for title, mask in masks.items()]
        scores = [_miou(data, truth, mask) for mask in masks.values()]
        body.append([example.name, *(f"{100 * score:.1f}" for score in scores)])
    part = f"the part *{plan.subset}*, " if plan.subset else ""
    text = (
        f"# {figure.title}\n\n{plan.data.layout}, {part}{len(chosen)} of {count:,} images of "
        f"`{plan.data.train if figure.labels else plan.data.val}`, evenly spread. mIoU of each "
        "image in percent, over the classes of its truth and mask.\n\n"
        + markdown_table(["image", *columns], body)
        + "\n"
    )
    paths = (folder / f"{figure.name}.jpg", folder / f"{figure.name}.md")
    write_picture(paths[0], contact_sheet(pictures, columns=2 + len(columns)))
    with atomic_write(paths[1]) as path:
        path.write_text(text, encoding="utf-8")
    return Report(text, paths)


def _columns(
    figure: ComparisonFigure, table: NetworkTable, plan: NetworkPlan, folder: Path, seed: int
) -> dict[str, Column]:
    columns: dict[str, Column] = {}
    for title, kind in figure.labels.items():
        home = folder / "labels" / kind
        if not home.is_dir():
            raise InputError(f"{home}: no such labels; {_command(figure.table)} makes them first")
        columns[title] = _label_column(home)
        if figure.refined:
            columns[f"{title}, CRF"] = _refined(_label_column(home))
    rows = chosen_rows(table, (), plan)
    for title, label in figure.rows.items():
        row = rows[label]
        path = folder / "runs" / f"{row.trained_as or row.run}-seed{seed}" / LAST
        if not path.is_file():
            raise InputError(f"{path}: no such network; {_command(figure.table)} trains it first")
        columns[title] = _network_column(path, row, plan.device)
    return columns


def _command(table: str) -> str:
    return f"saccade experiment network {table} with the same -o"


def _label_column(home: Path) -> Column:
    def column(data: LabeledSet, index: int, image: NDArray[np.uint8]) -> Labels:
        path = home / f"{data.examples[index].name}.png"
        if not path.is_file():  # one that is left out
            return np.full(image.shape[:2], IGNORE, np.uint8)
        return np.asarray(read_label_image(path).values, np.uint8)

    return column


def _refined(column: Column) -> Column:
    def refined(data: LabeledSet, index: int, image: NDArray[np.uint8]) -> Labels:
        mask, count = column(data, index, image), len(data.spec.names)
        known = torch.from_numpy(mask != IGNORE)
        sure = torch.full((count, *mask.shape), (1 - _SURE) / (count - 1))
        own = torch.from_numpy(mask.astype(np.int64)).clamp(max=count - 1)
        sure.scatter_(0, own[None], _SURE)
        probabilities = torch.where(known, sure, torch.tensor(1 / count))
        found = dense_crf(probabilities, torch.tensor(image), DENSE_CRF_CONFIGS[CRF])
        return labels_of(found)

    return refined


def _network_column(path: Path, row: Variant, device: str) -> Column:
    place = "cuda" if device == "cuda" else "cpu"
    net = load_checkpoint(path, device=place).net

    def column(data: LabeledSet, index: int, image: NDArray[np.uint8]) -> Labels:
        found = predict_probabilities(net, image, Protocol(**row.protocol), place)
        if row.crf:
            found = dense_crf(found, torch.tensor(image), DENSE_CRF_CONFIGS[row.crf])
        return labels_of(found)

    return column


def _painted(data: LabeledSet, mask: Labels) -> NDArray[np.uint8]:
    """The mask in the colors of its classes, VOC's border color where there is none."""
    table = np.full((256, 3), (224, 224, 192), np.uint8)
    table[: len(data.spec.names)] = data.spec.colors
    return table[mask]


def _miou(data: LabeledSet, truth: Labels, mask: Labels) -> float:
    known = np.where(mask == IGNORE, IGNORE, truth)
    matrix = confusion_matrix(known, np.where(mask == IGNORE, 0, mask), len(data.spec.names))
    return float(mean_iou(matrix))
