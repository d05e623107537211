"""A frozen backbone: nothing of it changes, its maps are computed once, the run is the same."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from saccade.models.segmentation import SegmentationConfig, SegmentationNet
from saccade.training.config import config_of
from saccade.training.frozen import MapMemory, freeze
from saccade.training.loop import train
from tests.training.helpers import changed

pytestmark = pytest.mark.filterwarnings("ignore")


def counted(net):
    """How many pictures the backbone computes, from now on."""
    seen = []
    compute = net.backbone.forward
    net.backbone.forward = lambda x: (seen.append(len(x)), compute(x))[1]
    return seen


def test_maps_are_those_of_the_backbone_and_are_computed_once():
    torch.manual_seed(0)
    net = SegmentationNet(SegmentationConfig(3, width=8))
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        expected = net.eval().backbone(images)
    seen = counted(net)
    freeze(net, MapMemory())
    net.train()
    for _ in range(3):
        found = net.backbone(images.flip(0))
    assert seen == [1, 1]
    for stage, maps in expected.items():
        torch.testing.assert_close(found[stage], maps.flip(0), rtol=1e-4, atol=1e-5)
    assert not any(parameter.requires_grad for parameter in net.backbone.parameters())


def test_networks_with_the_same_backbone_share_maps_and_others_do_not():
    torch.manual_seed(0)
    memory, images = MapMemory(), torch.rand(1, 3, 64, 64)
    first, other = (SegmentationNet(SegmentationConfig(3, width=8)) for _ in range(2))
    twin = SegmentationNet(SegmentationConfig(5, "dsnet", width=8))
    twin.backbone.load_state_dict(first.backbone.state_dict())
    fine = SegmentationNet(SegmentationConfig(3, width=8, output_stride=8))
    fine.backbone.load_state_dict(first.backbone.state_dict())
    counts = []
    for net in (first, twin, other, fine):
        seen = counted(net)
        freeze(net, memory)
        net.backbone(images)
        counts.append(len(seen))
    assert counts == [1, 0, 1, 1]


def test_a_full_memory_changes_nothing_but_time():
    net = SegmentationNet(SegmentationConfig(3, width=8))
    seen, memory = counted(net), MapMemory(limit=100)
    freeze(net, memory)
    images = torch.rand(1, 3, 64, 64)
    first, second = net.backbone(images), net.backbone(images)
    assert memory.size == 0
    assert seen == [1, 1]
    assert all(torch.equal(first[stage], second[stage]) for stage in first)


def test_a_run_leaves_the_backbone_as_it_was_and_trains_the_rest(settings, tmp_path):
    content = changed(
        settings,
        optim={"epochs": 2, "batch": 2, "freeze": True},
        augmentation={"crop": [48, 64], "scale": [1, 1]},
    )
    weights = [{}, {}]
    for number, epochs in enumerate((1, 2)):
        config = config_of(changed(content, optim={"epochs": epochs}), Path("."))
        train(config, tmp_path / f"{number}")
        weights[number] = load_file(tmp_path / f"{number}" / "last.safetensors")
    of_backbone = [name for name in weights[0] if name.startswith("backbone.")]
    assert of_backbone
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in of_backbone)
    rest = [name for name in weights[0] if name.endswith(".weight") and name not in of_backbone]
    assert all(not torch.equal(weights[0][name], weights[1][name]) for name in rest)
