import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from saccade.errors import InputError
from saccade.models.segmentation import SegmentationConfig, SegmentationNet
from saccade.training.config import OptimConfig
from saccade.training.losses import class_weights, pixel_loss
from saccade.training.optimizer import make_optimizer, poly_factor, set_rates, update_average
from saccade.training.samples import Order, mix_seeds
from saccade.training.state import first_difference


def keys(order):
    return [key for part in order for key in part]


def test_each_epoch_sees_each_image_at_most_once_in_its_own_order():
    order = Order(10, 4, 3, seed=1)
    assert (order.steps_per_epoch, order.steps) == (2, 6)
    seen = keys(order)
    for epoch in range(3):
        indices = [i for e, i in seen if e == epoch]
        assert len(set(indices)) == 8
    assert [i for e, i in seen if e == 0] != [i for e, i in seen if e == 1]
    assert keys(Order(10, 4, 3, seed=1)) == seen != keys(Order(10, 4, 3, seed=2))


def test_a_resumed_order_is_the_rest_of_it():
    whole = list(Order(10, 4, 3, seed=1))
    assert list(Order(10, 4, 3, seed=1, start=3)) == whole[3:]


def test_processes_and_parts_share_each_batch():
    whole = list(Order(9, 8, 2, seed=1))
    shared = [list(Order(9, 8, 2, seed=1, parts=4, mine=mine)) for mine in ((0, 1), (2, 3))]
    for step, batch in enumerate(whole):
        parts = [p for mine in shared for p in mine[2 * step : 2 * step + 2]]
        assert [key for part in parts for key in part] == batch


def test_orders_that_cannot_be():
    with pytest.raises(InputError, match="fewer than a batch"):
        Order(3, 4, 1)
    with pytest.raises(InputError, match="equal parts"):
        Order(9, 4, 1, parts=3)


def test_mixed_seeds_differ():
    seeds = {mix_seeds(a, b, c) for a in range(10) for b in range(10) for c in range(10)}
    assert len(seeds) == 1000
    assert mix_seeds(1, 2) != mix_seeds(2, 1)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_loss_is_the_mean_over_labelled_pixels():
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


def test_groups_have_the_rates_of_backbone_and_head():
    net = SegmentationNet(SegmentationConfig(classes=3, width=8))
    config = OptimConfig(lr=0.5, head_lr=10.0, weight_decay=0.1, decay_norms=False)
    optimizer = make_optimizer(net, config)
    set_rates(optimizer, config.lr, 0.5)
    found = {}
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            found[id(parameter)] = (group["lr"], group["weight_decay"])
    assert len(found) == len(list(net.parameters()))
    assert found[id(net.backbone.features[0][0].weight)] == (0.25, 0.1)
    assert found[id(net.backbone.features[0][1].weight)] == (0.25, 0.0)
    assert found[id(net.classifier[2].weight)] == (2.5, 0.1)
    assert found[id(net.classifier[2].bias)] == (2.5, 0.0)


def test_poly_schedule_falls_to_nothing():
    assert poly_factor(0, 100, 0.9) == 1
    assert poly_factor(50, 100, 0.9) == pytest.approx(0.5**0.9)
    assert poly_factor(99, 100, 0.9) == pytest.approx(0.01**0.9)
    warm = [poly_factor(s, 100, 0.9, warmup=4) for s in range(6)]
    assert warm[0] == pytest.approx(0.2)
    assert warm == sorted(warm[:5]) + warm[5:]


def test_moving_average():
    net = nn.BatchNorm2d(2)
    average = {name: value.clone() for name, value in net.state_dict().items()}
    with torch.no_grad():
        net.weight.fill_(3.0)
        net.num_batches_tracked.fill_(7)
    update_average(average, net.state_dict(), 0.75)
    assert average["weight"].tolist() == [1.5, 1.5]
    assert average["num_batches_tracked"] == 7


def test_first_difference_names_the_setting():
    assert first_difference({"a": {"b": 1}, "c": 2}, {"a": {"b": 1}, "c": 2}) == ""
    assert first_difference({"a": {"b": 1}}, {"a": {"b": 2}}) == "a.b"
    assert first_difference({"a": 1}, {}) == "a"
