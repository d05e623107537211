"""Cross entropy over labelled pixels, and weights for classes that are rare."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from saccade.data.specs import IGNORE
from saccade.errors import InputError


def pixel_loss(
    scores: Tensor, labels: Tensor, weight: Tensor | None = None, count: float | None = None
) -> Tensor:
    """Mean cross entropy over the pixels that have a class; 0 where none has.

    Args:
        scores: (B, K, H, W) logits.
        labels: (B, H, W) classes, 255 where there is none.
        weight: (K,) factors of the classes, or None.
        count: what the sum is divided by, in place of `labeled_pixels` of these labels.

    Returns:
        A scalar: the weighted mean, as in `torch.nn.functional.cross_entropy`.
    """
    labels = labels.long()
    total = functional.cross_entropy(scores, labels, weight, ignore_index=IGNORE, reduction="sum")
    count = labeled_pixels(labels, weight) if count is None else count
    # A crop without a labelled pixel would divide 0 by 0, and NaN would end the run.
    return total / max(count, torch.finfo(torch.float32).tiny)


def labeled_pixels(labels: Tensor, weight: Tensor | None = None) -> float:
    """How many pixels have a class, each counted with the factor of its class."""
    known = labels[labels != IGNORE].long()
    return float(known.numel() if weight is None else weight[known].sum().item())


def class_weights(counts: NDArray[Any], kind: str) -> Tensor | None:
    """Factors of the classes from their shares of the labelled pixels.

    `pixel_loss` divides by the sum of the weights, so their scale does not matter: SegNet's
    median frequency balancing and the plain inverse are then the same.

    Args:
        counts: (K,) pixels of each class in the training split.
        kind: "none", "inverse" (1 / share) or "log" (1 / ln(1.02 + share), ENet's, milder).

    Returns:
        (K,) float32 with mean 1 over the classes that occur, 1 for those that never do; None for
        "none".

    Raises:
        InputError: an unknown kind, or no pixel at all.
    """
    if kind == "none":
        return None
    if kind not in ("inverse", "log"):
        raise InputError(f"class_weights is {kind!r}, must be none, inverse or log")
    present = counts > 0
    if not present.any():
        raise InputError("no pixel of the training masks has a class")
    share = counts[present] / counts.sum()
    factors = 1 / share if kind == "inverse" else 1 / np.log(1.02 + share)
    weights = np.ones(len(counts), np.float32)
    weights[present] = factors / factors.mean()
    return torch.from_numpy(weights)


def classification_loss(scores: Tensor, present: Tensor) -> Tensor:
    """Multi-label sigmoid loss, the mean over images and classes, summed over the blocks.

    Args:
        scores: (B, D, K) logits of `MultiDilatedNet`.
        present: (B, K), 1 where the class is in the image and 0 elsewhere.
    """
    target = present.to(scores.dtype)[:, None].expand_as(scores)
    losses = functional.binary_cross_entropy_with_logits(scores, target, reduction="none")
    return losses.mean((0, 2)).sum()
