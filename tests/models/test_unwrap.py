"""Weights are read however a training script has wrapped them."""

from argparse import Namespace

import pytest
import torch
from torch import nn

from saccade.errors import InputError
from saccade.models.mdc import LocalizerConfig, MultiDilatedNet
from saccade.models.pretrained import load_backbone
from saccade.models.segmentation import SegmentationConfig, SegmentationNet
from saccade.models.unwrap import as_torchvision
from saccade.models.weights import load_head

WRAPPERS = {
    "bare": lambda w: w,
    "model": lambda w: {"optimizer": {"state": {}}, "model": w, "epoch": 3},
    "state_dict": lambda w: {"epoch": 3, "state_dict": w},
    "with options": lambda w: {"model": w, "args": Namespace(lr=0.1)},
    "deep": lambda w: {"state": {"network": w}},
    "module.": lambda w: {f"module.{k}": v for k, v in w.items()},
    "backbone.": lambda w: {
        **{f"backbone.{k}": v for k, v in w.items()},
        "classifier.weight": torch.zeros(3),
    },
    "both": lambda w: {"state_dict": {f"module.backbone.{k}": v for k, v in w.items()}},
}


def network(name):
    if name == "vgg16":
        return MultiDilatedNet(LocalizerConfig(3, backbone=name))
    return SegmentationNet(SegmentationConfig(3, backbone=name, width=8))


def torchvision_weights(name):
    from torchvision import models

    if name == "vgg16":  # its classifier takes half a gigabyte
        layers = models.vgg.make_layers(models.vgg.cfgs["D"]).state_dict()
        return {f"features.{key}": value for key, value in layers.items()}
    return getattr(models, name)(num_classes=3).state_dict()


@pytest.fixture(scope="module", params=["mobilenet_v2", "resnet50", "vgg16"])
def known(request):
    """A backbone and torchvision's weights of it."""
    return request.param, torchvision_weights(request.param)


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_wrapped_backbone_is_read(known, tmp_path, wrapper):
    name, weights = known
    net = network(name)
    torch.save(WRAPPERS[wrapper](weights), tmp_path / "weights.pth")
    load_backbone(net, name, str(tmp_path / "weights.pth"))
    first = next(m for m in net.backbone.modules() if isinstance(m, nn.Conv2d))
    stored = next(v for v in weights.values() if v.ndim == 4)
    assert torch.equal(first.weight, stored)


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_wrapped_extractor_is_read(tmp_path, wrapper):
    weights = torchvision_weights("mobilenet_v2")
    torch.save(weights, tmp_path / "bare.pth")
    torch.save(WRAPPERS[wrapper](weights), tmp_path / "wrapped.pth")
    paths = (str(tmp_path / f"{name}.pth") for name in ("bare", "wrapped"))
    bare, wrapped = (load_head(path).state_dict() for path in paths)
    assert all(torch.equal(bare[name], wrapped[name]) for name in bare)


def test_weights_of_another_network_are_refused_by_name(tmp_path):
    torch.save({"model": {"module.x.weight": torch.zeros(3)}, "epoch": 3}, tmp_path / "w.pth")
    with pytest.raises(InputError, match=r"no weights for mobilenet_v2, features\S+ is missing"):
        load_backbone(network("mobilenet_v2"), "mobilenet_v2", str(tmp_path / "w.pth"))


def test_blocks_numbered_in_one_row_have_torchvisions_names():
    from torchvision.models import mobilenet_v2

    net = mobilenet_v2()
    places = {("1", "0.0"): "0", ("1", "0.1"): "1", ("1", "1"): "3", ("1", "2"): "4"}
    others = {"0.0": "0", "0.1": "1", "1.0": "3", "1.1": "4", "2": "6", "3": "7"}
    flat = {}
    for key, value in net.features.state_dict(prefix="features.").items():
        parts = key.split(".")
        if parts[2] == "conv":
            place = ".".join(parts[3:-1])
            number = places[parts[1], place] if parts[1] == "1" else others[place]
            key = ".".join([*parts[:3], number, parts[-1]])
        flat[key] = value
    assert set(as_torchvision(flat)) == {k for k in net.state_dict() if k.startswith("features.")}
    assert list(as_torchvision(net.state_dict())) == list(net.state_dict())


def test_timms_mobilenet_computes_the_same(tmp_path):
    timm = pytest.importorskip("timm")
    theirs = timm.create_model("mobilenetv2_100", num_classes=3).eval()
    torch.save({"state_dict": theirs.state_dict()}, tmp_path / "weights.pth")
    net = SegmentationNet(SegmentationConfig(3, width=8, output_stride=32)).eval()
    load_backbone(net, "mobilenet_v2", str(tmp_path / "weights.pth"))
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        ours = net.backbone(image)[5]
        expected = theirs.forward_intermediates(image, intermediates_only=True)[4]
    assert torch.allclose(ours, expected, atol=1e-5)
