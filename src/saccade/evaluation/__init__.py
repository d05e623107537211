"""Measures of segmentation quality: pure functions over a confusion matrix."""

from saccade.evaluation.metrics import (
    confusion_matrix,
    iou_per_class,
    mean_iou,
    overall_accuracy,
)

__all__ = ["confusion_matrix", "iou_per_class", "mean_iou", "overall_accuracy"]
