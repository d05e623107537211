"""One suite for all networks.

Any size, any number of channels, training, the same answer after saving, compiling and exporting,
and the answers of before: `pairs.json` has them for weights that depend on the layers' names alone.
A change that is meant to alter answers writes it anew: `SACCADE_GOLDEN=write pytest` of this file.
"""

import json
import os
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch

from saccade.data.specs import LabelSpec
from saccade.errors import InputError
from saccade.formats.onnx import export_onnx
from saccade.models.checkpoint import load_checkpoint, save_checkpoint
from saccade.models.pretrained import load_backbone
from saccade.models.segmentation import SegmentationConfig, SegmentationNet
from saccade.training.config import config_of
from saccade.training.loop import train

timm = pytest.importorskip("timm", reason="the extra timm is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")

HEADS = {
    "none": {"pyramid": "none"},
    "aspp": {"pyramid": "aspp"},
    "s-aspp": {"pyramid": "s-aspp"},
    "gdpp": {"pyramid": "gdpp"},
    "dsnet": {"network": "dsnet"},
    "unet": {"network": "unet"},
    "fpn": {"network": "fpn"},
    "deeplabv3plus": {"network": "deeplabv3plus"},
    "segformer": {"network": "segformer"},
}
PAIRS = [
    *(("mobilenet_v2", head) for head in HEADS),
    *(("timm:resnet10t", head) for head in ("none", "gdpp", "dsnet", "unet", "fpn")),
    *(("timm:mobilenetv3_small_050", head) for head in ("s-aspp", "gdpp", "segformer")),
    ("timm:efficientnet_lite0", "dsnet"),
    ("timm:convnext_atto", "gdpp"),
    ("timm:convnext_atto", "dsnet"),
]


GOLDEN = Path(__file__).with_name("pairs.json")
TOLERANCE = 2e-3
IDS = [f"{backbone}-{head}" for backbone, head in PAIRS]
EXPORTED = [*PAIRS[:3], ("timm:resnet10t", "none")]
"""All take minutes: with SACCADE_ALL_PAIRS=1. Tests of formats export other heads."""
if os.environ.get("SACCADE_ALL_PAIRS"):
    EXPORTED = PAIRS


def config_for(backbone, head, **more):
    if HEADS[head].get("network") in ("unet", "fpn", "deeplabv3plus", "segformer"):
        pytest.importorskip("segmentation_models_pytorch", reason="the extra smp is missing")
    return SegmentationConfig(3, backbone=backbone, width=16, **HEADS[head], **more)


@pytest.mark.parametrize(("backbone", "head"), PAIRS, ids=IDS)
def test_a_network_takes_any_size_learns_and_is_kept(backbone, head, tmp_path):
    net = SegmentationNet(config_for(backbone, head))
    images = torch.rand(2, 3, 70, 101, generator=torch.Generator().manual_seed(0))
    scores, _ = net.train()(images, auxiliary=True)
    assert scores.shape == (2, 3, 70, 101)
    scores.square().mean().backward()
    gradients = [p.grad for p in net.parameters() if p.grad is not None]
    assert len(gradients) > len(list(net.parameters())) // 2
    assert all(torch.isfinite(g).all() for g in gradients)
    with torch.no_grad():
        before = net.eval()(images[:1])
    spec = LabelSpec(("a", "b", "c"))
    save_checkpoint(tmp_path / "a.safetensors", net.config, net.state_dict(), spec, {})
    found = load_checkpoint(tmp_path / "a.safetensors").net
    with torch.no_grad():
        assert torch.equal(found(images[:1]), before)
    assert {name.split(".")[0] for name in net.of_classes} == {"classifier"}
    state = net.state_dict()
    assert all(state[name].shape[0] == 3 for name in net.of_classes)


@pytest.mark.parametrize("channels", [1, 5])
@pytest.mark.parametrize(("backbone", "head"), PAIRS, ids=IDS)
def test_a_network_takes_any_channels_and_sizes(backbone, head, channels):
    net = SegmentationNet(config_for(backbone, head, in_channels=channels)).eval()
    assert net.mean.shape == net.std.shape == (1, channels, 1, 1)
    with torch.no_grad():
        for size in ((33, 47), (64, 96)):
            scores = net(torch.rand(1, channels, *size))
            assert scores.shape == (1, 3, *size)
            assert torch.isfinite(scores).all()
        with pytest.raises(RuntimeError):
            net(torch.rand(1, 3, 64, 96))


@torch.no_grad()
def fill(net):
    """Weights that depend on the names and shapes of the layers, and on no generator of PyTorch."""
    for name, value in net.state_dict().items():
        if not value.is_floating_point():
            continue
        drawn = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(value.shape)
        if value.ndim > 1:
            drawn = drawn * (2 / max(1, value[0].numel())) ** 0.5
        elif name.endswith("running_var"):
            drawn = 1 + 0.1 * np.abs(drawn)
        else:
            drawn = 0.1 * drawn + name.endswith("weight")
        value.copy_(torch.from_numpy(drawn))
    return net.eval()


@pytest.mark.parametrize(("backbone", "head"), PAIRS, ids=IDS)
def test_the_answer_is_that_of_before(backbone, head):
    net = fill(SegmentationNet(config_for(backbone, head)))
    image = torch.from_numpy(np.random.default_rng(0).random((1, 3, 40, 56), np.float32))
    with torch.no_grad():
        scores = net(image)[0]
    chosen = scores.flatten()[:: scores.numel() // 8][:8]
    found = (chosen / scores.abs().max()).tolist()
    known = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    name = f"{backbone}-{head}"
    if os.environ.get("SACCADE_GOLDEN") == "write":
        known[name] = [round(value, 6) for value in found]
        lines = [f" {json.dumps(key)}: {json.dumps(known[key])}" for key in sorted(known)]
        GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    assert found == pytest.approx(known[name], abs=TOLERANCE)


@pytest.mark.slow
@pytest.mark.parametrize(("backbone", "head"), PAIRS, ids=IDS)
def test_a_compiled_network_gives_the_same_answer(backbone, head):
    net = fill(SegmentationNet(config_for(backbone, head, in_channels=5)))
    images = torch.rand(1, 5, 64, 96, generator=torch.Generator().manual_seed(0))
    torch._dynamo.reset()
    with torch.no_grad():
        before = net(images)
        found = torch.compile(net, backend="eager", dynamic=False)(images)
    assert torch.allclose(found, before, rtol=1e-4, atol=1e-4 * float(before.abs().max()))


@pytest.mark.slow
@pytest.mark.parametrize(("backbone", "head"), EXPORTED)
def test_an_exported_network_gives_the_same_answer(backbone, head, tmp_path):
    pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    torch.manual_seed(0)
    net = SegmentationNet(config_for(backbone, head, in_channels=5)).eval()
    images = torch.rand(1, 5, 64, 96, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        program = torch.export.export(net, (images,))
        assert torch.allclose(program.module()(images), net(images), atol=1e-5)
    path = tmp_path / "net.onnx"
    dynamic = backbone.startswith("timm:")  # for images of any size, which takes longer
    assert export_onnx(net, path, (64, 96), channels=5, dynamic=dynamic).difference < 1e-4
    assert path.is_file()


@pytest.mark.parametrize(
    ("backbone", "stride", "words"),
    [
        ("timm:no_such_net", 16, "timm has no such network"),
        ("timm:swin_tiny_patch4_window7_224", 16, "output stride of 32 alone"),
        ("timm:swin_tiny_patch4_window7_224", 32, "takes no image of 64 x 96"),
        ("timm:vit_tiny_patch16_224", 32, "maps of strides 16, expected 4, 8, 16 and 32"),
        ("resnet18", 16, "or timm:NAME"),
    ],
)
def test_what_no_network_can_be_built_on_is_refused(backbone, stride, words):
    with pytest.raises(InputError, match=words):
        SegmentationNet(SegmentationConfig(3, backbone=backbone, output_stride=stride))


def test_weights_of_timm_are_loaded_and_others_refused(tmp_path):
    source = timm.create_model("resnet10t", pretrained=False)
    torch.save(source.state_dict(), tmp_path / "a.pth")
    for head in ("gdpp", "unet"):
        net = SegmentationNet(config_for("timm:resnet10t", head))
        load_backbone(net, "timm:resnet10t", str(tmp_path / "a.pth"))
        own = net.backbone.state_dict()
        name = next(n for n in own if n.endswith("layer1.0.conv1.weight"))
        assert torch.equal(own[name], source.state_dict()["layer1.0.conv1.weight"])
    torch.save({"x": torch.zeros(2)}, tmp_path / "b.pth")
    with pytest.raises(InputError, match=r"b\.pth: no weights of timm's resnet10t"):
        load_backbone(net, "timm:resnet10t", str(tmp_path / "b.pth"))


@pytest.mark.parametrize(
    "network",
    [
        {"pyramid": "gdpp"},
        {"network": "dsnet", "backbone": "timm:mobilenetv3_small_050"},
        {"backbone": "timm:resnet10t", "pyramid": "none"},
        {"network": "unet", "backbone": "timm:resnet10t"},
    ],
    ids=["gdpp", "dsnet", "timm", "unet"],
)
def test_a_run_that_was_stopped_ends_with_the_same_weights(network, settings, tmp_path):
    if network.get("network") == "unet":
        pytest.importorskip("segmentation_models_pytorch", reason="the extra smp is missing")
    config = config_of({**settings, "network": {"width": 8, **network}}, Path("."))

    def stop(done, total, text):
        if done == 2 and text.startswith("epoch"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "parts", report=stop)
    for name in ("parts", "whole"):
        assert train(config, tmp_path / name).step == 4
    one, other = (
        load_checkpoint(tmp_path / name / "last.safetensors").net.state_dict()
        for name in ("parts", "whole")
    )
    assert all(torch.equal(value, other[name]) for name, value in one.items())


@pytest.fixture
def settings(tmp_path):
    """A configuration on a tiny set."""
    from tests.training.conftest import write_set

    root = write_set(tmp_path / "data")
    return {
        "data": {"layout": "folder", "root": str(root)},
        "optim": {"epochs": 2, "batch": 4, "lr": 0.01},
        "augmentation": {"crop": [32, 40]},
        "run": {"device": "cpu", "pictures": 0, "save_every": 1},
    }
