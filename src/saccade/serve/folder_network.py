"""Masks of a trained network that the page begins with, and strokes that correct them.

Nothing is learned from strokes here: those on one image change the mask of that image alone.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from saccade.fitted import TrainedModel
from saccade.fitted.items import Picture
from saccade.interactive.run import Run
from saccade.scribbles.document import rasterize
from saccade.serve.errors import SupersededError
from saccade.serve.folder_fit import FolderFit
from saccade.serve.library import Library
from saccade.serve.results import DisplayedMask
from saccade.serve.session import Session
from saccade.serve.worker import (
    SegmentationRequest,
    answer,
    check_room,
    prepare_segmenter,
    stroke_index,
)


@dataclass(frozen=True)
class FolderNetwork:
    """Stands where `FolderFit` does, while a trained network makes the masks.

    Attributes:
        model: the network.
        number: of fits; it is never fitted again.
        images: with strokes that it was fitted to.
        remarks: what was left out.
    """

    model: TrainedModel
    number: int = 1
    images: int = 0
    remarks: tuple[str, ...] = ()

    def serves(self, classes: set[int], preset: str) -> bool:
        """Whether it makes the mask of an image with strokes of these classes."""
        return classes <= set(self.model.classes)

    def others(self, image: str) -> int:
        """How much is known of an image beside its own strokes: all that the network learned."""
        return 1


MaskSource: TypeAlias = FolderFit | FolderNetwork
"""What makes masks of all images of a folder."""


def segment_by_network(
    request: SegmentationRequest,
    found: FolderNetwork,
    library: Library,
    send: Callable[[dict[str, Any] | bytes, str], None],
    cancelled: threading.Event,
) -> tuple[DisplayedMask, bytes]:
    """A session's mask by the network; arguments and errors of `segment_session`."""
    started = time.perf_counter()
    session, model = request.session, found.model
    check_room(request, len(model.classes))
    strokes = rasterize(request.document, session.size)
    index = stroke_index(strokes, session.size, model.classes)
    if index is None:
        result = model.segment(_picture(session, library.load(session.entry)))
    else:
        prepared = prepare_segmenter(session, library, "fast", model.seed).prepared
        assert prepared is not None  # it was just prepared
        result = model.segment(_picture(session, prepared.rgb))
        if cancelled.is_set():
            raise SupersededError
        result = model.correct(result, prepared, index, Run(None, cancelled.is_set))
    if cancelled.is_set():
        raise SupersededError
    return answer(request, result, strokes, started, fit=found.number)


def _picture(session: Session, rgb: NDArray[np.uint8]) -> Picture:
    """A session's image; the network knows it again by its id and what is in its file."""
    return Picture(session.entry.name, rgb, f"{session.entry.id} {session.digest}")
