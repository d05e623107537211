"""Masks by a model that is fitted to the strokes of the folder; runs on workers."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.fitted import Model
from saccade.fitted.predicting import with_likeness
from saccade.interactive.prepared import PreparedImage
from saccade.interactive.result import Segmentation
from saccade.interactive.run import one_thread
from saccade.interactive.shared import segment_shared
from saccade.scribbles.document import rasterize
from saccade.scribbles.strokes import Strokes
from saccade.serve.errors import SupersededError
from saccade.serve.folder_fit import picture_of
from saccade.serve.folder_network import FolderNetwork, MaskSource, segment_by_network
from saccade.serve.library import Entry, Library
from saccade.serve.results import DisplayedMask
from saccade.serve.worker import (
    SegmentationRequest,
    answer,
    check_room,
    prepare_segmenter,
    stroke_index,
)


def segment_by_folder(
    request: SegmentationRequest,
    found: MaskSource,
    library: Library,
    send: Callable[[dict[str, Any] | bytes, str], None],
    cancelled: threading.Event,
) -> tuple[DisplayedMask, bytes]:
    """A session's mask by the strokes of all images; arguments and errors of `segment_session`."""
    if isinstance(found, FolderNetwork):
        return segment_by_network(request, found, library, send, cancelled)
    started = time.perf_counter()
    session, model = request.session, found.model
    check_room(request, len(model.classes))
    strokes = rasterize(request.document, session.size)
    prepared = prepare_segmenter(session, library, request.preset, request.seed).prepared
    assert prepared is not None  # it was just prepared
    if cancelled.is_set():
        raise SupersededError
    result = predict(model, prepared, stroke_index(strokes, session.size, model.classes))
    if cancelled.is_set():
        raise SupersededError
    return answer(request, result, strokes, started, images=found.images, fit=found.number)


def predict_entry(
    found: MaskSource, entry: Entry, library: Library, strokes: Strokes | None = None
) -> Segmentation:
    """The mask of an image that nobody has open; its strokes count as they were fitted.

    Args:
        found: what makes it.
        entry: the image.
        library: to read it from.
        strokes: on it, which correct the mask of a network.

    Raises:
        InputError: the image cannot be read.
    """
    if isinstance(found, FolderNetwork):
        return found.model.predict(picture_of(entry, library), strokes)
    model, digest = found.model, found.digests.get(entry.id)
    for one in model.stroked:
        if one.digest == digest:
            image = one.ready.image
            return predict(model, image, one.index_at(image.size))
    return _with_ground(model, model.predict(picture_of(entry, library)))


def predict(model: Model, image: PreparedImage, index: NDArray[np.int64] | None) -> Segmentation:
    """A mask of an image by a model; nothing is fitted.

    Args:
        model: fitted, also to the strokes of this image if it has some.
        image: prepared with the settings of the model.
        index: (H, W) class index of its strokes, K where nobody drew; None without strokes.
    """
    with one_thread(model.device):
        result = segment_shared(
            model.shared, image, model.preset, stroke_index=index, seed=model.seed
        )
    if index is None:
        result = with_likeness(result, model.shared, image)
    return _with_ground(model, result)


def _with_ground(model: Model, result: Segmentation) -> Segmentation:
    """A mask that says which class nobody drew on any image."""
    if not model.provisional:
        return result
    drawn = {model.classes[k] for k in model.shared.known.stroked.tolist()}
    return replace(result, provisional=tuple(v for v in model.classes if v not in drawn))
