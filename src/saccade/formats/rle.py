"""COCO run-length encoding: column by column, lengths of runs alternating, zeros first.

`{"size": [H, W], "counts": ...}` holds the counts as a list of integers or, compressed, as
text: each count from the fourth on is replaced by its difference to the count two before, and
written in groups of five bits, lowest first, bit 5 set on every group but the last, plus 48
(the format of pycocotools). Everything here is vectorised over runs.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from saccade.data.run_lengths import (
    MOST_GROUPS,
    OFFSET,
    decode_mask,
    decode_runs,
    decompress_counts,
)

__all__ = [
    "Region",
    "compress_counts",
    "decode_mask",
    "decode_runs",
    "decompress_counts",
    "encode_mask",
    "encode_regions",
]


@dataclass(frozen=True)
class Region:
    """The pixels of one class.

    Attributes:
        counts: run lengths in column-major order, zeros first.
        area: number of pixels.
        bbox: (x, y, width, height) of the tight box around them, in pixels.
    """

    counts: NDArray[np.int64]
    area: int
    bbox: tuple[int, int, int, int]


def encode_mask(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the counts of a binary (H, W) mask."""
    flat = np.asarray(mask, dtype=bool).ravel(order="F")
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    counts = np.diff(edges, prepend=0, append=flat.size)
    return np.concatenate([[0], counts]) if flat.size and flat[0] else counts


def encode_regions(labels: NDArray[np.int32]) -> dict[int, Region]:
    """Return class value -> `Region` for every class of an (H, W) label image, in one pass."""
    height = labels.shape[0]
    flat = labels.ravel(order="F")
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    ends = np.append(starts[1:], flat.size)
    values = flat[starts]
    regions = {}
    for value in np.unique(values).tolist():
        mine = values == value
        regions[value] = _region(starts[mine], ends[mine], flat.size, height)
    return regions


def compress_counts(counts: NDArray[np.int64]) -> str:
    """Return the compressed text of a list of counts, as pycocotools writes it."""
    numbers = np.array(counts, dtype=np.int64)
    numbers[3:] -= np.asarray(counts, dtype=np.int64)[1:-2]
    shifts = 5 * np.arange(MOST_GROUPS)
    groups = numbers[:, None] >> shifts & 31
    rest = numbers[:, None] >> (shifts + 5)
    # The sign bit of the last group must be that of the number.
    last = np.where(groups & 16, rest == -1, rest == 0).argmax(axis=1)
    place = np.arange(MOST_GROUPS)
    text = groups + 32 * (place < last[:, None]) + OFFSET
    codes = np.asarray(text[place <= last[:, None]], dtype=np.uint8)
    return codes.tobytes().decode("ascii")


def _region(starts: NDArray[np.int64], ends: NDArray[np.int64], size: int, height: int) -> Region:
    borders = np.stack([starts, ends], axis=1).ravel()
    counts = np.diff(borders, prepend=0)
    if borders[-1] < size:
        counts = np.append(counts, size - borders[-1])
    left, right = starts // height, (ends - 1) // height
    top, bottom = starts % height, (ends - 1) % height
    if (left != right).any():  # a run over the end of a column touches both borders
        y0, y1 = 0, height - 1
    else:
        y0, y1 = int(top.min()), int(bottom.max())
    x0, x1 = int(left.min()), int(right.max())
    area = int((ends - starts).sum())
    return Region(counts, area, (x0, y0, x1 - x0 + 1, y1 - y0 + 1))
