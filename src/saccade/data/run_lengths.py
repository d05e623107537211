"""Decoding of COCO run lengths; `saccade.formats.rle` says what the format is, and encodes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.data.shapes import OddShapeError

MOST_GROUPS = 7  # 35 bits, more than any count needs
OFFSET = 48


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


def decompress_counts(text: str) -> NDArray[np.int64]:
    """Return the counts of compressed text.

    Raises:
        OddShapeError: characters outside the format, a cut end, a number that is too large.
    """
    data = text.encode("utf-8", "surrogatepass")  # what is not ASCII is out of range below
    codes = np.frombuffer(data, dtype=np.uint8).astype(np.int64) - OFFSET
    if codes.size == 0 or codes.min() < 0 or codes.max() > 63 or codes[-1] & 32:
        raise OddShapeError("RLE counts: the text is cut or has characters outside '0'..'o'")
    final = codes & 32 == 0
    starts = np.concatenate([[0], np.flatnonzero(final)[:-1] + 1])
    lengths = np.diff(starts, append=codes.size)
    if lengths.max() > MOST_GROUPS:
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
