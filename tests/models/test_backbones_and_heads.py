"""One suite for all networks: any size, training, and the same answer after saving."""

import pytest
import torch

from saccade.data.specs import LabelSpec
from saccade.errors import InputError
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


def config_for(backbone, head, **more):
    if HEADS[head].get("network") in ("unet", "fpn", "deeplabv3plus", "segformer"):
        pytest.importorskip("segmentation_models_pytorch", reason="the extra smp is missing")
    return SegmentationConfig(3, backbone=backbone, width=16, **HEADS[head], **more)


@pytest.mark.parametrize(("backbone", "head"), PAIRS, ids=[f"{b}-{h}" for b, h in PAIRS])
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


@pytest.mark.parametrize("network", [{"backbone": "timm:resnet10t"}, {"network": "unet"}])
def test_a_run_trains_and_goes_on(network, settings, tmp_path):
    from pathlib import Path

    from tests.training.helpers import changed

    if "network" in network:
        pytest.importorskip("segmentation_models_pytorch", reason="the extra smp is missing")
    content = {**settings, "network": {"width": 8, **network}}
    train(config_of(content, Path(".")), tmp_path / "run")
    longer = config_of(changed(content, optim={"epochs": 3}), Path("."))
    assert train(longer, tmp_path / "run").step == 6


@pytest.fixture
def settings(tmp_path):
    """A configuration on a tiny set."""
    from tests.training.conftest import write_set

    root = write_set(tmp_path / "data")
    return {
        "data": {"layout": "folder", "root": str(root)},
        "optim": {"epochs": 2, "batch": 4, "lr": 0.01},
        "augmentation": {"crop": [32, 40]},
        "run": {"device": "cpu", "pictures": 0},
    }
