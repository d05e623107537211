"""COCO run-length encoding: column by column, lengths of runs alternating, zeros first.

`{"size": [H, W], "counts": ...}` holds the counts as a list of integers or, compressed, as
text: each count from the fourth on is replaced by its difference to the count two before, and
written in groups of five bits, lowest first, bit 5 set on every group but the last, plus 48
(the format of pycocotools). Everything here is vectorised over runs.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.data.shapes import OddShapeError

_MOST_GROUPS = 7  # 35 bits, more than any count needs
_OFFSET = 48


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


def decode_mask(counts: Any, height: int, width: int) -> NDArray[np.bool_]:
    """Return the (H, W) mask of a list of counts.

    Raises:
        OddShapeError: a negative count, or counts that do not add up to H * W.
    """
    mask = np.zeros(height * width, dtype=bool)
    starts, stops = decode_runs(counts, height, width)
    for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
        mask[start:stop] = True
    return mask.reshape((height, width), order="F")


def decode_runs(
    counts: Any, height: int, width: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first pixels, and those after the last, of the runs of ones in counts.

    Pixels are counted down the columns of an image of `height` x `width`; no run is empty.

    Raises:
        OddShapeError: a negative count, or counts that do not add up to H * W.
    """
    runs = _checked_counts(counts)
    size = height * width
    # Each run is checked too: a sum may wrap around.
    if runs.min() < 0 or runs.max() > size or int(runs.sum()) != size:
        raise OddShapeError(
            f"RLE counts from {runs.min()} to {runs.max()} with the sum {runs.sum()}, "
            f"expected runs of 0 and above that add up to {height} x {width} = {size}"
        )
    ends = runs.cumsum()
    stops, lengths = ends[1::2], runs[1::2]
    return (stops - lengths)[lengths > 0], stops[lengths > 0]


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
    shifts = 5 * np.arange(_MOST_GROUPS)
    groups = numbers[:, None] >> shifts & 31
    rest = numbers[:, None] >> (shifts + 5)
    # The sign bit of the last group must be that of the number.
    last = np.where(groups & 16, rest == -1, rest == 0).argmax(axis=1)
    place = np.arange(_MOST_GROUPS)
    text = groups + 32 * (place < last[:, None]) + _OFFSET
    codes = np.asarray(text[place <= last[:, None]], dtype=np.uint8)
    return codes.tobytes().decode("ascii")


def decompress_counts(text: str) -> NDArray[np.int64]:
    """Return the counts of compressed text.

    Raises:
        OddShapeError: characters outside the format, a cut end, a number that is too large.
    """
    data = text.encode("utf-8", "surrogatepass")  # what is not ASCII is out of range below
    codes = np.frombuffer(data, dtype=np.uint8).astype(np.int64) - _OFFSET
    if codes.size == 0 or codes.min() < 0 or codes.max() > 63 or codes[-1] & 32:
        raise OddShapeError("RLE counts: the text is cut or has characters outside '0'..'o'")
    final = codes & 32 == 0
    starts = np.concatenate([[0], np.flatnonzero(final)[:-1] + 1])
    lengths = np.diff(starts, append=codes.size)
    if lengths.max() > _MOST_GROUPS:
        raise OddShapeError("RLE counts: a run length of more than 35 bits")
    place = np.arange(codes.size) - np.repeat(starts, lengths)
    numbers = np.add.reduceat((codes & 31) << (5 * place), starts)
    numbers -= np.where(codes[final] & 16, np.int64(1) << (5 * lengths), 0)
    for parity in (1, 2):  # undo the differences to the count two before
        numbers[parity::2] = numbers[parity::2].cumsum()
    return numbers


def _checked_counts(counts: Any) -> NDArray[np.int64]:
    if isinstance(counts, str):
        return decompress_counts(counts)
    try:
        array = np.asarray(counts)
    except ValueError:  # a ragged list
        array = np.zeros((0, 0))
    if array.ndim != 1 or array.dtype.kind not in "ui" or array.size == 0:
        raise OddShapeError("RLE counts: expected a list of integers or compressed text")
    return array.astype(np.int64)


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
