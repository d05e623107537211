"""A network against the masks of a set: one confusion matrix, whatever the number of processes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from saccade.data.examples import require_same_size
from saccade.data.sets import LabeledSet
from saccade.evaluation import confusion_matrix, mean_iou, overall_accuracy
from saccade.evaluation.boundary import BoundaryCounts, boundary_counts
from saccade.evaluation.inference import Network, Protocol, labels_of, predict_probabilities
from saccade.images.network_input import as_colors
from saccade.refine.dense_crf import DenseCRFConfig, dense_crf


@dataclass(frozen=True)
class Scores:
    """What an evaluation found.

    Attributes:
        matrix: (K, K) counts of pixels, rows = truth.
        boundaries: counts for the F-score of boundaries; None where they were not asked for.
        images: how many were evaluated.
        protocol: how the network was asked.
        each: (index, mIoU in [0, 1]) of every example that this process evaluated and that has
            a class; of the classes that are in its mask or were predicted.
    """

    matrix: NDArray[np.int64]
    boundaries: BoundaryCounts | None
    images: int
    protocol: Protocol
    each: tuple[tuple[int, float], ...] = ()

    @property
    def miou(self) -> float:
        """Mean intersection over union, in [0, 1]."""
        return mean_iou(self.matrix)

    @property
    def accuracy(self) -> float:
        """Overall accuracy, in [0, 1]."""
        return overall_accuracy(self.matrix)


def evaluate(
    net: Network,
    data: LabeledSet,
    protocol: Protocol,
    *,
    device: torch.device | str = "cpu",
    boundaries: bool = False,
    crf: DenseCRFConfig | None = None,
    rank: int = 0,
    world: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Scores:
    """Evaluate on the examples `rank`, `rank + world`, ... of a set.

    Args:
        net: in eval mode.
        data: what to evaluate on.
        protocol: how to ask.
        device: of the network.
        boundaries: also count boundary pixels, about 20 ms a class and image.
        crf: refine each image's probabilities by a dense CRF with these parameters.
        rank: of this process.
        world: number of processes; add up the matrices of all of them.
        progress: told how many of how many examples are done.

    Raises:
        InputError: a file that cannot be read, or a mask of another size than its image.
    """
    classes = len(data.spec.names)
    if isinstance(net, nn.Module):
        # As in training: another layout rounds otherwise, and a few pixels have another class.
        net.to(memory_format=torch.channels_last)
    matrix = np.zeros((classes, classes), np.int64)
    counts: BoundaryCounts | None = None
    each: list[tuple[int, float]] = []
    indices = range(rank, len(data.examples), world)
    for done, index in enumerate(indices):
        example = data.examples[index]
        image, target = data.image(index), data.labels(index)
        require_same_size(example, target.shape, image.shape[:2])
        probabilities = predict_probabilities(net, image, protocol, device)
        if crf is not None:
            probabilities = dense_crf(probabilities, torch.tensor(as_colors(image)), crf)
        labels = labels_of(probabilities)
        one_matrix = confusion_matrix(target, labels, classes)
        matrix += one_matrix
        if one_matrix.any():
            each.append((index, mean_iou(one_matrix)))
        if boundaries:
            one = boundary_counts(target, labels, classes)
            counts = one if counts is None else counts + one
        if progress is not None:
            progress(done + 1, len(indices))
    return Scores(matrix, counts, len(indices), protocol, tuple(each))
