"""Half-normal numbers from a counter, in whatever order they are asked; the same on every device.

Only the square root may differ in its last bit: libraries for CPUs do not round it exactly.

Philox 4x32-10 (Salmon et al. 2011) turns a seed and a counter into 32-bit words. The words become
half-normal numbers by Box and Muller's transform, written with integer operations, IEEE addition,
multiplication and square root alone: the logarithm and the sine of a library differ in the last
bit from device to device, and a last bit decides to which pixel a position is rounded. The fused
kernel (`ops/fused/kernels.py`) repeats these operations one by one.
"""

import torch
from torch import Tensor

from saccade.errors import InputError

_WORD = 0xFFFFFFFF
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
ROUNDS = 10

# Chebyshev fits, rounded to float32, lowest power first.
# -2 log(1 + t) / t on [sqrt(1/2) - 1, sqrt(2) - 1], error 3e-8.
LOGARITHM = (
    -2.0,
    0.9999997615814209,
    -0.6666836738586426,
    0.5000430941581726,
    -0.39913955330848694,
    0.33121392130851746,
    -0.2989819049835205,
    0.2875466048717499,
    -0.17487891018390656,
)
# sin(pi / 2 * sqrt(z)) / sqrt(z) on [0, 1], error 7e-9.
SINE = (
    1.5707963705062866,
    -0.6459637880325317,
    0.07968991994857788,
    -0.004674150608479977,
    0.0001516751217423007,
)
TWO_LOG_TWO = 1.3862943649291992  # float32(2 log 2)
SQRT_TWO = 1.4142135381698608  # float32


def check_seed(seed: int | Tensor, device: torch.device) -> Tensor:
    """The seed as an int64 tensor without dimensions on the device.

    Raises:
        InputError: a tensor that is not one int64, or a number beyond 64 bits.
    """
    if isinstance(seed, Tensor):
        if seed.dtype != torch.int64 or seed.numel() != 1:
            raise InputError(f"seed is {seed.dtype} {tuple(seed.shape)}, must be one int64")
        return seed.reshape(()).to(device)
    if not -(2**63) <= seed < 2**63:
        raise InputError(f"seed is {seed}, must fit into 64 bits with a sign")
    return torch.full((), seed, dtype=torch.int64, device=device)


def philox(seed: Tensor, counter: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """The first two of the four words of Philox 4x32-10 at the counters (first, second, 0, 0).

    Args:
        seed: () int64, the key: its low and its high word.
        counter: two int64 tensors of one shape with values in [0, 2**32).

    Returns:
        Two int64 tensors of that shape with values in [0, 2**32).
    """
    first, second = counter
    words = [first, second, torch.zeros_like(first), torch.zeros_like(first)]
    low, high = seed & _WORD, (seed >> 32) & _WORD
    for _ in range(ROUNDS):
        # A product beyond 63 bits wraps around, which leaves both of its words intact.
        left, right = words[0] * _MULTIPLIERS[0], words[2] * _MULTIPLIERS[1]
        words = [
            (right >> 32) & _WORD ^ words[1] ^ low,
            right & _WORD,
            (left >> 32) & _WORD ^ words[3] ^ high,
            left & _WORD,
        ]
        low, high = (low + _WEYL[0]) & _WORD, (high + _WEYL[1]) & _WORD
    return words[0], words[1]


def half_normals(seed: Tensor, counter: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Two independent |N(0, 1)| per counter, at most 5.8.

    Args:
        seed: () int64.
        counter: as in `philox`.

    Returns:
        Two float32 tensors of the counter's shape.
    """
    first, second = philox(seed, counter)
    radius = _radius(_odd(first))
    share = _odd(second) * (1 / (1 << 24))  # in (0, 1), exact as 1 - share is
    # A quarter turn is enough: the signs, which the others would give, are not wanted.
    return radius * _sine(1 - share), radius * _sine(share)


def _odd(word: Tensor) -> Tensor:
    """The odd numbers 1, 3, .. 2**24 - 1 as float32, from the upper 23 bits."""
    return ((word >> 9) * 2 + 1).to(torch.float32)


def _radius(number: Tensor) -> Tensor:
    """sqrt(-2 log(number / 2**24))."""
    bits = number.view(torch.int32)
    mantissa = ((bits & 0x7FFFFF) | 0x3F800000).view(torch.float32)  # in [1, 2)
    upper = mantissa > SQRT_TWO
    exponent = (bits >> 23) - 127 + upper.to(torch.int32)
    rest = torch.where(upper, mantissa * 0.5, mantissa) - 1
    logarithm = rest * _polynomial(rest, LOGARITHM)
    return torch.sqrt((24 - exponent).to(torch.float32) * TWO_LOG_TWO + logarithm)


def _sine(turn: Tensor) -> Tensor:
    """sin(pi / 2 * turn) for turns in [0, 1]."""
    return turn * _polynomial(turn * turn, SINE)


def _polynomial(variable: Tensor, coefficients: tuple[float, ...]) -> Tensor:
    value = variable * coefficients[-1] + coefficients[-2]
    for coefficient in coefficients[-3::-1]:
        value = value * variable + coefficient
    return value
