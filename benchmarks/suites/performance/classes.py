"""What many classes cost: the preset `fast` with all classes of an image and with two of them.

The same image has strokes of all its classes, or of the two with most stroke pixels, so that its
size plays no part. Both are timed in turns, from nothing to the first mask and as an update.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.checks import Check
from benchmarks.harness.datasets import UNLABELED, Labels, Pair
from benchmarks.harness.timing import interleaved
from saccade.interactive import ScribbleSegmenter, segment

SET = "camvid"
CLASSES = 11
BOUND = 2.0
"""The most that all classes may take, in units of two classes' time."""
KINDS = ("fast", "update")


def two_most_stroked(strokes: Labels) -> Labels:
    """Strokes (H, W) of the two classes with most stroke pixels alone."""
    values, counts = np.unique(strokes[strokes != UNLABELED], return_counts=True)
    kept = values[np.argsort(-counts, kind="stable")[:2]]
    return np.where(np.isin(strokes, kept), strokes, UNLABELED)


def time_ratios(pairs: Sequence[Pair], rounds: int = 3) -> dict[str, NDArray[np.float64]]:
    """Time of all classes over that of two, (N,) of each of `KINDS`, processor time.

    Args:
        pairs: images with strokes of at least three classes; others are left out.
        rounds: calls on each image, of which the median counts; one more goes before.
    """
    found: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for pair in pairs:
        if len(np.setdiff1d(pair.strokes, [UNLABELED])) < 3:
            continue
        few = two_most_stroked(pair.strokes)
        prepared = ScribbleSegmenter("fast", device="cpu").prepare(pair.image)
        for kind in KINDS:
            calls: dict[str, Callable[[], object]] = {}
            for name, strokes in (("few", few), ("all", pair.strokes)):
                if kind == "fast":
                    calls[name] = partial(segment, pair.image, strokes, device="cpu")
                else:
                    calls[name] = partial(prepared.update, strokes)
            timed = interleaved(calls, rounds, warm=True)
            few_s, all_s = (np.median([t.processor for t in timed[n]]) for n in ("few", "all"))
            found[kind].append(float(all_s / few_s))
    return {kind: np.array(ratios) for kind, ratios in found.items()}


def checks(ratios: dict[str, NDArray[np.float64]]) -> list[Check]:
    """The medians over the images with their bound."""
    return [
        Check(f"{kind}, {CLASSES} classes / 2, processor time", float(np.median(of)), BOUND)
        for kind, of in ratios.items()
        if len(of)
    ]
