"""The dynamic layers: what they sample, and where their randomness comes from."""

import pytest
import torch
from torch.nn import functional

from saccade.nn import GaussianDynamicConv2d, UniformDynamicConv2d
from saccade.ops import conv_positions, positions_at, sampled_conv2d_reference, tap_directions
from tests.nn.helpers import LAYERS, Layer, displacement, image


class TestForward:
    @pytest.mark.parametrize("cls", LAYERS)
    @pytest.mark.parametrize("rounding", ["nearest", "floor", "none"])
    def test_is_the_reference_at_the_drawn_positions(self, cls: Layer, rounding: str) -> None:
        layer = cls(4, 6, groups=2, rounding=rounding, border="zero", seed=0)
        x = image(2, 4, 9, 7)
        positions = layer.draw(x, torch.Generator().manual_seed(5))
        expected = sampled_conv2d_reference(
            x,
            layer.weight,
            layer.bias,
            positions=positions,
            interpolation="bilinear" if rounding == "none" else "nearest",
            border="zero",
            groups=2,
        )
        actual = layer(x, generator=torch.Generator().manual_seed(5))
        torch.testing.assert_close(actual, expected)
        torch.testing.assert_close(layer(x, positions=positions), expected)

    def test_sigma_zero_samples_only_the_center(self) -> None:
        layer = GaussianDynamicConv2d(3, 5, sigma=0.0, seed=0)
        x = image(2, 3, 6, 8)
        pointwise = layer.weight.sum((2, 3), keepdim=True)
        torch.testing.assert_close(layer(x), functional.conv2d(x, pointwise, layer.bias))

    def test_offset_one_is_an_ordinary_convolution(self) -> None:
        layer = GaussianDynamicConv2d(3, 5, border="zero", seed=0)
        x = image(2, 3, 6, 8)
        actual = layer(x, positions=conv_positions((6, 8), 3, padding=1))
        expected = functional.conv2d(x, layer.weight, layer.bias, padding=1)
        torch.testing.assert_close(actual, expected)

    def test_chosen_centers_equal_the_dense_output_there(self) -> None:
        layer = GaussianDynamicConv2d(3, 5, seed=0)
        x = image(1, 3, 6, 8)
        positions = layer.draw(x)
        centres = torch.tensor([[0, 7], [5, 0], [3, 3]])
        y, column = centres.unbind(1)
        directions = tap_directions(3)
        moved = (positions - conv_positions((6, 8), 1))[0][:, :, y, column].permute(2, 0, 1)
        offsets = torch.where(directions != 0, moved / directions, 0)
        sparse = layer(x, positions=positions_at(centres, directions, offsets))
        torch.testing.assert_close(
            sparse[0, :, :, 0], layer(x, positions=positions)[0, :, y, column]
        )

    def test_every_parameter_gets_a_gradient(self) -> None:
        layer = GaussianDynamicConv2d(3, 4, seed=0)
        x = image(1, 3, 6, 8).requires_grad_()
        layer(x).square().mean().backward()
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in (*layer.parameters(), x))

    @pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 1)])
    def test_maps_of_one_row_or_column_are_convolved(self, size: tuple[int, int]) -> None:
        assert GaussianDynamicConv2d(2, 3, seed=0)(image(2, 2, *size)).shape == (2, 3, *size)

    def test_even_and_oblong_kernels(self) -> None:
        layer = GaussianDynamicConv2d(2, 3, (2, 5), bias=False, seed=0)
        assert layer.weight.shape == (3, 2, 2, 5)
        assert layer(image(1, 2, 6, 6)).shape == (1, 3, 6, 6)

    def test_autocast_and_channels_last(self) -> None:
        layer = GaussianDynamicConv2d(4, 8, seed=0)
        x = image(2, 4, 6, 8).to(memory_format=torch.channels_last)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = layer(x)
        assert out.dtype == torch.bfloat16
        assert out.is_contiguous(memory_format=torch.channels_last)


class TestSampling:
    def test_new_positions_at_every_call_in_training_and_evaluation(self) -> None:
        layer = GaussianDynamicConv2d(2, 2, seed=0)
        x = image(1, 2, 16, 16)
        for mode in (True, False):
            layer.train(mode)
            assert not torch.equal(layer(x), layer(x))

    def test_receptive_field_grows_with_sigma(self) -> None:
        reach = [
            displacement(GaussianDynamicConv2d(1, 1, sigma=s, seed=0), (64, 64)).abs().mean()
            for s in (0.0, 0.05, 0.1, 0.2, 0.4)
        ]
        assert reach == sorted(reach)
        # Two thirds of the tap axes move; half-Gaussian mean 0.798 sigma.
        assert reach[3].item() == pytest.approx(2 / 3 * 0.798 * 0.2 * 64, rel=0.02)

    @pytest.mark.parametrize(
        ("scale", "ratio"), [("shortest", 1.0), ("axis", 3.0)], ids=["shortest", "axis"]
    )
    def test_scale_on_an_oblong_map(self, scale: str, ratio: float) -> None:
        layer = GaussianDynamicConv2d(1, 1, scale=scale, rounding="none", seed=0)
        moved = displacement(layer, (40, 120)).abs()
        y, x = moved[[0, 2, 6, 8], 0].mean().item(), moved[[0, 2, 6, 8], 1].mean().item()
        assert y == pytest.approx(0.798 * 0.2 * 40, rel=0.03)
        assert x / y == pytest.approx(ratio, rel=0.03)

    def test_uniform_reaches_its_range_and_no_further(self) -> None:
        layer = UniformDynamicConv2d(1, 1, low=0.25, high=0.5, rounding="none", seed=0)
        moved = displacement(layer, (40, 80)).abs()[[0, 2, 6, 8]]
        assert moved.min().item() == pytest.approx(10, abs=0.1)
        assert moved.max().item() == pytest.approx(20, abs=0.1)

    def test_granularity_layer_moves_all_taps_alike(self) -> None:
        layer = GaussianDynamicConv2d(1, 1, granularity="layer", rounding="none", seed=0)
        moved = displacement(layer, (8, 9))
        delta = moved[8, :, 0, 0]  # direction (1, 1)
        expected = (delta * tap_directions(3)).view(9, 2, 1, 1).expand(9, 2, 8, 9)
        torch.testing.assert_close(moved, expected, rtol=0, atol=1e-5)
        assert delta[0] != delta[1]

    def test_granularity_tap_moves_all_locations_alike(self) -> None:
        layer = GaussianDynamicConv2d(1, 1, granularity="tap", rounding="none", seed=0)
        moved = displacement(layer, (8, 9))
        torch.testing.assert_close(moved, moved[:, :, :1, :1].expand(9, 2, 8, 9), rtol=0, atol=1e-5)
        assert len(set(moved[[0, 2, 6, 8], 0, 0, 0].abs().tolist())) == 4

    def test_granularity_location_moves_every_location_by_itself(self) -> None:
        layer = GaussianDynamicConv2d(1, 1, rounding="none", seed=0)
        assert displacement(layer, (8, 9))[0, 0].unique().numel() > 60

    @pytest.mark.parametrize("rounding", ["nearest", "floor"])
    def test_rounded_positions_are_whole(self, rounding: str) -> None:
        positions = GaussianDynamicConv2d(1, 1, rounding=rounding, seed=0).draw((8, 9))
        assert torch.equal(positions, positions.round())


class TestCompile:
    def test_fullgraph_with_given_positions(self) -> None:
        layer = GaussianDynamicConv2d(2, 3, seed=0)
        x = image(1, 2, 7, 7)
        positions = layer.draw(x)
        compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
        torch.testing.assert_close(compiled(x, positions=positions), layer(x, positions=positions))

    def test_fullgraph_with_a_seed(self) -> None:
        layer = GaussianDynamicConv2d(2, 3, seed=0)
        x, seed = image(1, 2, 7, 7), torch.tensor(5)
        compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
        torch.testing.assert_close(compiled(x, seed=seed), layer(x, seed=seed))

    def test_fullgraph_with_its_own_draw(self) -> None:
        layer, twin = (GaussianDynamicConv2d(2, 3, seed=0) for _ in range(2))
        x = image(1, 2, 7, 7)
        compiled = torch.compile(layer, backend="aot_eager")
        first, second = compiled(x), compiled(x)
        torch.testing.assert_close(first, twin(x))
        torch.testing.assert_close(second, twin(x))
        assert not torch.equal(first, second)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
class TestCuda:
    def test_generator_of_the_device(self) -> None:
        one, same = (GaussianDynamicConv2d(2, 3, seed=7).cuda() for _ in range(2))
        x = image(1, 2, 9, 9).cuda()
        torch.testing.assert_close(one(x), same(x))

    def test_draw_and_forward_agree(self) -> None:
        layer = GaussianDynamicConv2d(16, 16, seed=7).cuda()
        x = image(1, 16, 9, 9).cuda()
        generators = [torch.Generator("cuda").manual_seed(1) for _ in range(2)]
        positions = layer.draw(x, generators[0])
        torch.testing.assert_close(layer(x, generator=generators[1]), layer(x, positions=positions))

    def test_seed_gives_the_same_positions_on_every_device(self) -> None:
        layer = GaussianDynamicConv2d(16, 16, seed=7)
        x = image(1, 16, 90, 90)
        here, positions = layer(x, seed=3), layer.draw(x, seed=3)
        layer.cuda()
        assert torch.equal(layer.draw(x.cuda(), seed=3).cpu(), positions)
        torch.testing.assert_close(layer(x.cuda(), seed=3).cpu(), here)

    def test_cpu_generator_gives_the_same_positions(self) -> None:
        layer = GaussianDynamicConv2d(2, 3, seed=7)
        x = image(1, 2, 9, 9)
        here = layer(x, generator=torch.Generator().manual_seed(1))
        there = layer.cuda()(x.cuda(), generator=torch.Generator().manual_seed(1))
        torch.testing.assert_close(there.cpu(), here)
