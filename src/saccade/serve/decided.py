"""Masks that somebody has decided: pins that leave no pixel to a fit, and what was called done."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from saccade.interactive.result import Segmentation
from saccade.scribbles.document import StrokeDocument
from saccade.scribbles.pins import pinned_values
from saccade.serve.results import DisplayedMask, displayed_mask, encode_result
from saccade.serve.worker import SegmentationRequest, check_room

ReadLabels = Callable[[], NDArray[np.int32] | None]
"""Reads labels (H, W) that were kept; None where they belong to something else by now."""


def decided_labels(document: StrokeDocument, shape: tuple[int, int]) -> NDArray[np.int32] | None:
    """Labels (H, W) of pins that leave no pixel to a fit; None where they leave some."""
    if not document.pins:
        return None
    values = pinned_values(document, shape)
    return None if (values < 0).any() else values


def decided_result(
    request: SegmentationRequest, done: NDArray[np.int32] | None, fit: int
) -> tuple[DisplayedMask, bytes] | None:
    """The mask that somebody has decided, and the message that shows it; None where nobody has.

    Args:
        request: for a mask.
        done: (H, W), kept of an image that is done; None where nothing is.
        fit: to the folder, which another mask would be made with.

    Raises:
        InputError: it needs more memory than it may take.
    """
    labels = done
    if labels is None:
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
    mask = replace(mask, fit=fit)
    return mask, encode_result(mask, uncertainty=request.wants_uncertainty)
