import pytest
import torch
from torch import nn
from torch.nn import functional
from torchvision.ops import deform_conv2d as torchvision_deform

from saccade.errors import InputError
from saccade.nn import (
    ContextGuidedDynamicSampling,
    DeformConv2dV2,
    DynamicFilter,
    DynamicSamplingConv2d,
)
from saccade.nn.dynamic_filter import filtered_by_shifts, pooled_by_matrices


@pytest.mark.parametrize("size", [(1, 1), (5, 8), (9, 7)])
@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_without_offsets_it_is_the_convolution(size, kernel):
    layer = DynamicSamplingConv2d(4, 6, kernel)
    x = torch.rand(2, 4, *size)
    offsets = torch.zeros(2, 2 * kernel * kernel, *size)
    expected = functional.conv2d(x, layer.weight, layer.bias, padding=kernel // 2)
    torch.testing.assert_close(layer(x, offsets), expected)


def test_given_points_agree_with_torchvision():
    torch.manual_seed(0)
    layer = DynamicSamplingConv2d(4, 6).double()
    x, offsets = torch.rand(2, 4, 7, 8).double(), 2 * torch.randn(2, 18, 7, 8).double()
    expected = torchvision_deform(x, offsets, layer.weight, layer.bias, padding=1)
    torch.testing.assert_close(layer(x, offsets), expected)


def test_gradients_of_points_and_pixels():
    layer = DynamicSamplingConv2d(2, 2).double()
    x = torch.rand(1, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    offsets = torch.full((1, 18, 4, 4), 0.3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, (x, offsets))


@pytest.mark.parametrize("sampler", ["conv", "non-local"])
def test_a_new_module_samples_the_regular_grid(sampler):
    cgds = ContextGuidedDynamicSampling(4, 6, sampler=sampler).eval()
    low, high = torch.rand(2, 4, 9, 8), torch.rand(2, 6, 5, 4)
    assert cgds.offsets(low, high).shape == (2, 18, 9, 8)
    assert cgds.offsets(low, high).abs().max() == 0
    expected = functional.conv2d(low, cgds.conv.weight, padding=1) / (1 + 1e-5) ** 0.5
    torch.testing.assert_close(cgds(low, high), expected.relu())


@pytest.mark.parametrize("sampler", ["conv", "non-local"])
def test_the_context_moves_the_samples_and_learns_from_them(sampler):
    torch.manual_seed(0)
    cgds = ContextGuidedDynamicSampling(4, 6, sampler=sampler)
    nn.init.normal_(cgds.sampling.predict.weight, std=0.3)
    low, high = torch.rand(2, 4, 9, 8), torch.rand(2, 6, 5, 4, requires_grad=True)
    other = torch.rand(2, 6, 5, 4)
    assert not torch.allclose(cgds(low, high), cgds(low, other))
    cgds(low, high).square().mean().backward()
    assert high.grad.abs().sum() > 0
    assert all(p.grad is not None for p in cgds.parameters())


def test_non_local_sampling_sees_the_whole_context():
    torch.manual_seed(0)
    cgds = ContextGuidedDynamicSampling(2, 3, sampler="non-local").eval()
    nn.init.normal_(cgds.sampling.predict.weight, std=0.3)
    low, high = torch.rand(1, 2, 12, 12), torch.rand(1, 3, 12, 12)
    far = high.clone()
    far[..., -1, -1] += 1
    moved = (cgds.offsets(low, far) - cgds.offsets(low, high)).abs().amax((0, 1))
    assert moved[0, 0] > 0  # a 3x3 convolution alone would see two pixels


def test_deform_v2_has_offsets_and_masks_of_its_own():
    layer = DeformConv2dV2(4, 6, bias=False)
    assert layer.predictor.out_channels == 27
    x = torch.rand(1, 4, 6, 7)
    # The masks start at sigmoid(0).
    torch.testing.assert_close(layer(x), 0.5 * functional.conv2d(x, layer.weight, padding=1))


def test_dynamic_filter_has_a_kernel_for_every_image():
    torch.manual_seed(0)
    layer = DynamicFilter(3).eval()
    x = torch.rand(2, 3, 7, 9)
    kernels = layer.kernels(x)
    assert kernels.shape == (2, 3, 3, 3)
    each = [
        functional.conv2d(x[i : i + 1], kernels[i][:, None], padding=1, groups=3) for i in (0, 1)
    ]
    torch.testing.assert_close(layer(x), (torch.cat(each) / (1 + 1e-5) ** 0.5).relu())


@pytest.mark.parametrize("size", [(3, 3), (7, 10), (2, 13)])
def test_pooling_by_matrices_is_adaptive_pooling(size):
    x = torch.randn(2, 4, *size, dtype=torch.float64)
    torch.testing.assert_close(pooled_by_matrices(x, 3), functional.adaptive_avg_pool2d(x, 3))


def test_wrong_arguments_are_refused():
    for kind in (DynamicSamplingConv2d, DynamicFilter):
        with pytest.raises(InputError, match="odd"):
            kind(*(4, 4)[: 2 - (kind is DynamicFilter)], kernel_size=2)
    with pytest.raises(InputError, match="sampler"):
        ContextGuidedDynamicSampling(4, 4, sampler="learned")
    with pytest.raises(InputError, match="2 images and high 1"):
        ContextGuidedDynamicSampling(4, 4)(torch.rand(2, 4, 5, 5), torch.rand(1, 4, 5, 5))


@pytest.mark.parametrize("size", [1, 3, 5])
def test_filtering_by_shifts_is_a_convolution_of_each_channel(size):
    x, kernels = torch.rand(2, 4, 7, 9), torch.rand(2, 4, size, size)
    found = filtered_by_shifts(x, kernels)
    for image in range(2):
        expected = functional.conv2d(
            x[image : image + 1], kernels[image][:, None], padding=size // 2, groups=4
        )
        torch.testing.assert_close(found[image : image + 1], expected)
