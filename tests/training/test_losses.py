import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from saccade.errors import InputError
from saccade.training.losses import class_weights, classification_loss, pixel_loss


def test_every_block_is_trained_by_itself():
    torch.manual_seed(0)
    scores, present = torch.randn(3, 4, 5), torch.randint(0, 2, (3, 5))
    each = [
        nn.functional.binary_cross_entropy_with_logits(scores[:, d], present.float())
        for d in range(4)
    ]
    torch.testing.assert_close(classification_loss(scores, present), sum(each))


def test_loss_is_the_mean_over_labeled_pixels():
    torch.manual_seed(0)
    scores, labels = torch.randn(2, 3, 4, 5), torch.randint(0, 3, (2, 4, 5))
    labels[0, :2] = 255
    weight = torch.tensor([1.0, 2.0, 0.5])
    for w in (None, weight):
        expected = functional.cross_entropy(scores, labels, w, ignore_index=255)
        torch.testing.assert_close(pixel_loss(scores, labels.to(torch.uint8), w), expected)


def test_a_crop_without_labels_costs_nothing():
    scores = torch.randn(1, 3, 4, 5, requires_grad=True)
    loss = pixel_loss(scores, torch.full((1, 4, 5), 255))
    loss.backward()
    assert loss == 0
    assert scores.grad.abs().sum() == 0


def test_class_weights_favour_the_rare():
    counts = np.array([900, 90, 10, 0])
    inverse, log = (class_weights(counts, kind) for kind in ("inverse", "log"))
    torch.testing.assert_close(inverse[:3] / inverse[0], torch.tensor([1.0, 10.0, 90.0]))
    assert log[0] < log[1] < log[2] < inverse[2]
    assert inverse[3] == log[3] == 1
    assert math.isclose(float(inverse[:3].mean()), 1, rel_tol=1e-6)
    assert class_weights(counts, "none") is None
    with pytest.raises(InputError, match="no pixel"):
        class_weights(np.zeros(3, int), "log")
