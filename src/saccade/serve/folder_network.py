"""Masks of a trained network that the page begins with, and strokes that correct them.

Nothing is learned from strokes here: those on one image change the mask of that image alone.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from saccade.fitted import TrainedModel
from saccade.fitted.items import Picture, digest_of
from saccade.interactive.inputs import encode_strokes
from saccade.interactive.run import Run
from saccade.scribbles.document import rasterize
from saccade.serve.errors import SupersededError
from saccade.serve.folder_fit import FolderFit
from saccade.serve.library import Library
from saccade.serve.pinning import finished
from saccade.serve.results import DisplayedMask, displayed_mask, encode_result
from saccade.serve.worker import SegmentationRequest, check_room, prepare_segmenter


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
    rgb = library.load(session.entry)
    result = model.segment(Picture(session.entry.name, rgb, digest_of(rgb)))
    if cancelled.is_set():
        raise SupersededError
    if strokes.classes:
        prepared = prepare_segmenter(session, library, "fast", model.seed, rgb).prepared
        assert prepared is not None  # it was just prepared
        index = encode_strokes(
            strokes.labels, session.size, unlabeled=strokes.unlabeled, classes=model.classes
        )[1]
        result = model.correct(result, prepared, index, Run(None, cancelled.is_set))
    if cancelled.is_set():
        raise SupersededError
    mask = displayed_mask(
        result,
        request.revision,
        stroked=strokes.labels != strokes.unlabeled,
        seconds=time.perf_counter() - started,
        all_probabilities=request.all_probabilities,
    )
    mask = finished(
        replace(mask, fit=found.number), request.document, strokes, connected=request.connected
    )
    return mask, encode_result(mask, uncertainty=request.wants_uncertainty)
