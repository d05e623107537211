import numpy as np
import pytest
import torch

from saccade.errors import InputError
from saccade.models.backbones import build_backbone
from saccade.models.pretrained import expects, load_backbone
from saccade.models.segmentation import SegmentationConfig, SegmentationNet

SMALL = SegmentationConfig(classes=3, width=8)


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
    assert expects(str(path))["mean"] == (128 / 255,) * 3
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
