import json
from dataclasses import replace

import pytest
import torch

from saccade.errors import InputError
from saccade.models.backbones import build_backbone
from saccade.models.segmentation import SegmentationConfig, SegmentationNet, config_from_dict

SMALL = SegmentationConfig(classes=3, width=8)


@pytest.mark.parametrize(
    "changes",
    [
        {"pyramid": "none"},
        {"pyramid": "aspp"},
        {"pyramid": "s-aspp"},
        {"pyramid": "gdpp"},
        {"pyramid": "gdpp", "separable": False, "pointwise": True, "rates": (6, 18), "base": 12},
        {"pyramid": "aspp", "context": "deformable-v2"},
        {"pyramid": "aspp", "context": "dynamic-filter"},
        {"network": "dsnet", "low": 3, "guide": "x5"},
        {"network": "dsnet", "low": 3, "guide": "aspp"},
        {"network": "dsnet", "low": 4},
        {"network": "dsnet", "low": 5},
        {"network": "dsnet", "sampler": "non-local", "auxiliary": True},
    ],
)
def test_every_network_gives_scores_of_the_images_size(changes):
    net = SegmentationNet(replace(SMALL, **changes))
    scores, second = net(torch.rand(2, 3, 50, 71), auxiliary=True)
    assert scores.shape == (2, 3, 50, 71)
    assert (second is not None) == changes.get("auxiliary", False)
    assert second is None or second.shape == scores.shape
    scores.mean().backward()
    assert net.backbone.state_dict().keys() == build_backbone("mobilenet_v2").state_dict().keys()


def test_parameters_of_table_five():
    for pyramid, count in (("aspp", 3_361_792), ("s-aspp", 601_024), ("gdpp", 601_024)):
        net = SegmentationNet(SegmentationConfig(classes=21, pyramid=pyramid))
        assert sum(p.numel() for p in net.head.parameters()) == count


def test_the_configuration_survives_json():
    config = replace(SMALL, rates=(1, 12), base=5, network="dsnet")
    assert config_from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"backbone": "vgg"}, "backbone is 'vgg', must be one of mobilenet_v2"),
        ({"classes": 1}, "classes is 1"),
        ({"output_stride": 4}, "output_stride is 4"),
        ({"colour": 1}, "'colour' is no setting"),
        ({"width": 0}, "width"),
    ],
)
def test_wrong_configurations_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        config_from_dict({**SMALL.to_dict(), **changes})
