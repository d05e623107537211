"""What an annotator drew in Label Studio, as strokes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.data.shapes import OddShapeError, ShapeRecord, WorkBudget
from saccade.formats.canvas import Canvas
from saccade.formats.label_studio_shapes import paint_region, studio_regions

UNLABELED = 65_535


@dataclass(frozen=True)
class StudioStrokes:
    """Strokes from the results that come with a request.

    Attributes:
        labels: (H, W) class values, `UNLABELED` where nobody drew.
        names: the name of each value that was drawn.
        remarks: what was left out, or drawn as something else.
    """

    labels: NDArray[np.int32]
    names: dict[int, str]
    remarks: tuple[str, ...]


def strokes_from_results(results: list[dict[str, Any]], size: tuple[int, int]) -> StudioStrokes:
    """Draw the regions of an annotator on an image of (H, W) `size`, as files of them are drawn.

    Values are given in the order in which labels occur, 0 for the background, which negative key
    points are as well.

    Raises:
        InputError: there are regions, and none of them can be drawn, or they are too much work.
    """
    record = ShapeRecord()
    canvas = Canvas(size, UNLABELED, record, WorkBudget("the request"))
    values: dict[str, int] = {}
    for region in studio_regions(results, record):
        name = region.label
        if region.result.get("is_positive") in (0, False, "0") or is_background(name):
            name = "background"
        value = values.get(name, 0 if name == "background" else len(values) + 1)
        try:
            if not name:
                raise OddShapeError("no label")
            paint_region(canvas, region, value)
        except OddShapeError as error:
            record.skip(region.kind, error)
            continue
        values[name] = value
    labels = canvas.finished("the request", values, alone=True)
    present = set(np.unique(labels).tolist())
    names = {v: n for n, v in sorted(values.items(), key=lambda e: e[1]) if v in present}
    return StudioStrokes(labels, names, record.remarks)


def is_background(name: str) -> bool:
    """Whether a label is a name of the background."""
    return name.strip("_ ").lower() in ("background", "bg")
