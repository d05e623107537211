"""Label Studio's tasks by a trained network: masks to begin with, and strokes that correct them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.fitted import TrainedModel
from saccade.fitted.items import Picture, digest_of
from saccade.interactive import Segmentation
from saccade.interactive.run import Run
from saccade.serve.label_studio.strokes import StudioStrokes, is_background
from saccade.serve.service import Service


def shared_names(model: TrainedModel, labels: list[str]) -> dict[int, str]:
    """Classes of a network that a project has labels for, with the names of the labels.

    Args:
        model: the network.
        labels: of the project; none: it did not say, and takes all.
    """
    wanted = {_plain(name): name for name in labels}
    known = {value: wanted.get(_plain(name), name) for value, name in model.names.items()}
    return {v: n for v, n in known.items() if not labels or _plain(n) in wanted}


async def segment_by_network(
    service: Service,
    key: str,
    model: TrainedModel,
    rgb: NDArray[np.uint8],
    drawn: StudioStrokes | None,
) -> tuple[Segmentation, tuple[str, ...]]:
    """The mask of an image that no session has, in its turn, and what was left out.

    Raises:
        QueueFullError: too many wait.
        SupersededError: the server stops.
        InputError: the image cannot be used.
    """
    picture = Picture("task", rgb, digest_of(rgb))
    index, remarks = (None, ()) if drawn is None else _as_classes(model, drawn)

    def work(cancelled: Any) -> Segmentation:
        found = model.segment(picture)
        if index is None:
            return found
        run = Run(None, cancelled.is_set)
        return model.correct(found, model.prepare(picture), index, run)

    return await service.queue.submit(key, work), remarks


def _as_classes(
    model: TrainedModel, drawn: StudioStrokes
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Strokes as (H, W) index of the network's classes, K where nobody drew."""
    values = {_plain(name): value for value, name in model.names.items()}
    index = np.full(drawn.labels.shape, len(model.classes), np.int64)
    remarks = list(drawn.remarks)
    for value, name in drawn.names.items():
        if _plain(name) in values:
            index[drawn.labels == value] = values[_plain(name)]
        else:
            remarks.append(f"strokes of {name} were left out: the network has no such class")
    return index, tuple(remarks)


def _plain(name: str) -> str:
    return "background" if is_background(name) else name.strip().lower()
