import pytest
import torch

from saccade.errors import InputError
from saccade.models.largefov import load_vgg_convolutions
from saccade.models.mdc import LocalizerConfig, MultiDilatedNet


@pytest.mark.parametrize(("stride", "side"), [(16, 6), (8, 12)])
def test_mdc_features_are_those_of_vgg16(stride, side):
    from torchvision.models import vgg16

    torch.manual_seed(1)
    theirs = vgg16(weights=None).eval()
    net = MultiDilatedNet(LocalizerConfig(3, output_stride=stride, width=8)).eval()
    load_vgg_convolutions(net.backbone, theirs.state_dict())
    images = torch.rand(1, 3, 96, 96)
    with torch.no_grad():
        features = net.features(images)
        assert features.shape == (1, 512, side, side)
        if stride == 16:
            expected = theirs.features[:30]((images - net.mean) / net.std)
            torch.testing.assert_close(features, expected)


@pytest.mark.parametrize("backbone", ["vgg16", "mobilenet_v2"])
def test_mdc_maps_are_not_negative_and_peak_at_one(backbone):
    torch.manual_seed(0)
    net = MultiDilatedNet(LocalizerConfig(5, backbone, width=8)).eval()
    images = torch.rand(2, 3, 64, 80)
    assert net(images).shape == (2, 4, 5)
    maps = net.localization_maps(images)
    assert maps.shape == (2, 4, 5, 4, 5)
    assert maps.min() >= 0
    peaks = maps.amax((3, 4))
    assert ((peaks == 0) | ((peaks - 1).abs() < 1e-6)).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"classes": 0}, "classes"),
        ({"classes": 3, "dilations": ()}, "dilations"),
        ({"classes": 3, "output_stride": 32}, "output_stride"),
        ({"classes": 3, "backbone": "vgg"}, "backbone is 'vgg'"),
    ],
)
def test_wrong_settings_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        MultiDilatedNet(LocalizerConfig(**settings))
