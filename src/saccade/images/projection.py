"""The channels of a plane as the three colors of 8 bits that networks, overlays and pages take."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.images.image import Image
from saccade.images.intensities import CALLER, Meaning, ReadImage, checked_window, rgb_of_values


def to_rgb(
    image: Image,
    plane: NDArray[Any],
    *,
    channels: Sequence[int] | None = None,
    window: tuple[float, float] | None = None,
) -> ReadImage:
    """A plane of an image as (H, W, 3) uint8, with remarks on what was done.

    Args:
        image: where it comes from; its window, white and nodata count.
        plane: (H, W, C) numbers of `Image.plane`.
        channels: index of the one that becomes grey, or of the three that become red, green and
            blue; None: the first three, or the first where there are two.
        window: the values that become black and white; None: what the file says, else the rule
            of `saccade.images.window`, for each channel alone where they are no colors.

    Raises:
        InputError: no such channel, a window that is none, or no values.

    Example:
        >>> image = Image(np.array([[[100, 400]], [[7, 9]]], np.uint16), "CYX")
        >>> to_rgb(image, image.plane(), channels=[1]).pixels[0, :, 0].tolist()
        [0, 255]
    """
    where = image.source or "image"
    count = plane.shape[2]
    chosen = tuple(channels) if channels is not None else tuple(range(3 if count >= 3 else 1))
    if len(chosen) not in (1, 3) or not all(0 <= i < count for i in chosen):
        raise InputError(
            f"{where}: channels {list(chosen)}, expected one or three of 0 to {count - 1}"
        )
    remarks: tuple[str, ...] = ()
    if channels is None and len(chosen) < count:
        remarks = (f"of {count} channels {_named(image, chosen)} were taken for colors",)
    told = None
    if window is not None:
        told = [checked_window(window)]
    elif image.window:
        told = [image.window[i % len(image.window)] for i in chosen]
    meaning = Meaning(
        white=image.white,
        nodata=image.nodata,
        window=told,
        said_by="the file" if window is None else CALLER,
    )
    values = plane if chosen == tuple(range(count)) else plane[..., list(chosen)]
    if told or image.colors or len(chosen) == 1:
        read = rgb_of_values(values, meaning)
        return ReadImage(read.pixels, remarks + read.remarks)
    parts = [rgb_of_values(values[..., [i]], meaning) for i in range(3)]
    lines = dict.fromkeys(line for part in parts for line in part.remarks)
    pixels = np.stack([part.pixels[..., 0] for part in parts], axis=2)
    return ReadImage(pixels, (*remarks, *lines))


def _named(image: Image, chosen: Sequence[int]) -> str:
    names = [image.channels[i] if i < len(image.channels) else "" for i in chosen]
    named = [name or str(index) for name, index in zip(names, chosen, strict=True)]
    return ", ".join(named[:-1]) + (" and " if named[1:] else "") + named[-1]
