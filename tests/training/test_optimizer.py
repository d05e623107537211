import pytest
import torch
from torch import nn

from saccade.models.segmentation import SegmentationConfig, SegmentationNet
from saccade.training.optim_config import OptimConfig
from saccade.training.optimizer import (
    drop_factor,
    make_optimizer,
    poly_factor,
    set_rates,
    update_average,
)


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


@pytest.mark.parametrize(
    ("backbone", "first", "last"),
    [
        ("mobilenet_v2", "features.0.", "features.17."),
        ("timm:resnet10t", "net.conv1.", "layer4.0."),
        ("timm:convnext_atto", "stem_", "stages_3.blocks.1."),
    ],
)
def test_rates_fall_from_block_to_block_as_timms(backbone, first, last):
    if backbone.startswith("timm:"):
        pytest.importorskip("timm", reason="the extra timm is not installed")
    stride = 32 if "convnext" in backbone else 16
    net = SegmentationNet(
        SegmentationConfig(3, backbone=backbone, output_stride=stride, width=8, pyramid="none")
    )
    optimizer = make_optimizer(net, OptimConfig(lr=1.0, layer_decay=0.5, head_lr=3.0))
    names = {id(p): name for name, p in net.named_parameters()}
    rates = {names[id(p)]: g["lr"] for g in optimizer.param_groups for p in g["params"]}
    assert len(rates) == len(names)
    inside = {n: rate for n, rate in rates.items() if n.startswith("backbone.")}
    assert {rate for n, rate in rates.items() if n not in inside} == {3.0}
    assert {rate for n, rate in inside.items() if f".{last}" in n} == {0.5}
    assert {rate for n, rate in inside.items() if f".{first}" in n} == {min(inside.values())}
    blocks = len(set(inside.values()))
    assert min(inside.values()) == 0.5**blocks  # every block has a rate of its own
    values = list(inside.values())
    assert values == sorted(values)
    set_rates(optimizer, 0.1, 0.5)
    assert all(g["lr"] / g["full"] == pytest.approx(0.05) for g in optimizer.param_groups)


def test_one_rate_for_all_layers_has_the_groups_of_before():
    net = SegmentationNet(SegmentationConfig(3, width=8, pyramid="none"))
    groups = make_optimizer(net, OptimConfig()).param_groups
    assert [group["full"] for group in groups] == [1.0, 10.0]


def test_poly_schedule_falls_to_nothing():
    assert poly_factor(0, 100, 0.9) == 1
    assert poly_factor(50, 100, 0.9) == pytest.approx(0.5**0.9)
    assert poly_factor(99, 100, 0.9) == pytest.approx(0.01**0.9)
    warm = [poly_factor(s, 100, 0.9, warmup=4) for s in range(6)]
    assert warm[0] == pytest.approx(0.2)
    assert warm == sorted(warm[:5]) + warm[5:]


def test_the_moving_average_follows_the_weights():
    net = nn.BatchNorm2d(2)
    average = {name: value.clone() for name, value in net.state_dict().items()}
    with torch.no_grad():
        net.weight.fill_(3.0)
        net.num_batches_tracked.fill_(7)
    update_average(average, net.state_dict(), 0.75)
    assert average["weight"].tolist() == [1.5, 1.5]
    assert average["num_batches_tracked"] == 7
