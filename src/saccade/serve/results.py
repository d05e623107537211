"""A segmentation as the page gets it: runs of equal labels instead of a picture.

A picture would have to be decoded through a canvas, which may change its values; runs are exact,
smaller, and painted in the colours that the page has for its classes.
"""

import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from saccade.interactive import Segmentation
from saccade.strict_json import json_text

MAX_RUN = 2**24 - 1
_MAX_SIDE = 640
_MAX_KEPT_VALUES = 2**24


@dataclass(frozen=True)
class DisplayedMask:
    """The mask that a page shows, kept small: an image may have 100 megapixels.

    Attributes:
        revision: of the strokes that it belongs to.
        labels: (H, W) integer class values.
        classes: the values that there are, ascending.
        seconds: that the fit took.
        timings: seconds of each stage.
        uncertainty: (H, W) float16 in [0, 1]; None for a coarse or an imported mask.
        probabilities: (K, H, W) float16; None for a coarse or an imported mask, and where they
            would take much memory.
        stroked: (H, W), True on strokes; None where there is no uncertainty.
        final: False for a coarse mask while the fit goes on.
        imported: whether it was read from a file, not computed from strokes.
        remarks: what was assumed of the image and the strokes.
        provisional: the classes that nobody drew and that were assumed to be everything else.
        images: on how many images of the folder the strokes are that it comes from; 0: it comes
            from the strokes on this image alone.
        fit: number of the fit to the strokes of the folder; 0 where it comes from none.
        unlike: whether the image looks like none of those with strokes.
    """

    revision: int
    labels: NDArray[np.integer[Any]]
    classes: tuple[int, ...]
    seconds: float = 0.0
    timings: dict[str, float] = field(default_factory=dict)
    uncertainty: NDArray[np.float16] | None = None
    probabilities: NDArray[np.float16] | None = None
    stroked: NDArray[np.bool_] | None = None
    final: bool = True
    imported: bool = False
    remarks: tuple[str, ...] = ()
    provisional: tuple[int, ...] = ()
    images: int = 0
    fit: int = 0
    unlike: bool = False

    @property
    def nbytes(self) -> int:
        """Memory that it holds."""
        arrays = (self.labels, self.uncertainty, self.probabilities, self.stroked)
        return sum(array.nbytes for array in arrays if array is not None)


def displayed_mask(
    result: Segmentation,
    revision: int,
    *,
    stroked: NDArray[np.bool_],
    seconds: float,
    all_probabilities: bool = False,
) -> DisplayedMask:
    """What is kept of a result; probabilities only where they are small or asked for."""
    fits = result.probabilities.size <= _MAX_KEPT_VALUES
    return DisplayedMask(
        revision,
        result.labels.astype(np.uint8),  # values are at most 254
        result.classes,
        seconds,
        {name: round(time, 4) for name, time in result.timings.items()},
        result.uncertainty.astype(np.float16),
        result.probabilities.astype(np.float16) if fits or all_probabilities else None,
        stroked,
        remarks=result.remarks,
        provisional=result.provisional,
        unlike=result.unlike,
    )


def encode_runs(labels: NDArray[np.integer[Any]], classes: tuple[int, ...]) -> NDArray[np.uint32]:
    """Runs (R,) of equal labels in row-major order, each ``length * 256 + index`` into classes.

    Args:
        labels: (H, W) values, all of them in ``classes``.
        classes: at most 256 values, ascending.
    """
    flat = labels.ravel()
    ends = np.append(np.flatnonzero(flat[1:] != flat[:-1]) + 1, flat.size)
    lengths = np.diff(ends, prepend=0)
    index = np.searchsorted(np.asarray(classes), flat[ends - 1])
    if lengths.max() > MAX_RUN:
        pieces = -(-lengths // MAX_RUN)
        index = np.repeat(index, pieces)
        last = np.cumsum(pieces) - 1
        rest = lengths - (pieces - 1) * MAX_RUN
        lengths = np.full(len(index), MAX_RUN)
        lengths[last] = rest
    return np.asarray(lengths * 256 + index, dtype="<u4")


def encode_result(mask: DisplayedMask, *, uncertainty: bool) -> bytes:
    """The binary message for a page: a header in JSON, runs, and uncertainty where it is wanted."""
    runs = encode_runs(mask.labels, mask.classes)
    header = {
        "type": "result",
        "revision": mask.revision,
        "final": mask.final,
        "width": mask.labels.shape[1],
        "height": mask.labels.shape[0],
        "values": list(mask.classes),
        "runs": len(runs),
        "seconds": round(mask.seconds, 4),
        "uncertainty": None,
        "remarks": list(mask.remarks),
        "provisional": list(mask.provisional),
        "images": mask.images,
        "imported": mask.imported,
    }
    body = runs.tobytes()
    if uncertainty and mask.uncertainty is not None:
        small = _shrink(mask.uncertainty)
        header["uncertainty"] = {"width": small.shape[1], "height": small.shape[0]}
        body += small.tobytes()
    text = json_text(header).encode()
    text += b" " * (-len(text) % 4)  # so that the runs are aligned
    return struct.pack("<I", len(text)) + text + body


def _shrink(uncertainty: NDArray[np.float16]) -> NDArray[np.uint8]:
    stride = max(1, -(-max(uncertainty.shape) // (2 * _MAX_SIDE)))
    values = np.rint(uncertainty[::stride, ::stride].astype(np.float32) * 255).astype(np.uint8)
    image = Image.fromarray(values)
    image.thumbnail((_MAX_SIDE, _MAX_SIDE), Image.Resampling.BOX)
    return np.asarray(image)
