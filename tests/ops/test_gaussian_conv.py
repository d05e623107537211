"""Positions and convolution from a seed, on the paths without the kernel."""

import pytest
import torch
from torch import Tensor
from torch._dynamo.testing import CompileCounterWithBackend

from saccade.errors import InputError
from saccade.ops import (
    conv_positions,
    gaussian_conv2d,
    gaussian_positions,
    sampled_conv2d_reference,
    tap_directions,
)

MODES = [("nearest", "clamp"), ("floor", "zero"), ("none", "clamp"), ("none", "zero")]


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(
        shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    ).requires_grad_()


class TestPositions:
    def test_displacement_follows_the_direction_of_the_tap(self) -> None:
        positions = gaussian_positions((40, 30), 3, 5.0, seed=1, rounding="none")
        assert positions.shape == (1, 9, 2, 40, 30)
        moved = (positions - conv_positions((40, 30), 1))[0]
        for tap, direction in enumerate(tap_directions(3)):
            for axis in (0, 1):
                assert (moved[tap, axis].sign() == direction[axis]).float().mean() > 0.999

    def test_sigma_by_axis_is_the_standard_deviation_of_the_normal(self) -> None:
        positions = gaussian_positions((60, 50), 3, (2.0, 7.0), seed=1, rounding="none")
        moved = (positions - conv_positions((60, 50), 1))[0, [0, 2, 6, 8]]
        assert moved[:, 0].square().mean().sqrt().item() == pytest.approx(2, rel=0.03)
        assert moved[:, 1].square().mean().sqrt().item() == pytest.approx(7, rel=0.03)

    def test_taps_or_locations_share_draws_as_the_granularity_names(self) -> None:
        size, options = (8, 9), {"seed": 1, "rounding": "none"}
        centres = conv_positions(size, 1)
        tap = gaussian_positions(size, 3, 2.0, granularity="tap", **options) - centres
        torch.testing.assert_close(tap, tap[..., :1, :1].expand_as(tap), rtol=0, atol=1e-5)
        assert tap[0, [0, 2, 6, 8], 0, 0, 0].abs().unique().numel() == 4
        layer = gaussian_positions(size, 3, 2.0, granularity="layer", **options) - centres
        expected = layer[:, 8:, :, :1, :1] * tap_directions(3).view(1, 9, 2, 1, 1)
        torch.testing.assert_close(layer, expected.expand_as(layer), rtol=0, atol=1e-5)

    def test_the_seed_decides_the_positions(self) -> None:
        one = gaussian_positions((9, 7), 3, 2.0, seed=5)
        assert torch.equal(gaussian_positions((9, 7), 3, 2.0, seed=torch.tensor(5)), one)
        assert not torch.equal(gaussian_positions((9, 7), 3, 2.0, seed=6), one)

    def test_positions_of_a_seed_never_change(self) -> None:
        # What a seed draws is a promise to whoever wrote the seed down.
        positions = gaussian_positions((2, 2), (1, 3), 10.0, seed=2024)
        columns = [[[-4, -8], [-1, -5]], [[0, 1], [0, 1]], [[2, 9], [2, 6]]]
        assert positions[0, :, 1].long().tolist() == columns

    def test_sigma_zero_stays_at_the_center(self) -> None:
        positions = gaussian_positions((4, 5), 3, 0.0, seed=1)
        assert torch.equal(positions, conv_positions((4, 5), 1).expand_as(positions))


class TestConvolution:
    @pytest.mark.parametrize("backend", ["auto", "chunked", "traced", "reference"])
    @pytest.mark.parametrize(("rounding", "border"), MODES)
    def test_is_the_reference_at_the_positions(
        self, backend: str, rounding: str, border: str
    ) -> None:
        x, weight, bias = draw(2, 4, 6, 7), draw(6, 2, 3, 2, seed=1), draw(6, seed=2)
        options = {"rounding": rounding, "seed": 3}
        actual = gaussian_conv2d(
            x, weight, bias, sigma=(2.0, 3.0), border=border, groups=2, backend=backend, **options
        )
        expected = sampled_conv2d_reference(
            x,
            weight,
            bias,
            positions=gaussian_positions((6, 7), (3, 2), (2.0, 3.0), **options),
            interpolation="bilinear" if rounding == "none" else "nearest",
            border=border,
            groups=2,
        )
        torch.testing.assert_close(actual, expected)
        torch.testing.assert_close(
            torch.autograd.grad(actual.square().sum(), (x, weight, bias)),
            torch.autograd.grad(expected.square().sum(), (x, weight, bias)),
        )

    @pytest.mark.parametrize("rounding", ["nearest", "none"])
    def test_gradients_pass_gradcheck(self, rounding: str) -> None:
        def run(*arguments: Tensor) -> Tensor:
            return gaussian_conv2d(*arguments, sigma=1.5, seed=1, rounding=rounding)

        assert torch.autograd.gradcheck(run, (draw(1, 2, 3, 4), draw(2, 2, 2, 2), draw(2)))

    def test_compiles_as_one_graph_with_a_new_seed_at_each_call(self) -> None:
        x, weight = draw(1, 2, 6, 5), draw(3, 2, 3, 3)

        def run(seed: Tensor) -> Tensor:
            return gaussian_conv2d(x, weight, sigma=2.0, seed=seed)

        torch._dynamo.reset()
        counter = CompileCounterWithBackend("aot_eager")
        compiled = torch.compile(run, fullgraph=True, backend=counter)
        for seed in (torch.tensor(1), torch.tensor(2)):
            torch.testing.assert_close(compiled(seed), run(seed))
        assert counter.frame_count == 1

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"sigma": -1.0}, "sigma"),
            ({"sigma": (1.0, float("inf"))}, "sigma"),
            ({"seed": 2**64}, "seed"),
            ({"rounding": "ceil"}, "nearest, floor, none"),
            ({"granularity": "pixel"}, "location, tap, layer"),
            ({"border": "wrap"}, "clamp, zero"),
            ({"groups": 3}, "groups 3"),
            ({"input": torch.zeros(4, 6, 7)}, "input is"),
        ],
    )
    def test_errors_name_the_argument(self, change: dict[str, object], message: str) -> None:
        arguments = {"input": draw(2, 4, 6, 7), "weight": draw(6, 4, 3, 3), "sigma": 1.0, "seed": 0}
        with pytest.raises(InputError, match=message):
            gaussian_conv2d(**{**arguments, **change})
