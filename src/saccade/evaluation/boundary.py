"""F-score of boundaries (Csurka et al. 2013): how well contours match within a few pixels."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from saccade.errors import InputError

TOLERANCE = 0.0075
"""Of the image diagonal, the usual one."""


@dataclass(frozen=True)
class BoundaryCounts:
    """Numbers of boundary pixels per class, (K,) int64 each; add them up over a set.

    Attributes:
        matched_prediction: predicted ones near a true one.
        prediction: all predicted ones.
        matched_truth: true ones near a predicted one.
        truth: all true ones.
    """

    matched_prediction: NDArray[np.int64]
    prediction: NDArray[np.int64]
    matched_truth: NDArray[np.int64]
    truth: NDArray[np.int64]

    def __add__(self, other: "BoundaryCounts") -> "BoundaryCounts":
        return BoundaryCounts(
            self.matched_prediction + other.matched_prediction,
            self.prediction + other.prediction,
            self.matched_truth + other.matched_truth,
            self.truth + other.truth,
        )

    def f_scores(self) -> NDArray[np.float64]:
        """(K,) 2 P R / (P + R); NaN for a class without a true boundary."""
        with np.errstate(invalid="ignore", divide="ignore"):
            precision = np.where(
                self.prediction > 0, self.matched_prediction / self.prediction, 0.0
            )
            recall = self.matched_truth / self.truth
            scores = 2 * precision * recall / (precision + recall)
        scores = np.where(precision + recall > 0, scores, 0.0)
        return np.asarray(np.where(self.truth > 0, scores, np.nan))


def boundary_counts(
    target: NDArray[Any],
    prediction: NDArray[Any],
    num_classes: int,
    *,
    ignore_index: int = 255,
    tolerance: float = TOLERANCE,
) -> BoundaryCounts:
    """Compare the contours of each class.

    A contour pixel is a pixel of the class with a 4-neighbour of another. Contours between
    ignored pixels and others are no contours, in neither map.

    Args:
        target: (H, W) classes or `ignore_index`.
        prediction: (H, W) classes.
        num_classes: K.
        ignore_index: of the target.
        tolerance: distance as a share of the diagonal, rounded up to whole pixels.

    Raises:
        InputError: shapes that differ.
    """
    if target.shape != prediction.shape or target.ndim != 2:
        raise InputError(
            f"target has shape {target.shape} and prediction {prediction.shape}; both must be "
            "the same (H, W)"
        )
    reach = max(1, int(np.ceil(tolerance * np.hypot(*target.shape))))
    known = target != ignore_index
    counts = np.zeros((4, num_classes), np.int64)
    present = np.union1d(np.unique(target[known]), np.unique(prediction[known]))
    for k in (int(k) for k in present):
        true = _contour((target == k) & known, known)
        found = _contour((prediction == k) & known, known)
        counts[1, k], counts[3, k] = found.sum(), true.sum()
        if counts[1, k] and counts[3, k]:
            counts[0, k] = (distance_transform_edt(~true)[found] <= reach).sum()
            counts[2, k] = (distance_transform_edt(~found)[true] <= reach).sum()
    return BoundaryCounts(*counts)


def _contour(inside: NDArray[np.bool_], known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    outside = known & ~inside
    near = np.zeros_like(inside)
    near[1:] |= outside[:-1]
    near[:-1] |= outside[1:]
    near[:, 1:] |= outside[:, :-1]
    near[:, :-1] |= outside[:, 1:]
    return np.asarray(inside & near)
