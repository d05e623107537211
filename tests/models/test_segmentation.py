import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from saccade.data.specs import LabelSpec
from saccade.errors import InputError
from saccade.models.backbones import build_backbone
from saccade.models.checkpoint import load_checkpoint, save_checkpoint
from saccade.models.pretrained import expects, load_backbone
from saccade.models.segmentation import SegmentationConfig, SegmentationNet, config_from_dict

SPEC = LabelSpec(("sky", "road", "car"), ((1, 2, 3), (4, 5, 6), (7, 8, 9)), ignored=(9, 255))
SMALL = SegmentationConfig(classes=3, width=8)


@pytest.mark.parametrize("name", ["mobilenet_v2", "resnet50"])
@pytest.mark.parametrize("stride", [8, 16, 32])
def test_strides_of_the_maps(name, stride):
    backbone = build_backbone(name, stride).eval()
    with torch.no_grad():
        maps = backbone(torch.rand(1, 3, 64, 96))
    for stage, channels in backbone.channels.items():
        expected = min(stride, 2**stage)
        assert maps[stage].shape == (1, channels, 64 // expected, 96 // expected)


def test_dilated_mobilenet_has_the_rates_of_deeplab():
    backbone = build_backbone("mobilenet_v2", 8)
    rates = [m.dilation[0] for m in backbone.modules() if getattr(m, "groups", 1) > 1]
    # features[7] and features[14] lose their stride; what follows them is dilated.
    assert rates == [1] * 7 + [2] * 7 + [4] * 3


def test_dilation_keeps_the_function_at_the_places_of_the_coarse_grid():
    torch.manual_seed(0)
    fine, coarse = (build_backbone("resnet50", stride).eval() for stride in (16, 32))
    coarse.load_state_dict(fine.state_dict())
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        ours, theirs = fine(x)[4], coarse(x)[4]
    torch.testing.assert_close(ours, theirs)


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


@pytest.fixture
def checkpoint(tmp_path):
    torch.manual_seed(0)
    net = SegmentationNet(SMALL).eval()
    path = tmp_path / "net.safetensors"
    save_checkpoint(path, SMALL, net.state_dict(), SPEC, {"step": 3})
    return path, net


def test_a_checkpoint_alone_gives_the_same_network(checkpoint):
    path, net = checkpoint
    state = torch.get_rng_state()
    found = load_checkpoint(path)
    assert torch.equal(torch.get_rng_state(), state)  # global state is left alone
    assert (found.spec, found.info, found.net.config) == (SPEC, {"step": 3}, SMALL)
    x = torch.rand(1, 3, 40, 40)
    with torch.no_grad():
        torch.testing.assert_close(found.net(x), net(x), rtol=0, atol=0)
    assert not found.net.training


def test_damaged_checkpoints_are_named(checkpoint, tmp_path):
    path, net = checkpoint
    data = path.read_bytes()
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match="damaged"):
        load_checkpoint(cut)
    cut.write_bytes(b"no tensors at all")
    with pytest.raises(InputError, match="damaged"):
        load_checkpoint(cut)
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(2)}, cut)
    with pytest.raises(InputError, match="no checkpoint of Saccade"):
        load_checkpoint(cut)
    save_checkpoint(cut, replace(SMALL, width=9), net.state_dict(), SPEC, {})
    with pytest.raises(InputError, match="do not fit"):
        load_checkpoint(cut)
    with pytest.raises(InputError, match="no such file"):
        load_checkpoint(tmp_path / "nothing.safetensors")


def test_a_failed_write_leaves_the_old_checkpoint(checkpoint, monkeypatch):
    path, net = checkpoint
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("saccade.models.headers.save_file", full)
    with pytest.raises(OSError, match="No space"):
        save_checkpoint(path, SMALL, net.state_dict(), SPEC, {})
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_weights_of_torchvision_give_its_features(tmp_path):
    from torchvision.models import mobilenet_v2

    torch.manual_seed(1)
    theirs = mobilenet_v2(weights=None)
    torch.save(theirs.state_dict(), tmp_path / "mobile.pth")
    net = SegmentationNet(SMALL)
    load_backbone(net, "mobilenet_v2", str(tmp_path / "mobile.pth"))
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        expected = theirs.eval().features[:14](x)
        torch.testing.assert_close(net.backbone.eval()(x)[4], expected)


def test_imagenet_weights_are_looked_for_and_never_fetched(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(InputError) as caught:
        load_backbone(SegmentationNet(SMALL), "mobilenet_v2", "imagenet")
    assert "mobilenet_v2-7ebf99e0.pth" in str(caught.value)
    assert str(tmp_path / "hub" / "checkpoints") in str(caught.value)
    from torchvision.models import mobilenet_v2

    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    torch.save(mobilenet_v2(weights=None).state_dict(), folder / "mobilenet_v2-b0353104.pth")
    assert (
        load_backbone(SegmentationNet(SMALL), "mobilenet_v2", "imagenet").name
        == "mobilenet_v2-b0353104.pth"
    )


def test_folded_weights_keep_their_function(tmp_path):
    torch.manual_seed(2)
    net, folded = SegmentationNet(SMALL), {}
    for key, module in net.backbone.named_modules():
        if isinstance(module, torch.nn.Conv2d):
            folded[f"{key}.weight"] = module.weight.detach().clone()
            folded[f"{key}.bias"] = 0.1 * torch.randn(module.out_channels)
    path = tmp_path / "folded.npz"
    np.savez(path, **{key: value.numpy() for key, value in folded.items()})
    assert expects(str(path)) is not None
    with pytest.raises(InputError, match="need images"):
        load_backbone(net, "mobilenet_v2", str(path))
    images = torch.rand(4, 3, 64, 64)
    load_backbone(net, "mobilenet_v2", str(path), images=lambda: images)

    x = ((images - net.mean) / net.std)[:2]
    plain = build_backbone("mobilenet_v2", 16).eval()
    convs = [(k, m) for k, m in plain.named_modules() if isinstance(m, torch.nn.Conv2d)]
    norms = [m for m in plain.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    with torch.no_grad():
        for (key, conv), norm in zip(convs, norms, strict=True):
            conv.weight.copy_(folded[f"{key}.weight"])
            norm.running_var.fill_(1 - norm.eps)
            norm.bias.copy_(folded[f"{key}.bias"])
        expected = plain(x)
        # In training the batch has statistics of its own, here nearly those that were measured.
        for training, slack in ((False, 1e-3), (True, 0.1)):
            found = net.backbone.train(training)((images - net.mean) / net.std)
            for stage in expected:
                torch.testing.assert_close(
                    found[stage][:2], expected[stage], atol=slack, rtol=slack
                )


def test_weights_of_another_network_are_refused(tmp_path):
    path = tmp_path / "wrong.pth"
    torch.save({"conv1.weight": torch.zeros(1)}, path)
    with pytest.raises(InputError, match=r"no weights for mobilenet_v2, features\.0"):
        load_backbone(SegmentationNet(SMALL), "mobilenet_v2", str(path))
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match="cannot be read"):
        load_backbone(SegmentationNet(SMALL), "mobilenet_v2", str(path))
