"""Measures of segmentation quality and of what a segmentation says of itself: pure functions."""

from saccade.evaluation.calibration import (
    calibration_error,
    error_auroc,
    reliability_counts,
    reliability_curve,
    sparsification_error,
)
from saccade.evaluation.metrics import (
    confusion_matrix,
    iou_per_class,
    mean_iou,
    overall_accuracy,
)

__all__ = [
    "calibration_error",
    "confusion_matrix",
    "error_auroc",
    "iou_per_class",
    "mean_iou",
    "overall_accuracy",
    "reliability_counts",
    "reliability_curve",
    "sparsification_error",
]
