"""The counter-based numbers: known answers, distribution, independence of order and device."""

import math

import pytest
import torch
from scipy import stats
from torch import Tensor

from saccade.errors import InputError
from saccade.ops.philox import check_seed, half_normals, philox

# Two of the four words of the known answers of Random123 (Salmon et al.), kat_vectors.
KNOWN = [(0, (0, 0), (0x6627E8D5, 0xE169C58D))]


def scalar_philox(seed: int, counter: tuple[int, int]) -> tuple[int, int]:
    """Philox 4x32-10 as in the paper, in whole numbers of any size."""
    word = [*counter, 0, 0]
    key = [seed % 2**32, (seed >> 32) % 2**32]
    for _ in range(10):
        left, right = 0xD2511F53 * word[0], 0xCD9E8D57 * word[2]
        word = [
            (right >> 32) ^ word[1] ^ key[0],
            right % 2**32,
            (left >> 32) ^ word[3] ^ key[1],
            left % 2**32,
        ]
        key = [(key[0] + 0x9E3779B9) % 2**32, (key[1] + 0xBB67AE85) % 2**32]
    return word[0], word[1]


def grid(*size: int) -> tuple[Tensor, Tensor]:
    first, second = torch.meshgrid(*(torch.arange(n) for n in size), indexing="ij")
    return first.contiguous(), second.contiguous()


@pytest.mark.parametrize(("seed", "counter", "words"), KNOWN)
def test_numbers_are_the_published_ones(
    seed: int, counter: tuple[int, int], words: tuple[int, int]
) -> None:
    assert scalar_philox(seed, counter) == words
    made = philox(torch.tensor(seed), (torch.tensor(counter[0]), torch.tensor(counter[1])))
    assert tuple(word.item() for word in made) == words


@pytest.mark.parametrize("seed", [1, -1, 2**63 - 1, -(2**63), 0x1234567890ABCDEF])
def test_equals_the_scalar_definition(seed: int) -> None:
    counters = [(0, 0), (1, 8), (2**31, 3), (2**32 - 1, 2**32 - 1)]
    first, second = torch.tensor(counters).unbind(1)
    made = torch.stack(philox(torch.tensor(seed), (first, second)), 1).tolist()
    assert made == [list(scalar_philox(seed, counter)) for counter in counters]


def test_half_normals_are_half_normal_and_independent() -> None:
    one, other = half_normals(torch.tensor(3), grid(200, 100))
    for values in (one, other):
        assert values.dtype == torch.float32
        assert values.min() >= 0
        assert stats.kstest(values.flatten().numpy(), "halfnorm").pvalue > 0.01
        assert values.square().mean().item() == pytest.approx(1, rel=0.02)
    together = torch.stack([one.flatten(), other.flatten()])
    assert torch.corrcoef(together)[0, 1].abs() < 0.02
    neighbours = torch.stack([one[:, 1:].flatten(), one[:, :-1].flatten()])
    assert torch.corrcoef(neighbours)[0, 1].abs() < 0.02


def test_half_normals_are_the_transform_of_box_and_muller() -> None:
    counter = grid(300, 7)
    radius, turn = (
        ((word >> 9).double() + 0.5) / 2**23 for word in philox(torch.tensor(9), counter)
    )
    length = torch.sqrt(-2 * torch.log(radius))
    made = half_normals(torch.tensor(9), counter)
    for value, exact in zip(
        made, (torch.cos(math.pi / 2 * turn), torch.sin(math.pi / 2 * turn)), strict=True
    ):
        torch.testing.assert_close(value.double(), length * exact, rtol=1e-6, atol=1e-6)


def test_a_counter_decides_alone() -> None:
    first, second = grid(6, 5)
    whole = half_normals(torch.tensor(4), (first, second))[0]
    part = half_normals(torch.tensor(4), (first[2:4], second[2:4]))[0]
    assert torch.equal(part, whole[2:4])
    assert not torch.equal(half_normals(torch.tensor(5), (first, second))[0], whole)


@pytest.mark.parametrize(
    ("seed", "message"),
    [
        (2**63, "64 bits"),
        (torch.tensor(1.0), "one int64"),
        (torch.tensor([1, 2]), "one int64"),
        (torch.tensor(1, dtype=torch.int32), "one int64"),
    ],
)
def test_other_seeds_are_refused(seed: int | Tensor, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_seed(seed, torch.device("cpu"))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_draws_the_same_up_to_the_last_bit() -> None:
    """CPUs take square roots by a library that may miss the nearest float32 by one."""
    here = half_normals(torch.tensor(3), grid(500, 90))
    there = half_normals(torch.tensor(3).cuda(), tuple(c.cuda() for c in grid(500, 90)))
    for one, other in zip(here, there, strict=True):
        torch.testing.assert_close(one, other.cpu(), rtol=2.4e-7, atol=0)
