import pytest
import torch

from saccade.models.segmentation import SegmentationConfig, SegmentationNet
from saccade.training.config import OptimConfig
from saccade.training.optimizer import drop_factor, make_optimizer


def test_a_tenth_after_each_share_of_the_run():
    factors = [drop_factor(step, 9, 1 / 3) for step in range(9)]
    assert factors == pytest.approx([1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01])
    assert drop_factor(9, 15, 0.6) == pytest.approx(0.1)
    assert drop_factor(8, 15, 0.6) == 1


def test_largefovs_rates_are_those_of_its_recipe():
    net = SegmentationNet(SegmentationConfig(3, "largefov", "vgg16", pyramid="none"))
    config = OptimConfig(lr=0.001, head_lr=10.0, bias_lr=2.0, decay_norms=False, weight_decay=5e-4)
    rates = {
        id(p): (group["lr"], group["weight_decay"])
        for group in make_optimizer(net, config).param_groups
        for p in group["params"]
    }
    conv, fc6, fc8 = net.backbone.features.conv1_1, net.head.fc6, net.classifier
    assert rates[id(conv.weight)] == pytest.approx((0.001, 5e-4))
    assert rates[id(conv.bias)] == pytest.approx((0.002, 0))
    assert rates[id(fc6.weight)] == pytest.approx((0.001, 5e-4))
    assert rates[id(fc8.weight)] == pytest.approx((0.01, 5e-4))
    assert rates[id(fc8.bias)] == pytest.approx((0.02, 0))
    assert isinstance(fc8, torch.nn.Conv2d)
