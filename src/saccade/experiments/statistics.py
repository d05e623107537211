"""Scores of a set from the confusion matrices of its images, with standard errors over images.

Errors are by the jackknife: for a mean over images it is the usual standard error of the mean, for
the mIoU of a summed matrix and for paired differences it is right as well. The replicates of
several seeds are averaged first, so that the error speaks of the images.
"""

from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
from numpy.typing import NDArray

from saccade.evaluation.metrics import iou_per_class, mean_iou, overall_accuracy

Matrices = NDArray[np.int32]
"""(seeds, images, K, K), rows = truth."""


@dataclass(frozen=True)
class Estimate:
    """A score with what its error needs: ``replicates`` (N,) are scores without one image."""

    value: float
    replicates: NDArray[np.float64]

    @property
    def error(self) -> float:
        """Standard error by the jackknife; NaN for fewer than two images."""
        return jackknife_error(self.replicates)

    def minus(self, other: "Estimate") -> "Estimate":
        """The paired difference; both must be of the same images in the same order."""
        return Estimate(self.value - other.value, self.replicates - other.replicates)


def estimate(matrices: Matrices, *, pooled: bool) -> Estimate:
    """Mean IoU over a set, mean over the seeds.

    Args:
        matrices: (seeds, images, K, K).
        pooled: one matrix over all images; else the mean of each image's own mean IoU, over the
            classes of that image's truth and prediction.
    """
    runs = [_pooled(run) if pooled else _averaged(run) for run in matrices]
    value = float(np.mean([value for value, _ in runs]))
    return Estimate(value, np.mean([replicates for _, replicates in runs], axis=0))


def accuracy(matrices: Matrices) -> float:
    """Share of the known pixels of all images that are right, mean over the seeds."""
    return float(np.mean([overall_accuracy(_sum(run)) for run in matrices]))


def image_scores(matrix: NDArray[np.int32]) -> tuple[float, float]:
    """Mean IoU and accuracy of one image's matrix (K, K)."""
    return float(np.nanmean(iou_per_class(matrix))), overall_accuracy(matrix)


def jackknife_error(replicates: NDArray[np.float64]) -> float:
    """Standard error from leave-one-out values (N,); NaN for fewer than two."""
    n = len(replicates)
    if n < 2:
        return nan
    return sqrt((n - 1) / n * float(((replicates - replicates.mean()) ** 2).sum()))


def _sum(run: NDArray[np.int32]) -> NDArray[np.int64]:
    total: NDArray[np.int64] = run.sum(axis=0, dtype=np.int64)
    return total


def _pooled(run: NDArray[np.int32]) -> tuple[float, NDArray[np.float64]]:
    total = _sum(run)
    left_out = [mean_iou(total - matrix) for matrix in run] if len(run) > 1 else []
    return mean_iou(total), np.array(left_out)


def _averaged(run: NDArray[np.int32]) -> tuple[float, NDArray[np.float64]]:
    scores = np.array([mean_iou(matrix) for matrix in run])
    count = len(scores)
    left_out = (scores.sum() - scores) / (count - 1) if count > 1 else np.empty(0)
    return float(scores.mean()), left_out
