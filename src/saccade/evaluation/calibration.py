"""Are probabilities as good as their word, and does a measure of uncertainty find the errors?

Calibration asks whether pixels with confidence 0.8 are right in 80 % of the cases (Guo et al., "On
calibration of modern neural networks", 2017). Error detection asks whether wrong pixels come first
when pixels are sorted by uncertainty: the area under the ROC curve, and the area by which the
sparsification curve misses the best possible one (Ilg et al., "Uncertainty estimates and
multi-hypotheses networks for optical flow", 2018).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError


def reliability_counts(
    confidence: NDArray[Any], correct: NDArray[Any], bins: int = 15
) -> NDArray[np.float64]:
    """Sort pixels into bins of equal width by confidence.

    The counts of several images can be added, and their sum scored.

    Args:
        confidence: probability of the predicted class, any shape, values in [0, 1].
        correct: the same shape, True where the prediction is right.
        bins: how many bins cover [0, 1]; 1.0 belongs to the last.

    Returns:
        (3, bins) float64: number of pixels, sum of their confidence, number of right ones.

    Raises:
        InputError: shapes differ, a confidence is out of range, or there is no bin.

    >>> reliability_counts(np.array([0.2, 0.9]), np.array([False, True]), bins=2).shape
    (3, 2)
    """
    confidence, right = _pair("confidence", confidence, "correct", correct)
    if bins < 1:
        raise InputError(f"bins is {bins}; at least 1 is needed")
    if not ((confidence >= 0) & (confidence <= 1)).all():
        raise InputError("confidence holds a value outside of [0, 1]; probabilities are needed")
    index = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    return np.stack(
        [
            np.bincount(index, weights, minlength=bins)
            for weights in (np.ones(len(index)), confidence, right.astype(np.float64))
        ]
    )


def reliability_curve(
    counts: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The points of a reliability diagram.

    Args:
        counts: (3, bins) from `reliability_counts`.

    Returns:
        Mean confidence, accuracy (both NaN in empty bins) and share of the pixels, each (bins,).

    >>> counts = reliability_counts(np.array([0.9, 0.9]), np.array([True, False]), bins=2)
    >>> confidence, accuracy, share = reliability_curve(counts)
    >>> [float(v[-1].round(2)) for v in (confidence, accuracy, share)]
    [0.9, 0.5, 1.0]
    """
    number, confidence, right = counts
    mean, accuracy = np.full((2, len(number)), np.nan)
    np.divide(confidence, number, out=mean, where=number > 0)
    np.divide(right, number, out=accuracy, where=number > 0)
    return mean, accuracy, number / max(1.0, float(number.sum()))


def calibration_error(counts: NDArray[np.float64]) -> float:
    """Expected calibration error: mean of |accuracy - confidence| over pixels, bin by bin.

    Args:
        counts: (3, bins) from `reliability_counts`.

    Returns:
        A number in [0, 1]; NaN if no pixel was counted.

    >>> counts = reliability_counts(np.array([0.9, 0.9]), np.array([True, False]))
    >>> round(calibration_error(counts), 2)
    0.4
    """
    number, confidence, right = counts
    total = float(number.sum())
    return float(np.abs(right - confidence).sum()) / total if total else float("nan")


def error_auroc(uncertainty: NDArray[Any], wrong: NDArray[Any]) -> float:
    """Probability that a wrong pixel is less sure than a right one, ties counting half.

    Args:
        uncertainty: any real numbers, any shape; larger means less sure.
        wrong: the same shape, True where the prediction is wrong.

    Returns:
        A number in [0, 1], 0.5 for an uncertainty that tells nothing; NaN if all pixels are right
        or all are wrong.

    Raises:
        InputError: shapes differ, or an uncertainty is not finite.

    >>> error_auroc(np.array([0.1, 0.4, 0.9]), np.array([False, False, True]))
    1.0
    """
    right, bad = _by_uncertainty(uncertainty, wrong)
    below = np.cumsum(right) - right
    pairs = float(right.sum()) * float(bad.sum())
    return float((bad * (below + right / 2)).sum()) / pairs if pairs else float("nan")


def sparsification_error(uncertainty: NDArray[Any], wrong: NDArray[Any]) -> float:
    """Area between the sparsification curves of ``uncertainty`` and of the truth (AUSE).

    The curve is the error rate among the pixels kept, over the share of pixels removed, the least
    sure first; the best possible curve removes all wrong ones first. Pixels of equal uncertainty
    are removed in random order, the expected number of errors counts.

    Args:
        uncertainty: any real numbers, any shape; larger means less sure.
        wrong: the same shape, True where the prediction is wrong.

    Returns:
        0 for the best possible order; NaN without pixels.

    Raises:
        InputError: shapes differ, or an uncertainty is not finite.

    >>> round(sparsification_error(np.array([0.1, 0.4, 0.9]), np.array([False, False, True])), 2)
    0.0
    """
    right, bad = _by_uncertainty(uncertainty, wrong)
    total = float(right.sum() + bad.sum())
    if not total:
        return float("nan")
    kept = np.concatenate([[0.0], np.cumsum(right + bad)]) / total
    left = np.concatenate([[0.0], np.cumsum(bad)]) / total
    share = (np.arange(1000) + 0.5) / 1000  # of the pixels kept
    errors = np.interp(share, kept, left)
    best = np.maximum(0.0, share - (1 - left[-1]))
    return float(((errors - best) / share).mean())


def _by_uncertainty(
    uncertainty: NDArray[Any], wrong: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Numbers of right and of wrong pixels at each value of uncertainty, ascending."""
    values, bad = _pair("uncertainty", uncertainty, "wrong", wrong)
    if not np.isfinite(values).all():
        raise InputError(
            "uncertainty holds a value that is not finite; numbers are needed to sort by"
        )
    distinct, index = np.unique(values, return_inverse=True)
    number = np.bincount(index, minlength=len(distinct)).astype(np.float64)
    errors = np.bincount(index[bad], minlength=len(distinct)).astype(np.float64)
    return number - errors, errors


def _pair(
    name: str, values: NDArray[Any], flag_name: str, flags: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    if np.shape(values) != np.shape(flags):
        raise InputError(
            f"{name} has shape {np.shape(values)} but {flag_name} has shape {np.shape(flags)}; "
            "both must be the same"
        )
    return np.ravel(values).astype(np.float64), np.ravel(flags).astype(bool)
