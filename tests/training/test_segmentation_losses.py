"""Losses of `saccade train`, held to segmentation_models.pytorch's and to loops over pixels."""

import math

import pytest
import torch

from saccade.errors import InputError
from saccade.training.losses import pixel_loss
from saccade.training.segmentation_losses import (
    LossConfig,
    dice_loss,
    focal_loss,
    lovasz_loss,
    ohem_loss,
    segmentation_loss,
)

SUMS = {
    "cross entropy": LossConfig(),
    "focal": LossConfig(0.0, focal=1.0),
    "ohem": LossConfig(0.0, ohem=1.0),
    "dice": LossConfig(0.0, dice=1.0),
    "lovasz": LossConfig(0.0, lovasz=1.0),
    "all": LossConfig(0.5, 0.5, 0.5, 0.5, 0.5),
}


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(2, 4, 9, 7, generator=generator)
    labels = torch.randint(0, 3, (2, 9, 7), generator=generator)  # class 3 is nowhere
    labels[0, :2] = 255
    return scores, labels


def smp_losses():
    return pytest.importorskip("segmentation_models_pytorch", reason="smp is not installed").losses


def test_dice_is_that_of_smp(batch):
    scores, labels = batch
    wanted = smp_losses().DiceLoss("multiclass", ignore_index=255)(scores, labels)
    assert dice_loss(scores, labels).item() == pytest.approx(wanted.item() * 4 / 3, rel=1e-4)


def test_lovasz_is_that_of_smp(batch):
    scores, labels = batch
    wanted = smp_losses().LovaszLoss("multiclass", ignore_index=255)(scores, labels)
    assert lovasz_loss(scores, labels).item() == pytest.approx(wanted.item(), rel=1e-4)


def test_focal_is_a_sum_over_pixels(batch):
    scores, labels = batch
    total, count = 0.0, 0
    probabilities = scores.softmax(1)
    for image, row, column in (labels != 255).nonzero().tolist():
        p = probabilities[image, labels[image, row, column], row, column].item()
        total, count = total - (1 - p) ** 2 * math.log(p), count + 1
    assert focal_loss(scores, labels).item() == pytest.approx(total / count, rel=1e-4)


@pytest.mark.parametrize(("sure", "share"), [(0.3, 0.05), (0.05, 0.5), (1.0, 1.0)])
def test_ohem_takes_the_hardest_pixels(batch, sure, share):
    scores, labels = batch
    plain = torch.nn.functional.cross_entropy(scores, labels, ignore_index=255, reduction="none")
    losses = sorted(plain[labels != 255].tolist(), reverse=True)
    hard = [one for one in losses if math.exp(-one) < sure]
    least = losses[: max(1, round(share * len(losses)))]
    taken = max(hard, least, key=len)
    found = ohem_loss(scores, labels, sure, share).item()
    assert found == pytest.approx(sum(taken) / len(taken), rel=1e-4)


@pytest.mark.parametrize("weight", [None, torch.tensor([1.0, 2.0, 3.0, 4.0])])
def test_without_their_settings_they_are_cross_entropy(batch, weight):
    scores, labels = batch
    wanted = pixel_loss(scores, labels, weight)
    torch.testing.assert_close(focal_loss(scores, labels, 0.0, weight), wanted)
    torch.testing.assert_close(ohem_loss(scores, labels, 1.0, 1.0, weight), wanted)
    assert torch.equal(segmentation_loss(scores, labels, LossConfig(), weight), wanted)


def test_a_sum_has_its_weights(batch):
    scores, labels = batch
    wanted = 0.25 * pixel_loss(scores, labels) + 2 * dice_loss(scores, labels)
    found = segmentation_loss(scores, labels, LossConfig(0.25, dice=2.0))
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("config", SUMS.values(), ids=SUMS)
def test_nothing_labelled_is_no_loss_and_no_gradient(batch, config):
    scores = batch[0].requires_grad_()
    loss = segmentation_loss(scores, torch.full((2, 9, 7), 255), config)
    loss.backward()
    assert loss.item() == 0
    assert not scores.grad.any()


@pytest.mark.parametrize("config", SUMS.values(), ids=SUMS)
def test_each_falls_as_it_is_followed(batch, config):
    scores, labels = batch[0].clone().requires_grad_(), batch[1]
    before = segmentation_loss(scores, labels, config)
    before.backward()
    assert torch.isfinite(scores.grad).all()
    step = scores.detach() - 0.5 * scores.grad
    assert segmentation_loss(step, labels, config) < before


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cross_entropy": 0.0}, "loss: one of cross_entropy, focal"),
        ({"dice": -1.0}, "loss: dice is -1.0, must not be below 0"),
        ({"ohem_share": 0.0}, "must be in "),
    ],
)
def test_settings_without_sense_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        LossConfig(**settings)
