"""The variant with a random dilation: what it computes, what it draws, and when."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from saccade.errors import InputError
from saccade.nn import VariantGaussianDynamicConv2d
from saccade.ops import grid_positions, sampled_conv2d_reference, tap_directions
from tests.nn.variant_helpers import dilated, draws


def image(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


class TestForward:
    @pytest.mark.parametrize("distribution", ["half_gaussian", "truncated_normal"])
    def test_sigma_zero_is_the_dilated_convolution(self, distribution: str) -> None:
        layer = VariantGaussianDynamicConv2d(
            3, 5, sigma=0.0, base=2, distribution=distribution, seed=0
        )
        parameters = [image(2, 3, 9, 7).requires_grad_(), *layer.parameters()]
        actual, expected = layer(parameters[0]), dilated(layer, parameters[0], (2, 2))
        assert torch.equal(actual, expected)
        gradients = [torch.autograd.grad(o.square().sum(), parameters) for o in (actual, expected)]
        assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))

    def test_output_is_that_of_equation_4(self) -> None:
        layer = VariantGaussianDynamicConv2d(2, 3, sigma=3.0, base=2, seed=0)
        dy, dx = layer.draw(torch.Generator().manual_seed(4))
        assert dy != dx
        x = image(1, 2, 9, 11)
        positions = grid_positions((9, 11), tap_directions(3), torch.tensor([dy, dx]).view(2, 1, 1))
        expected = sampled_conv2d_reference(
            x, layer.weight, layer.bias, positions=positions, border="zero"
        )
        actual = layer(x, generator=torch.Generator().manual_seed(4))
        torch.testing.assert_close(actual, expected)

    def test_gradients_pass_gradcheck(self) -> None:
        layer = VariantGaussianDynamicConv2d(2, 2, base=1, seed=0).double()
        x = image(1, 2, 4, 5).double().requires_grad_()
        assert torch.autograd.gradcheck(lambda x: layer(x, dilation=(2, 1)), x)

    @pytest.mark.parametrize("groups", [2, 4])
    def test_groups_are_those_of_the_dilated_convolution(self, groups: int) -> None:
        layer = VariantGaussianDynamicConv2d(4, 8, base=2, groups=groups, bias=False, seed=0)
        assert layer.weight.shape == (8, 4 // groups, 3, 3)
        x = image(2, 4, 8, 8)
        assert torch.equal(layer(x, dilation=(3, 2)), dilated(layer, x, (3, 2)))

    @pytest.mark.parametrize("stride", [2, (1, 3)])
    def test_stride_takes_every_nth_output(self, stride: int | tuple[int, int]) -> None:
        layer = VariantGaussianDynamicConv2d(2, 3, base=2, stride=stride, seed=0)
        dense = VariantGaussianDynamicConv2d(2, 3, base=2, seed=0)
        step_y, step_x = layer.stride
        x = image(1, 2, 10, 11)
        for _ in range(5):
            torch.testing.assert_close(layer(x), dense(x)[:, :, ::step_y, ::step_x])

    @pytest.mark.parametrize("size", [(1, 1), (1, 9), (4, 1)])
    def test_maps_smaller_than_the_dilation(self, size: tuple[int, int]) -> None:
        layer = VariantGaussianDynamicConv2d(2, 3, seed=0)
        x = image(2, 2, *size)
        # At a base of 9 only the centre tap is on the map.
        torch.testing.assert_close(
            layer(x), functional.conv2d(x, layer.weight[:, :, 1:2, 1:2], layer.bias)
        )

    @pytest.mark.parametrize("kernel", [1, (1, 5), (7, 3)])
    def test_size_stays_whatever_the_odd_kernel(self, kernel: int | tuple[int, int]) -> None:
        layer = VariantGaussianDynamicConv2d(1, 1, kernel, base=2, seed=0)
        assert all(layer(image(1, 1, 6, 8)).shape == (1, 1, 6, 8) for _ in range(5))

    def test_autocast_and_channels_last(self) -> None:
        layer = VariantGaussianDynamicConv2d(4, 8, evaluation="mean", seed=0).eval()
        x = image(2, 4, 6, 8).to(memory_format=torch.channels_last)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = layer(x)
        assert out.dtype == torch.bfloat16
        assert out.is_contiguous(memory_format=torch.channels_last)


class TestDistribution:
    def test_half_gaussian_adds_to_the_base(self) -> None:
        drawn = draws(VariantGaussianDynamicConv2d(1, 1, sigma=4.0, base=9, seed=0))
        offset = drawn - 9
        assert offset.min() == 0
        assert offset.max() > 3 * 4
        # Half-Gaussian: mean 0.798 sigma, standard deviation 0.603 sigma.
        assert offset.mean(0).tolist() == pytest.approx([0.798 * 4] * 2, rel=0.06)
        assert offset.std(0).tolist() == pytest.approx([0.603 * 4] * 2, rel=0.06)
        assert torch.corrcoef(drawn.T)[0, 1].abs() < 0.08

    def test_truncated_normal_goes_both_ways_as_far_as_two_sigma(self) -> None:
        layer = VariantGaussianDynamicConv2d(
            1, 1, sigma=4.0, base=9, distribution="truncated_normal", seed=0
        )
        offset = draws(layer) - 9
        assert (offset.min(), offset.max()) == (-8, 8)
        assert offset.mean(0).abs().max() < 0.3
        # Truncated at 2 sigma, the standard deviation is 0.880 sigma.
        assert offset.std(0).tolist() == pytest.approx([0.880 * 4] * 2, rel=0.06)

    @pytest.mark.parametrize("distribution", ["half_gaussian", "truncated_normal"])
    def test_isotropic_has_equal_axes(self, distribution: str) -> None:
        layer = VariantGaussianDynamicConv2d(
            1, 1, distribution=distribution, isotropic=True, seed=0
        )
        drawn = draws(layer, 50)
        assert torch.equal(drawn[:, 0], drawn[:, 1])
        assert drawn.unique().numel() > 3

    def test_dilation_is_at_least_one(self) -> None:
        layer = VariantGaussianDynamicConv2d(
            1, 1, sigma=3.0, base=1, distribution="truncated_normal", seed=0
        )
        assert draws(layer, 200).min() == 1

    def test_every_training_step_draws(self) -> None:
        layer, twin = (VariantGaussianDynamicConv2d(2, 2, base=2, seed=0) for _ in range(2))
        x = image(1, 2, 12, 12)
        drawn = [twin.draw() for _ in range(6)]
        assert len(set(drawn)) > 3
        assert all(torch.equal(layer(x), dilated(layer, x, d)) for d in drawn)


class TestEvaluation:
    def test_base_by_default_without_a_draw(self) -> None:
        layer, twin = (VariantGaussianDynamicConv2d(2, 3, base=2, seed=0) for _ in range(2))
        x = image(1, 2, 9, 9)
        layer.eval()
        for _ in range(3):
            assert torch.equal(layer(x), dilated(layer, x, (2, 2)))
        assert layer.draw() == twin.draw()

    def test_sample_draws_as_in_training(self) -> None:
        layer, twin = (
            VariantGaussianDynamicConv2d(2, 3, base=2, evaluation="sample", seed=0)
            for _ in range(2)
        )
        x = image(1, 2, 9, 9)
        outputs = [layer.eval()(x) for _ in range(4)]
        assert all(torch.equal(out, twin.train()(x)) for out in outputs)
        assert not all(torch.equal(out, outputs[0]) for out in outputs)

    @pytest.mark.parametrize("samples", [1, 20])
    def test_the_mean_is_over_the_drawn_samples(self, samples: int) -> None:
        layer, twin = (
            VariantGaussianDynamicConv2d(
                2, 3, base=2, evaluation="mean", samples=samples, stride=2, seed=0
            )
            for _ in range(2)
        )
        x = image(1, 2, 9, 9)
        outputs = torch.stack([dilated(layer, x, twin.draw()) for _ in range(samples)])
        torch.testing.assert_close(layer.eval()(x), outputs.mean(0))

    def test_given_dilation_comes_before_every_mode(self) -> None:
        layer = VariantGaussianDynamicConv2d(2, 3, evaluation="mean", seed=0)
        x = image(1, 2, 9, 9)
        for mode in (True, False):
            assert torch.equal(layer.train(mode)(x, dilation=(1, 4)), dilated(layer, x, (1, 4)))
            assert torch.equal(layer(x, dilation=3), dilated(layer, x, (3, 3)))


class TestErrors:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"sigma": -1.0}, "sigma"),
            ({"sigma": float("nan")}, "sigma"),
            ({"base": 0}, "base"),
            ({"base": 1.5}, "base"),
            ({"samples": 0}, "samples"),
            ({"groups": 2}, "groups"),
            ({"groups": 0}, "groups"),
            ({"kernel_size": 0}, "kernel_size"),
            ({"kernel_size": (3, 2)}, "odd"),
            ({"kernel_size": (3, 3, 3)}, "kernel_size"),
            ({"stride": 0}, "stride"),
            ({"distribution": "uniform"}, "distribution"),
            ({"evaluation": "median"}, "evaluation"),
        ],
    )
    def test_wrong_options_are_refused_at_construction(
        self, options: dict[str, object], message: str
    ) -> None:
        with pytest.raises(InputError, match=message):
            VariantGaussianDynamicConv2d(3, 4, **options)

    def test_no_channels_are_refused(self) -> None:
        with pytest.raises(InputError, match="0 and 4 channels"):
            VariantGaussianDynamicConv2d(0, 4)

    @pytest.mark.parametrize(
        ("x", "message"),
        [
            (image(1, 2, 5, 5), "Cin 2"),
            (image(3, 5, 5), "B, Cin, H, W"),
            (image(1, 3, 0, 5), "at least one pixel"),
            (image(1, 3, 5, 5).double(), "float64"),
        ],
        ids=["channels", "batch", "empty", "dtype"],
    )
    def test_input_of_other_channels_is_refused(self, x: Tensor, message: str) -> None:
        with pytest.raises(InputError, match=message):
            VariantGaussianDynamicConv2d(3, 4)(x)

    def test_wrong_dilations_are_refused(self) -> None:
        with pytest.raises(InputError, match="dilation"):
            VariantGaussianDynamicConv2d(3, 4)(image(1, 3, 5, 5), dilation=(0, 1))


def test_representation_names_every_option() -> None:
    text = repr(VariantGaussianDynamicConv2d(3, 4, sigma=1.5, base=6, isotropic=True, seed=2))
    for part in ("3, 4", "sigma=1.5", "base=6", "isotropic=True", "seed=2", "'half_gaussian'"):
        assert part in text
