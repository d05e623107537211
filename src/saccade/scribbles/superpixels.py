"""Growing strokes to the superpixels they touch (GDC paper, section V-A and figure 6)."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError

Conflict = Literal["unlabeled", "majority"]


def superpixels(
    image: NDArray[np.uint8],
    *,
    pixels_per_segment: int = 400,
    compactness: float = 10.0,
    rounds: int = 10,
) -> NDArray[np.int64]:
    """SLIC superpixels of ``image`` (H, W, 3): ids (H, W) from 0, after ``rounds`` of k-means."""
    from skimage.segmentation import slic  # not at the top: it brings half of SciPy

    height, width = image.shape[:2]
    count = max(1, height * width // pixels_per_segment)
    return np.asarray(
        slic(
            image,
            n_segments=count,
            compactness=compactness,
            start_label=0,
            max_num_iter=rounds,
        ),
        dtype=np.int64,
    )


def expand_strokes(
    strokes: NDArray[np.integer],
    segments: NDArray[np.int64],
    classes: int,
    *,
    conflict: Conflict = "unlabeled",
) -> NDArray[np.int64]:
    """Mark every superpixel with the class of the stroke that touches it.

    Args:
        strokes: (H, W) class index, values outside of [0, K) where nobody drew.
        segments: (H, W) superpixel ids from 0.
        classes: K.
        conflict: what a superpixel with strokes of several classes becomes: ``"unlabeled"``
            keeps only the strokes' own pixels, ``"majority"`` takes the class with most of them.

    Returns:
        (H, W) class index, K where unlabelled. The strokes' own pixels always keep their class.

    Raises:
        InputError: an unknown ``conflict``.
    """
    if conflict not in ("unlabeled", "majority"):
        raise InputError(f"conflict {conflict!r} is unknown, use 'unlabeled' or 'majority'")
    drawn = (strokes >= 0) & (strokes < classes)
    count = int(segments.max()) + 1
    pairs = segments[drawn] * classes + strokes[drawn].astype(np.int64)
    touched = np.bincount(pairs, minlength=count * classes).reshape(count, classes)
    rivals = (touched > 0).sum(1)
    settled = rivals == 1 if conflict == "unlabeled" else rivals > 0
    of_segment = np.where(settled, touched.argmax(1), classes)
    return np.where(drawn, strokes, of_segment[segments]).astype(np.int64)
