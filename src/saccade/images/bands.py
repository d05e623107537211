"""Which bands of an image are its colours, which its transparency, and which are left out."""

from collections.abc import Sequence
from dataclasses import dataclass

PREMULTIPLIED, STRAIGHT = 1, 2
"""Values of the TIFF tag ExtraSamples (338) that mean alpha; 0 and all others do not."""


@dataclass(frozen=True)
class Bands:
    """Indices of bands, from 0.

    Attributes:
        colors: of grey, or of red, green and blue.
        alpha: of transparency, or None.
        premultiplied: the colours are multiplied by alpha already.
        remarks: which bands are left out.

    >>> Bands((0,), None).remarks
    ()
    """

    colors: tuple[int, ...]
    alpha: int | None
    premultiplied: bool = False
    remarks: tuple[str, ...] = ()


def choose_bands(count: int, extras: Sequence[int], *, rgb: bool) -> Bands:
    """Choose from the bands of a TIFF.

    Args:
        count: of bands.
        extras: what ExtraSamples says of the last ones.
        rgb: the first three are red, green and blue; else a band is a picture of its own, but
            three or more without a word are taken for colours, as satellites deliver them.

    Example:
        >>> choose_bands(4, [0], rgb=True)
        Bands(colors=(0, 1, 2), alpha=None, premultiplied=False, remarks=('band 4 is not used \
(unspecified extra sample, no alpha)',))
        >>> choose_bands(4, [2], rgb=True).alpha
        3
    """
    extras = list(extras)[-count:]
    kinds = dict(zip(range(count - len(extras), count), extras, strict=True))
    fewest = 3 if rgb and count >= 3 else 1
    alphas = [i for i, kind in kinds.items() if i >= fewest and kind in (PREMULTIPLIED, STRAIGHT)]
    alpha = alphas[0] if alphas else None
    free = [i for i in range(count) if i not in alphas]
    colors = tuple(free[:3] if len(free) >= 3 else free[:1])
    left = [i + 1 for i in range(count) if i not in colors and i != alpha]
    remarks = []
    if len(colors) == 3 and not rgb:
        remarks.append("bands 1 to 3 were taken for red, green and blue")
    if left:
        remarks.append(f"{_listed(left)} not used (unspecified extra sample, no alpha)")
    premultiplied = alpha is not None and kinds[alpha] == PREMULTIPLIED
    return Bands(colors, alpha, premultiplied, tuple(remarks))


def _listed(numbers: list[int]) -> str:
    if len(numbers) == 1:
        return f"band {numbers[0]} is"
    if numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"bands {numbers[0]} to {numbers[-1]} are"
    return f"bands {', '.join(str(n) for n in numbers)} are"
