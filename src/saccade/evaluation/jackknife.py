"""Scores of a set from the confusion matrices of its images, with standard errors over images.

The standard error is the jackknife's (Efron and Stein, 1981): with ``s_i`` the score without image
``i`` of ``N``, it is ``sqrt((N - 1) / N * sum((s_i - mean(s))**2))``. For a mean over images that
is the usual standard error of the mean; for the mIoU of a summed matrix and for paired differences
it holds as well. Scores of several seeds are averaged first, so that the error is that of images.
"""

from dataclasses import dataclass
from math import nan, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.evaluation.metrics import mean_iou, overall_accuracy


@dataclass(frozen=True)
class Estimate:
    """A score of N images in [0, 1], and its leave-one-out scores.

    Attributes:
        value: the score of all images.
        leave_one_out: (N,) scores without image i; (0,) for a single image.
    """

    value: float
    leave_one_out: NDArray[np.float64]

    @property
    def error(self) -> float:
        """Standard error over images; NaN for fewer than two."""
        return jackknife_error(self.leave_one_out)

    def minus(self, other: "Estimate") -> "Estimate":
        """The paired difference; both must be of the same images in the same order."""
        return Estimate(self.value - other.value, self.leave_one_out - other.leave_one_out)


def estimate_miou(matrices: NDArray[Any], *, pooled: bool) -> Estimate:
    """Mean IoU of a set, averaged over seeds, with its standard error.

    Args:
        matrices: (seeds, images, K, K) counts, rows = target.
        pooled: True for the mIoU of one matrix, summed over all images (as PASCAL VOC does); False
            for the mean of each image's own mIoU, over the classes that occur in it.

    Example:
        >>> import numpy as np
        >>> matrices = np.array([[[[8, 2], [0, 10]], [[5, 5], [5, 5]]]])  # one seed, two images
        >>> score = estimate_miou(matrices, pooled=False)
        >>> round(score.value, 3), round(score.error, 3)
        (0.575, 0.242)
    """
    runs = [_pooled(run) if pooled else _per_image(run) for run in matrices]
    value = float(np.mean([value for value, _ in runs]))
    return Estimate(value, np.mean([left_out for _, left_out in runs], axis=0))


def mean_accuracy(matrices: NDArray[Any]) -> float:
    """Share of the known pixels of all images that are right, averaged over seeds.

    Args:
        matrices: (seeds, images, K, K) counts, rows = target.

    Returns:
        A number in [0, 1], or NaN if no pixel was counted.

    Example:
        >>> mean_accuracy(np.array([[[[8, 2], [0, 10]]]]))
        0.9
    """
    return float(np.mean([overall_accuracy(_sum(run)) for run in matrices]))


def jackknife_error(leave_one_out: NDArray[np.float64]) -> float:
    """Standard error from leave-one-out scores (N,); NaN for fewer than two.

    Example:
        >>> round(jackknife_error(np.array([0.3, 0.4, 0.5])), 4)
        0.1155
    """
    n = len(leave_one_out)
    if n < 2:
        return nan
    return sqrt((n - 1) / n * float(((leave_one_out - leave_one_out.mean()) ** 2).sum()))


def _sum(run: NDArray[Any]) -> NDArray[np.int64]:
    total: NDArray[np.int64] = run.sum(axis=0, dtype=np.int64)
    return total


def _pooled(run: NDArray[Any]) -> tuple[float, NDArray[np.float64]]:
    total = _sum(run)
    left_out = [mean_iou(total - matrix) for matrix in run] if len(run) > 1 else []
    return mean_iou(total), np.array(left_out)


def _per_image(run: NDArray[Any]) -> tuple[float, NDArray[np.float64]]:
    scores = np.array([mean_iou(matrix) for matrix in run])
    count = len(scores)
    left_out = (scores.sum() - scores) / (count - 1) if count > 1 else np.empty(0)
    return float(scores.mean()), left_out
