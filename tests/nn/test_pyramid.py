import pytest
import torch
from torch.nn import functional

from saccade.errors import InputError
from saccade.nn import ASPP, GaussianDynamicPyramidPooling, VariantGaussianDynamicConv2d


def count(module):
    return sum(p.numel() for p in module.parameters())


def test_parameters_are_those_of_the_papers_table():
    assert count(ASPP(320, 256, rates=(1, 6, 12, 18))) == 3_361_792
    assert count(GaussianDynamicPyramidPooling(320, 256)) == 601_024
    assert count(ASPP(320, 256, rates=(1, 9, 18), separable=True)) == 601_024


@pytest.mark.parametrize("size", [(1, 1), (7, 9), (33, 20)])
@pytest.mark.parametrize("separable", [False, True])
@pytest.mark.parametrize("pointwise", [False, True])
def test_shapes_of_odd_maps(size, separable, pointwise):
    x = torch.rand(2, 6, *size)
    for pyramid in (
        ASPP(6, 4, separable=separable, pointwise=pointwise),
        GaussianDynamicPyramidPooling(6, 4, separable=separable, pointwise=pointwise, seed=0),
    ):
        assert pyramid(x).shape == (2, 4, *size)


def test_in_eval_mode_gdpp_is_the_separable_aspp_with_its_weights():
    torch.manual_seed(0)
    gdpp = GaussianDynamicPyramidPooling(6, 4, seed=0).eval()
    aspp = ASPP(6, 4, rates=(1, 9, 18), separable=True).eval()
    # The same parameters in the same order: only the drawn layer is of another class.
    aspp.load_state_dict(gdpp.state_dict())
    x = torch.rand(2, 6, 40, 40)
    torch.testing.assert_close(gdpp(x), aspp(x))


def test_in_training_only_the_middle_branch_changes_from_call_to_call():
    gdpp = GaussianDynamicPyramidPooling(6, 4, dropout=0.0, sigma=5.0, seed=0)
    x = torch.rand(2, 6, 40, 40)
    outputs = [[branch(x) for branch in gdpp.branches] for _ in range(6)]
    changed = [
        any(not torch.equal(outputs[0][i], other[i]) for other in outputs[1:]) for i in range(4)
    ]
    assert changed == [False, True, False, False]
    drawn = [m for m in gdpp.modules() if isinstance(m, VariantGaussianDynamicConv2d)]
    assert [(m.base, m.sigma) for m in drawn] == [(9, 5.0)]


def test_aspp_agrees_with_its_formula():
    torch.manual_seed(0)
    aspp = ASPP(3, 2, rates=(1, 2), dropout=0.0).eval()
    x = torch.rand(1, 3, 8, 9)
    parts = []
    for branch, rate in zip(aspp.branches, (1, 2), strict=False):
        y = functional.conv2d(x, branch[0].weight, padding=rate, dilation=rate)
        parts.append(torch.relu(y / (1 + 1e-5) ** 0.5))  # new running statistics: 0 and 1
    pooled = functional.conv2d(x.mean((2, 3), keepdim=True), aspp.branches[2].project[0].weight)
    parts.append(torch.relu(pooled / (1 + 1e-5) ** 0.5).expand(-1, -1, 8, 9))
    joined = functional.conv2d(torch.cat(parts, 1), aspp.project[0].weight)
    torch.testing.assert_close(aspp(x), torch.relu(joined / (1 + 1e-5) ** 0.5))


def test_gradients_reach_every_parameter():
    for pyramid in (ASPP(6, 4), GaussianDynamicPyramidPooling(6, 4, seed=0)):
        pyramid(torch.rand(2, 6, 20, 20)).square().mean().backward()
        assert all(p.grad is not None for p in pyramid.parameters())


def test_takes_the_place_of_the_pyramid_of_deeplabv3():
    from torchvision.models.segmentation import deeplabv3_mobilenet_v3_large

    net = deeplabv3_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=5)
    net.classifier[0] = GaussianDynamicPyramidPooling(960, 256)
    assert net.eval()(torch.rand(1, 3, 64, 64))["out"].shape == (1, 5, 64, 64)


def test_half_precision_and_compile():
    gdpp = GaussianDynamicPyramidPooling(6, 4, seed=0).eval()
    x = torch.rand(2, 6, 20, 20)
    with torch.autocast("cpu", torch.bfloat16):
        close = gdpp(x)
    torch.testing.assert_close(close.float(), gdpp(x), atol=0.02, rtol=0.02)
    compiled = torch.compile(gdpp, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x), gdpp(x))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rates": ()}, "rates"),
        ({"rates": (0, 2)}, "rates"),
        ({"dropout": 1.0}, "dropout"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    for kind in (ASPP, GaussianDynamicPyramidPooling):
        with pytest.raises(InputError, match=message):
            kind(4, 4, **arguments)


def test_one_image_in_training_is_refused_with_a_reason():
    with pytest.raises(InputError, match="at least 2 images"):
        ASPP(4, 4)(torch.rand(1, 4, 8, 8))
