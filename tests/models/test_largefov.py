import pytest
import torch
from torch import nn

from saccade.errors import InputError
from saccade.models.pretrained import load_backbone
from saccade.models.segmentation import SegmentationConfig, SegmentationNet

VGG_CONVOLUTIONS = 14_714_688


def count(module):
    return sum(p.numel() for p in module.parameters())


def new_largefov(classes):
    config = SegmentationConfig(classes, "largefov", "vgg16", pyramid="none")
    return SegmentationNet(config).eval()


@pytest.fixture(scope="module")
def largefov():
    torch.manual_seed(0)
    return new_largefov(21)


def test_largefov_has_the_parameters_of_its_layer_table(largefov):
    fc6, fc7, fc8 = 3 * 3 * 512 * 1024 + 1024, 1024 * 1024 + 1024, 1024 * 21 + 21
    assert count(largefov.backbone.features) == VGG_CONVOLUTIONS
    assert count(largefov) == VGG_CONVOLUTIONS + fc6 + fc7 + fc8 == 20_505_429


def test_largefov_layer_by_layer(largefov):
    x, found = torch.zeros(1, 3, 321, 321), {}
    for name, layer in largefov.backbone.features.named_children():
        x = layer(x)
        found[name] = (x.shape[1], x.shape[2])
        if isinstance(layer, nn.Conv2d):
            assert layer.bias is not None
            assert layer.dilation == ((2, 2) if name.startswith("conv5") else (1, 1))
        if isinstance(layer, nn.MaxPool2d | nn.AvgPool2d):
            assert (layer.kernel_size, layer.padding) == (3, 1)
    expected = {"pool1": (64, 161), "pool2": (128, 81), "pool3": (256, 41), "pool4": (512, 41)}
    assert {name: found[name] for name in expected} == expected
    assert found["pool5"] == found["pool5a"] == (512, 41)
    assert (largefov.head.fc6.dilation, largefov.head.fc6.padding) == ((12, 12), (12, 12))
    with torch.no_grad():
        assert largefov(torch.zeros(1, 3, 65, 81), auxiliary=True)[0].shape == (1, 21, 9, 11)
        assert largefov(torch.zeros(1, 3, 65, 81)).shape == (1, 21, 65, 81)


@pytest.mark.slow
def test_receptive_field_of_largefov_is_measured_by_gradients():
    net = new_largefov(2)
    for module in net.modules():  # every path open: positive weights, no ReLU that closes
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 0.01)
            nn.init.constant_(module.bias, 0.1)
    layers = net.backbone.features
    net.backbone.features = nn.Sequential(
        *[nn.AvgPool2d(3, m.stride, 1) if isinstance(m, nn.MaxPool2d) else m for m in layers]
    )
    image = torch.rand(1, 3, 521, 521, requires_grad=True)
    scores, _ = net(image, auxiliary=True)
    scores[0, 0, 33, 33].backward()
    seen = image.grad.abs().sum((0, 1, 2)).nonzero().flatten()
    # By the table: each layer adds (kernel - 1) * dilation * stride so far.
    stride, field = 1, 1
    for group, convs in enumerate((2, 2, 3, 3, 3)):
        field += convs * 2 * (2 if group == 4 else 1) * stride
        field += 2 * stride
        stride *= 2 if group < 3 else 1
    field += 2 * stride + 2 * 12 * stride  # average pooling, fc6
    assert (stride, len(seen)) == (8, field)


def test_largefov_starts_from_torchvisions_vgg16(largefov, tmp_path):
    from torchvision.models import vgg16

    torch.manual_seed(1)
    theirs = vgg16(weights=None)
    weights = theirs.state_dict()
    torch.save(weights, tmp_path / "vgg16.pth")
    load_backbone(largefov, "vgg16", str(tmp_path / "vgg16.pth"))
    assert torch.equal(largefov.backbone.features.conv5_3.weight, weights["features.28.weight"])
    full = weights["classifier.0.weight"].view(4096, 512, 7, 7)
    assert torch.equal(largefov.head.fc6.weight[3], full[12, :, ::3, ::3])
    assert torch.equal(largefov.head.fc7.weight[5, 2, 0, 0], weights["classifier.3.weight"][20, 8])
    torch.save({"features.0.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(InputError, match="no weights of torchvision's vgg16"):
        load_backbone(largefov, "vgg16", str(tmp_path / "other.pth"))


def test_one_class_is_refused():
    with pytest.raises(InputError, match="classes"):
        new_largefov(1)
