import pytest
import torch

from saccade.models.backbones import build_backbone


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
