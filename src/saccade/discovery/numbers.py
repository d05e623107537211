"""What the numbers of a folder's images are: colors of 8 bits, more bits, or other channels."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from saccade.errors import InputError
from saccade.images import Image, open_image
from saccade.images.network_input import network_reading


@dataclass(frozen=True)
class Numbers:
    """Of images that are alike.

    Attributes:
        channels: their number.
        names: of those that have one.
        measured: whether black and white should be measured on the training images, as they are
            not those of 8 bits.

    >>> Numbers().channels, Numbers().measured
    (3, False)
    """

    channels: int = 3
    names: tuple[str, ...] = ()
    measured: bool = False

    @property
    def has_colors(self) -> bool:
        """Whether brightness and colors can be changed, as of one and of three channels."""
        return self.channels in (1, 3)


def numbers_of(images: Sequence[Path]) -> tuple[Numbers, tuple[str, ...]]:
    """Look at some images of a training.

    Args:
        images: a few of them.

    Returns:
        What they are alike in, and a line on what somebody should know. Images that are not alike
        are taken for colors.
    """
    kinds: dict[Numbers, Path] = {}
    for path in images:
        try:
            kinds.setdefault(_one(path), path)
        except InputError:  # said where all images are read
            continue
    counts = {kind.channels for kind in kinds}
    if len(counts) > 1:
        first, other = list(kinds.items())[:2]
        return Numbers(), (
            f"{first[1].name} has {first[0].channels} channels and {other[1].name} has "
            f"{other[0].channels}; a network takes one kind, choose channels in [data]",
        )
    if not any(kind.measured for kind in kinds):
        return Numbers(), ()
    found = next(kind for kind in kinds if kind.measured)
    named = f" ({', '.join(found.names)})" if found.names else ""
    what = f"{found.channels} channels{named}" if found.channels > 1 else "1 channel"
    return found, (f"{what}; black and white are measured on the training images",)


def _one(path: Path) -> Numbers:
    how = network_reading([path])
    if not how.colors:
        image = open_image(path)
        return Numbers(how.count, tuple(name for name in image.channels if name), measured=True)
    image = open_image(path)
    if _bits(image) <= 8:
        return Numbers()
    measured = network_reading([path], measured=True)
    return Numbers(measured.count, measured=True)


def _bits(image: Image) -> int:
    dtype = np.dtype(image.array.dtype)
    return 1 if dtype.kind == "b" else dtype.itemsize * 8
