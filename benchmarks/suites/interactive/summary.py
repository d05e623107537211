"""Scores of a set with their uncertainty, from the confusion matrices of its images.

Standard errors are by the jackknife over images, one formula for every score: for a mean over
images it gives exactly the usual standard error of the mean, for the mIoU of a summed matrix
(CamVid) and for paired differences it is right as well. Draws of several seeds are averaged first,
so that the error speaks of the images; the seeds' own spread is reported beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets import score_set

# Matrices of one method on one set: first index the seed, second the image.
Runs = Sequence[Sequence[NDArray[np.int64]]]


@dataclass(frozen=True)
class Row:
    """One line of the table: one method on one set."""

    set: str
    method: str
    images: int
    score: float  # mIoU in [0, 1]
    standard_error: float
    difference: float  # score minus the first method's
    difference_error: float
    seconds: float  # median over images and seeds
    to_grabcut: float  # seconds divided by GrabCut's on the same set; NaN without GrabCut
    seed_spread: float  # standard deviation of the set's score over seeds; NaN for one seed


def seed_scores(name: str, runs: Runs) -> list[float]:
    """Score of the set for each seed."""
    return [score_set(name, matrices) for matrices in runs]


def leave_one_out(name: str, runs: Runs) -> NDArray[np.float64]:
    """Scores (N,) of the set without image i, averaged over seeds; (0,) for a single image."""
    count = len(runs[0]) if len(runs[0]) > 1 else 0
    return np.array(
        [
            np.mean([score_set(name, [*run[:i], *run[i + 1 :]]) for run in runs])
            for i in range(count)
        ]
    )


def jackknife_error(replicates: NDArray[np.float64]) -> float:
    """Standard error from leave-one-out values (N,); NaN for fewer than two images."""
    n = len(replicates)
    if n < 2:
        return nan
    return sqrt((n - 1) / n * float(((replicates - replicates.mean()) ** 2).sum()))


def summarize(
    name: str, runs: Mapping[str, Runs], seconds: Mapping[str, Sequence[float]], first: str
) -> list[Row]:
    """Rows of one set.

    Args:
        name: name of the set.
        runs: method -> its matrices.
        seconds: method -> the time of every call.
        first: the method to compare with; where it did not run, differences are NaN.
    """
    scores = {m: float(np.mean(seed_scores(name, r))) for m, r in runs.items()}
    left_out = {m: leave_one_out(name, r) for m, r in runs.items()}
    medians = {m: float(np.median(s)) for m, s in seconds.items()}
    rows = []
    for method, run in runs.items():
        compared = first in runs
        rows.append(
            Row(
                set=name,
                method=method,
                images=len(run[0]),
                score=scores[method],
                standard_error=jackknife_error(left_out[method]),
                difference=scores[method] - scores[first] if compared else nan,
                difference_error=(
                    jackknife_error(left_out[method] - left_out[first]) if compared else nan
                ),
                seconds=medians[method],
                to_grabcut=medians[method] / medians["grabcut"] if "grabcut" in medians else nan,
                seed_spread=float(np.std(seed_scores(name, run), ddof=1)) if len(run) > 1 else nan,
            )
        )
    return rows
