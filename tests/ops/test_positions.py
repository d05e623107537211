"""Directions, offsets and the positions of eq. 1."""

import math

import pytest
import torch
from scipy import stats
from torch import Tensor

from saccade.errors import InputError
from saccade.ops import (
    conv_positions,
    grid_positions,
    half_gaussian_offsets,
    map_scale,
    offset_size,
    positions_at,
    round_positions,
    tap_directions,
    truncated_gaussian_offsets,
    uniform_offsets,
)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class TestDirections:
    def test_the_set_of_equation_1(self) -> None:
        expected = [[i, j] for i in (-1, 0, 1) for j in (-1, 0, 1)]
        assert tap_directions(3).tolist() == expected

    @pytest.mark.parametrize(
        ("kernel", "rows", "columns"),
        [
            (1, [0], [0]),
            (2, [0, 1], [0, 1]),
            ((4, 1), [-1, 0, 1, 2], [0]),
            ((1, 5), [0], [-2, -1, 0, 1, 2]),
        ],
    )
    def test_directions_of_any_kernel_are_centered(
        self, kernel: int | tuple[int, int], rows: list[int], columns: list[int]
    ) -> None:
        assert tap_directions(kernel).tolist() == [[y, x] for y in rows for x in columns]

    @pytest.mark.parametrize("kernel", [0, (3, 0), (3, 3, 3)])
    def test_wrong_kernels_are_refused(self, kernel: int | tuple[int, ...]) -> None:
        with pytest.raises(InputError, match="kernel_size"):
            tap_directions(kernel)


class TestOffsets:
    @pytest.mark.parametrize("sigma", [0.1, 0.2, 3.0])
    def test_half_gaussian_offsets_have_its_distribution(self, sigma: float) -> None:
        drawn = half_gaussian_offsets((20_000,), sigma, generator=seeded(), dtype=torch.float64)
        # Three standard errors of the mean.
        margin = 3 * sigma * math.sqrt((1 - 2 / math.pi) / len(drawn))
        assert abs(drawn.mean().item() - sigma * math.sqrt(2 / math.pi)) < margin
        assert stats.kstest(drawn.numpy(), stats.halfnorm(scale=sigma).cdf).pvalue > 0.01

    def test_truncated_gaussian_offsets_have_its_distribution(self) -> None:
        drawn = truncated_gaussian_offsets(
            (20_000,), 2.0, bound=1.5, generator=seeded(), dtype=torch.float64
        )
        assert drawn.abs().max() <= 3.0
        law = stats.truncnorm(-1.5, 1.5, scale=2.0)
        assert stats.kstest(drawn.numpy(), law.cdf).pvalue > 0.01

    def test_uniform_offsets_have_their_distribution(self) -> None:
        drawn = uniform_offsets((20_000,), 0.5, 2.0, generator=seeded(), dtype=torch.float64)
        assert stats.kstest(drawn.numpy(), stats.uniform(0.5, 1.5).cdf).pvalue > 0.01

    @pytest.mark.parametrize(
        "sampler",
        [
            lambda g: half_gaussian_offsets((3, 4), 0.2, generator=g),
            lambda g: truncated_gaussian_offsets((3, 4), 0.2, generator=g),
            lambda g: uniform_offsets((3, 4), generator=g),
        ],
    )
    def test_only_the_given_generator_is_used(self, sampler) -> None:  # type: ignore[no-untyped-def]
        before = torch.random.get_rng_state()
        generator = seeded(7)
        first, second, again = sampler(generator), sampler(generator), sampler(seeded(7))
        assert torch.equal(first, again)
        assert not torch.equal(first, second)
        assert first.shape == (3, 4)
        assert first.dtype == torch.float32
        assert torch.equal(torch.random.get_rng_state(), before)

    def test_sigma_zero_gives_no_offset(self) -> None:
        assert half_gaussian_offsets((5,), 0.0, generator=seeded()).tolist() == [0] * 5
        assert truncated_gaussian_offsets((5,), 0.0, generator=seeded()).abs().sum() == 0

    @pytest.mark.parametrize("sigma", [-0.1, float("nan"), float("inf")])
    def test_wrong_sigmas_are_refused(self, sigma: float) -> None:
        with pytest.raises(InputError, match="sigma"):
            half_gaussian_offsets((5,), sigma, generator=seeded())
        with pytest.raises(InputError, match="sigma"):
            truncated_gaussian_offsets((5,), sigma, generator=seeded())

    def test_other_ranges_are_refused(self) -> None:
        with pytest.raises(InputError, match="low must not exceed high"):
            uniform_offsets((5,), 1.0, 0.0, generator=seeded())
        with pytest.raises(InputError, match="bound"):
            truncated_gaussian_offsets((5,), 1.0, bound=0.0, generator=seeded())

    @pytest.mark.parametrize(
        ("granularity", "expected"),
        [("location", (9, 2, 4, 5)), ("tap", (9, 2, 1, 1)), ("layer", (1, 2, 1, 1))],
    )
    def test_granularity_gives_the_size_of_the_offsets(
        self, granularity: str, expected: tuple[int, ...]
    ) -> None:
        assert offset_size(granularity, 9, (4, 5)) == expected

    def test_the_scale_is_the_shortest_side_or_each_axis(self) -> None:
        assert map_scale((160, 240), "shortest") == (160, 160)
        assert map_scale((240, 160), "shortest") == (160, 160)
        assert map_scale((160, 240), "axis") == (160, 240)

    def test_unknown_names_are_refused(self) -> None:
        with pytest.raises(InputError, match="location, tap, layer"):
            offset_size("pixel", 9, (4, 5))
        with pytest.raises(InputError, match="shortest, axis"):
            map_scale((4, 5), "longest")
        with pytest.raises(InputError, match="nearest, floor, none"):
            round_positions(torch.zeros(1), "ceil")


class TestGrid:
    def test_offset_one_is_the_neighborhood(self) -> None:
        positions = grid_positions((4, 5), tap_directions(3), 1.0)
        assert positions.shape == (1, 9, 2, 4, 5)
        for tap, (dy, dx) in enumerate(tap_directions(3).tolist()):
            assert positions[0, tap, :, 2, 3].tolist() == [2 + dy, 3 + dx]

    @pytest.mark.parametrize("shape", [(9, 2, 4, 5), (9, 2, 1, 1), (1, 2, 1, 1), (3, 9, 2, 4, 5)])
    def test_offsets_multiply_directions(self, shape: tuple[int, ...]) -> None:
        offsets = torch.rand(shape, generator=seeded())
        positions = grid_positions((4, 5), tap_directions(3), offsets, stride=(2, 3), origin=(1, 5))
        full = offsets.expand(3 if len(shape) == 5 else 1, 9, 2, 4, 5)
        assert positions.shape == full.shape
        for b, tap, y, x in [(-1, 0, 0, 0), (0, 5, 3, 4), (-1, 8, 2, 1)]:
            dy, dx = tap_directions(3)[tap].tolist()
            delta = full[b, tap, :, y, x]
            expected = [1 + 2 * y + dy * delta[0].item(), 5 + 3 * x + dx * delta[1].item()]
            assert positions[b, tap, :, y, x].tolist() == pytest.approx(expected)

    def test_zero_directions_stay_on_their_axis(self) -> None:
        offsets = half_gaussian_offsets((9, 2, 6, 6), 2.0, generator=seeded())
        moved = grid_positions((6, 6), tap_directions(3), offsets)
        still = grid_positions((6, 6), tap_directions(3), 0.0)
        displacement = (moved - still)[0]
        zero = tap_directions(3) == 0
        assert displacement[zero].abs().sum() == 0
        assert (displacement[~zero] != 0).all()
        signs = tap_directions(3).view(9, 2, 1, 1)
        assert (displacement * signs >= 0).all()

    def test_conv_positions_refuse_a_kernel_that_does_not_fit(self) -> None:
        with pytest.raises(InputError, match="does not fit"):
            conv_positions((4, 4), 3, dilation=2)

    def test_chosen_centers_have_the_positions_of_the_dense_grid(self) -> None:
        offsets = half_gaussian_offsets((9, 2, 6, 7), 2.0, generator=seeded())
        dense = grid_positions((6, 7), tap_directions(3), offsets)
        centres = torch.tensor([[0, 0], [5, 6], [2, 3], [2, 3]])
        y, x = centres.unbind(1)
        chosen = offsets[:, :, y, x].permute(2, 0, 1)  # (P, T, 2)
        sparse = positions_at(centres, tap_directions(3), chosen)
        assert sparse.shape == (1, 9, 2, 4, 1)
        assert torch.equal(sparse[..., 0], dense[..., y, x])

    def test_no_centers_give_no_positions(self) -> None:
        empty = positions_at(torch.zeros(0, 2), tap_directions(3), torch.zeros(0, 9, 2))
        assert empty.shape == (1, 9, 2, 0, 1)

    @pytest.mark.parametrize("centres", [torch.zeros(4), torch.zeros(2, 3)])
    def test_other_centers_are_refused(self, centres: Tensor) -> None:
        with pytest.raises(InputError, match=r"must be \(P, 2\)"):
            positions_at(centres, tap_directions(3), 1.0)


class TestRounding:
    def test_values_are_rounded_as_named(self) -> None:
        values = torch.tensor([-1.5, -0.6, -0.5, 0.4, 0.5, 1.5, 2.5])
        assert round_positions(values, "nearest").tolist() == [-1, -1, 0, 0, 1, 2, 3]
        assert round_positions(values, "floor").tolist() == [-2, -1, -1, 0, 0, 1, 2]
        assert round_positions(values, "none") is values

    def test_floor_is_biased_up_and_left(self) -> None:
        offsets = half_gaussian_offsets((9, 2, 40, 40), 3.0, generator=seeded())
        positions = grid_positions((40, 40), tap_directions(3), offsets)
        corners = positions[:, [0, 2, 6, 8]]
        nearest = round_positions(corners, "nearest") - corners
        floor = round_positions(corners, "floor") - corners
        assert nearest.mean().abs() < 0.02
        assert floor.mean().item() == pytest.approx(-0.5, abs=0.02)
