"""Masks that pins decide alone: nothing is left to a fit, and no stroke is needed."""

import numpy as np
from numpy.typing import NDArray

from saccade.interactive.result import Segmentation
from saccade.scribbles.document import StrokeDocument
from saccade.scribbles.pins import pinned_values
from saccade.serve.results import DisplayedMask, displayed_mask, encode_result
from saccade.serve.worker import SegmentationRequest, check_room


def decided_labels(document: StrokeDocument, shape: tuple[int, int]) -> NDArray[np.int32] | None:
    """Labels (H, W) of pins that leave no pixel to a fit; None where they leave some."""
    if not document.pins:
        return None
    values = pinned_values(document, shape)
    return None if (values < 0).any() else values


def decided_result(request: SegmentationRequest) -> tuple[DisplayedMask, bytes] | None:
    """The mask of a document whose pins leave no pixel to a fit, and the message that shows it.

    Raises:
        InputError: it needs more memory than it may take.
    """
    labels = decided_labels(request.document, request.session.size)
    if labels is None:
        return None
    classes = tuple(int(value) for value in np.unique(labels))
    check_room(request, len(classes))
    certain = np.stack([labels == value for value in classes]).astype(np.float32)
    mask = displayed_mask(
        Segmentation(labels, certain, np.zeros(labels.shape, np.float32), classes),
        request.revision,
        stroked=np.ones(labels.shape, bool),
        seconds=0.0,
        all_probabilities=request.all_probabilities,
    )
    return mask, encode_result(mask, uncertainty=request.wants_uncertainty)
