"""What people decide of a mask after the fit: what is pinned, and what must touch a stroke."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from saccade.scribbles.document import StrokeDocument
from saccade.scribbles.pins import pinned_values
from saccade.scribbles.strokes import Strokes
from saccade.serve.results import DisplayedMask

_GROUND = 0
_EIGHT = np.ones((3, 3), bool)


def finished(
    mask: DisplayedMask, document: StrokeDocument, strokes: Strokes, *, connected: bool
) -> DisplayedMask:
    """A mask with what is pinned; what was decided is certain.

    Args:
        mask: as it was fitted.
        document: with the pins.
        strokes: of the document, on the grid of the mask.
        connected: see `only_connected`.
    """
    labels = finished_labels(mask.labels, document, strokes, connected=connected)
    if labels is mask.labels:
        return mask
    decided = labels != mask.labels
    if document.pins:
        decided |= pinned_values(document, (labels.shape[0], labels.shape[1])) >= 0
    classes = tuple(sorted({*mask.classes, *np.unique(labels[decided]).tolist()}))
    uncertainty, probabilities = mask.uncertainty, mask.probabilities
    if uncertainty is not None:
        uncertainty = np.where(decided, np.float16(0), uncertainty)
    if probabilities is not None:
        found = dict(zip(mask.classes, probabilities, strict=True))
        empty = np.zeros(labels.shape, np.float16)
        probabilities = np.stack(
            [np.where(decided, labels == value, found.get(value, empty)) for value in classes]
        ).astype(np.float16)
    return replace(
        mask, labels=labels, classes=classes, uncertainty=uncertainty, probabilities=probabilities
    )


def finished_labels(
    labels: NDArray[np.integer[Any]],
    document: StrokeDocument,
    strokes: Strokes,
    *,
    connected: bool,
) -> NDArray[np.integer[Any]]:
    """`finished`, of labels (H, W) alone; themselves where nothing was decided."""
    pinned = None
    if document.pins:
        pinned = pinned_values(document, (labels.shape[0], labels.shape[1]))
        labels = np.where(pinned >= 0, pinned, labels).astype(labels.dtype)
    if connected and strokes.classes:
        drawn = np.where(strokes.labels == strokes.unlabeled, -1, strokes.labels)
        if pinned is not None:
            drawn = np.where(pinned >= 0, pinned, drawn)
        labels = only_connected(labels, drawn)
    return labels


def only_connected(
    labels: NDArray[np.integer[Any]], drawn: NDArray[np.integer[Any]]
) -> NDArray[np.integer[Any]]:
    """Each stroked class only where it is connected to a stroke; class 0 may be anywhere.

    What is not takes the class of the nearest pixel that is.

    Args:
        labels: (H, W) class values.
        drawn: (H, W) class values of strokes, -1 where there is none.

    >>> only_connected(np.array([[1, 1, 0, 0, 1]]), np.array([[1, -1, -1, 0, -1]]))
    array([[1, 1, 0, 0, 0]])
    """
    loose = np.zeros(labels.shape, bool)
    for value in np.unique(drawn[drawn > _GROUND]):
        parts, count = ndimage.label(labels == value, _EIGHT)
        held = np.zeros(count + 1, bool)
        held[parts[drawn == value]] = True
        held[0] = True
        loose |= ~held[parts]
    if not loose.any():
        return labels
    rows, columns = ndimage.distance_transform_edt(
        loose, return_distances=False, return_indices=True
    )
    nearest: NDArray[np.integer[Any]] = labels[rows, columns]
    return nearest
