"""Small masks, for thumbnails and to tell which image needs strokes most."""

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.fitted.suggesting import uncertain_share
from saccade.scribbles.document import StrokeClass
from saccade.serve.errors import SupersededError
from saccade.serve.folder_masks import predict_entry
from saccade.serve.folder_network import MaskSource
from saccade.serve.library import Entry, Library
from saccade.serve.results import DisplayedMask

_LONGEST = 160
_SURE = 0.1
"""Below, a mask needs no look."""
_OPACITY = 0.45


@dataclass(frozen=True)
class Preview:
    """A small mask.

    Attributes:
        number: counts the masks of its image.
        labels: (h, w) uint8 class values; None where there is no mask.
        uncertainty: see `uncertain_share`; None where it is not known.
        problem: why there is none; "" if there is nothing to say.
        unlike: whether the image looks like none of those with strokes.
    """

    number: int
    labels: NDArray[np.uint8] | None = None
    uncertainty: float | None = None
    problem: str = ""
    unlike: bool = False

    @property
    def is_sure(self) -> bool:
        """Whether the mask needs no look."""
        return self.uncertainty is not None and self.uncertainty < _SURE and not self.unlike


def preview_of(mask: DisplayedMask, number: int) -> Preview:
    """A small copy of a mask."""
    value = None if mask.uncertainty is None else uncertain_share(mask.labels, mask.uncertainty)
    return Preview(number, _small(mask.labels), value, unlike=mask.unlike)


def preview_entry(
    fit: MaskSource,
    entry: Entry,
    number: int,
    library: Library,
    cancelled: threading.Event,
) -> Preview:
    """The small mask of an image that nobody has open; runs on a worker.

    Raises:
        SupersededError: it was cancelled.
        InputError: the image cannot be read.
    """
    if cancelled.is_set():
        raise SupersededError
    result = predict_entry(fit, entry, library)
    unsure = uncertain_share(result.labels, result.uncertainty)
    return Preview(number, _small(result.labels), unsure, unlike=result.unlike)


def blend(
    picture: NDArray[np.uint8], preview: Preview, classes: tuple[StrokeClass, ...]
) -> NDArray[np.uint8]:
    """A small picture (h, w, 3) with its mask over it; the first of two classes stays clear."""
    labels = preview.labels
    if labels is None:
        return picture
    rows, columns = (
        np.arange(n) * m // n for n, m in zip(picture.shape[:2], labels.shape, strict=True)
    )
    labels = labels[rows][:, columns]
    table, opaque = np.zeros((256, 3), np.float32), np.zeros(256, np.float32)
    for one in classes:
        color = one.color or "#888888"
        table[one.value] = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
        opaque[one.value] = 0 if len(classes) <= 2 and one.value == 0 else _OPACITY
    share = opaque[labels][..., None]
    mixed = picture * (1 - share) + table[labels] * share
    painted: NDArray[np.uint8] = np.rint(mixed).astype(np.uint8)
    return painted


def _small(labels: NDArray[np.integer[Any]]) -> NDArray[np.uint8]:
    stride = max(1, -(-max(labels.shape) // _LONGEST))
    small: NDArray[np.uint8] = labels[::stride, ::stride].astype(np.uint8)
    return small
