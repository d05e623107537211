import math

import pytest
import torch

from saccade.errors import InputError
from saccade.ops.quasi import half_gaussian_quantiles, lattice_factor, lattice_uniforms


def _generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("count", [1, 2, 3, 6, 24, 50, 97, 1000])
def test_a_lattice_has_one_point_in_each_row_and_column(count):
    factor = lattice_factor(count)
    assert sorted(i * factor % count for i in range(count)) == list(range(count))


@pytest.mark.parametrize("count", [2, 5, 8, 16, 24, 30, 97])
def test_lattice_points_are_as_far_apart_as_any_factor_puts_them(count):
    def nearest(factor):
        return min(
            math.hypot(min(i, count - i), min(i * factor % count, -i * factor % count))
            for i in range(1, count)
        )

    coprime = [g for g in range(1, count) if math.gcd(g, count) == 1]
    assert nearest(lattice_factor(count)) == max(map(nearest, coprime))


@pytest.mark.parametrize("count", [1, 2, 7, 24])
def test_each_axis_of_a_sequence_has_one_point_in_every_stratum(count):
    points = lattice_uniforms(count, 50, generator=_generator())
    assert points.shape == (count, 50, 2)
    assert points.min() >= 0
    assert points.max() < 1
    in_order = points.sort(0).values
    if count > 1:
        torch.testing.assert_close(in_order.diff(dim=0), torch.full_like(in_order[1:], 1 / count))


def test_each_point_by_itself_is_uniform_in_the_square():
    points = lattice_uniforms(6, 40_000, generator=_generator())
    for one in points:
        cells = (one[:, 0] * 5).long() * 5 + (one[:, 1] * 5).long()
        counts = torch.bincount(cells, minlength=25).double()
        chi_square = ((counts - 1600) ** 2 / 1600).sum()
        assert chi_square < 60  # 24 degrees of freedom: beyond 60 once in 15,000


def test_sequences_are_independent_of_each_other():
    points = lattice_uniforms(8, 20_000, generator=_generator()) - 0.5
    correlation = (points[:, ::2] * points[:, 1::2]).mean(1) * 12
    assert correlation.abs().max() < 5 / math.sqrt(10_000)


def test_averages_vary_less_than_those_of_independent_points():
    points = lattice_uniforms(24, 4000, generator=_generator())
    values = (3 * points[..., 0]).exp() * (points[..., 1] * 2).sin()
    independent = values.flatten().var() / 24
    assert values.mean(0).var() < independent / 8
    expected = (math.e**3 - 1) / 3 * (1 - math.cos(2)) / 2
    assert abs(values.mean() - expected) < 0.01


def test_the_seed_decides():
    first, same, other = (lattice_uniforms(5, 9, generator=_generator(s)) for s in (1, 1, 2))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_quantiles_are_those_of_the_half_gaussian():
    uniforms = torch.tensor([0.0, 0.5, 0.6826895, 0.9544997, 1 - 2**-24])
    found = half_gaussian_quantiles(uniforms, 3.0)
    torch.testing.assert_close(found[:4], torch.tensor([0.0, 2.0234693, 3.0, 6.0]))
    assert 15 < found[4] < 18  # finite where the uniform number is as large as it can be
    assert half_gaussian_quantiles(uniforms, 0.0).abs().max() == 0


@pytest.mark.parametrize("sigma", [-1.0, math.inf, math.nan])
def test_wrong_sigmas_are_refused(sigma):
    with pytest.raises(InputError, match="sigma"):
        half_gaussian_quantiles(torch.zeros(1), sigma)


def test_no_points_are_refused():
    with pytest.raises(InputError, match="at least one"):
        lattice_uniforms(0, 3, generator=_generator())
