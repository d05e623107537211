"""Accuracy and intersection over union from one confusion matrix over a whole set.

Add up the matrices of the images first and score the sum: the mean of per-image scores is a
different number. Classes that occur neither in the ground truth nor in the prediction have no
IoU (NaN) and stay out of the mean, as in the usual PASCAL VOC evaluation.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError


def confusion_matrix(
    target: NDArray[Any],
    prediction: NDArray[Any],
    num_classes: int,
    ignore_index: int | None = 255,
) -> NDArray[np.int64]:
    """Counts of (target class, predicted class) over all pixels with a ground truth.

    Args:
        target: integer array of any shape, classes 0 .. `num_classes` - 1 or `ignore_index`.
        prediction: integer array of the same shape, classes 0 .. `num_classes` - 1 wherever
            the target is not `ignore_index`; what it holds elsewhere is not looked at.
        num_classes: the number K of classes.
        ignore_index: the target value of pixels without ground truth; None ignores nothing.

    Returns:
        (K, K) int64; rows are target classes, columns are predicted classes.

    Raises:
        InputError: shapes differ, an array is not integer, or a class is out of range.

    >>> confusion_matrix(np.array([0, 1, 255]), np.array([0, 0, 1]), 2).tolist()
    [[1, 0], [1, 0]]
    """
    target, prediction = np.asarray(target), np.asarray(prediction)
    if num_classes < 1:
        raise InputError(f"num_classes is {num_classes}; at least 1 is needed")
    if target.shape != prediction.shape:
        raise InputError(
            f"target has shape {target.shape} but prediction has shape {prediction.shape}; "
            "both must be the same"
        )
    known = np.ones(target.shape, bool) if ignore_index is None else target != ignore_index
    rows = _as_classes("target", target[known], num_classes)
    columns = _as_classes("prediction", prediction[known], num_classes)
    counts = np.bincount(rows * num_classes + columns, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes).astype(np.int64, copy=False)


def iou_per_class(cm: NDArray[Any]) -> NDArray[np.float64]:
    """Intersection over union of each class, tp / (row + column - tp).

    Args:
        cm: (K, K) counts, rows = target.

    Returns:
        (K,) float64 in [0, 1]; NaN for a class in neither target nor prediction.

    Raises:
        InputError: `cm` is not square.

    >>> iou_per_class(np.array([[3, 1], [0, 4]])).round(2).tolist()
    [0.75, 0.8]
    """
    _check_square(cm)
    hits = np.diag(cm).astype(np.float64)
    union = cm.sum(axis=1) + cm.sum(axis=0) - hits
    iou = np.full(len(hits), np.nan)
    np.divide(hits, union, out=iou, where=union > 0)
    return iou


def mean_iou(cm: NDArray[Any]) -> float:
    """Mean of `iou_per_class` over the classes that occur; NaN if no pixel was counted.

    Args:
        cm: (K, K) counts, rows = target.

    Returns:
        A number in [0, 1], or NaN.

    Raises:
        InputError: `cm` is not square.

    >>> round(mean_iou(np.array([[3, 1], [0, 4]])), 3)
    0.775
    """
    iou = iou_per_class(cm)
    occurring = iou[~np.isnan(iou)]
    return float(occurring.mean()) if occurring.size else float("nan")


def overall_accuracy(cm: NDArray[Any]) -> float:
    """Share of the counted pixels that are right, trace / sum; NaN if none was counted.

    Args:
        cm: (K, K) counts, rows = target.

    Returns:
        A number in [0, 1], or NaN.

    Raises:
        InputError: `cm` is not square.

    >>> overall_accuracy(np.array([[3, 1], [0, 4]]))
    0.875
    """
    _check_square(cm)
    total = cm.sum()
    return float(np.trace(cm) / total) if total else float("nan")


def _as_classes(name: str, values: NDArray[Any], num_classes: int) -> NDArray[np.int64]:
    if values.dtype.kind not in "iub":
        raise InputError(f"{name} has dtype {values.dtype}; class indices must be integers")
    classes = values.astype(np.int64)
    wrong = (classes < 0) | (classes >= num_classes)
    if wrong.any():
        found = np.unique(classes[wrong])[:5].tolist()
        raise InputError(
            f"{name} holds class {', '.join(map(str, found))}; "
            f"classes must lie in 0 .. {num_classes - 1} (or be ignored)"
        )
    return classes


def _check_square(cm: NDArray[Any]) -> None:
    if cm.ndim != 2 or cm.shape[0] != cm.shape[1]:
        raise InputError(f"confusion matrix has shape {cm.shape}; it must be square (K, K)")
