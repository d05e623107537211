"""Images as a trained network takes them: colors, or so many channels of 8 bits each.

Pictures are read as ever. Where channels are no colors, a network sees each of them, not the
components that stand for them in a segmentation from strokes: it learns itself what to combine.
Black and white of a channel are those of its file, of the rule of `saccade.images.window`, or
measured once on all images that a network learns from, and kept with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.images.alike import Reading, no_colors, opened, where_of
from saccade.images.channels import checked_numbers, choose_channels, has_alpha, told_windows
from saccade.images.image import Image
from saccade.images.intensities import CALLER, Meaning, ReadImage, eight_bits
from saccade.images.window import has_value

PERCENTILES = (0.1, 99.9)
"""Of a channel's values in the sample: they become black and white where these are measured."""
MOST_MEASURED = 64
"""Images in the sample, evenly spread over all of them."""
_VALUES = 1_000_000  # of a channel in the sample, on a regular grid of each image
_LEAST_DEVIATION = 1e-3  # of a channel that is the same everywhere


@dataclass(frozen=True)
class NetworkReading(Reading):
    """How images are read for a network, which takes so many channels and no others.

    Attributes:
        count: number C of channels.
        colors: they are red, green and blue, which pictures of one channel have three times.
        windows: black and white of each channel, the same in all images; () where each image has
            its own.
        mean: of each channel in the sample that `windows` is measured on, in [0, 1]; else ().
        std: its standard deviation there.

    >>> how = NetworkReading(count=5, colors=False)
    >>> how.read(np.zeros((40, 60, 5), np.uint16)).pixels.shape
    (40, 60, 5)
    >>> how.read(np.zeros((40, 60, 3), np.uint8))
    Traceback (most recent call last):
    saccade.errors.InputError: image: 3 channels, expected 5
    """

    count: int = 3
    colors: bool = True
    windows: tuple[tuple[float, float], ...] = ()
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    def read(self, image: object, *, window: tuple[float, float] | None = None) -> ReadImage:
        """An image, of which `ReadImage.pixels` are (H, W, C).

        Args:
            image: the path of a file, an array, or an `Image`, of which the first plane is read.
            window: the values that become black and white in all channels; None: those that are
                known here.

        Raises:
            InputError: it cannot be read, or has another number of channels.
        """
        if self.colors:
            self.require_colors(None if self.channels else no_colors(image, None), image)
            return super().read(image, window=window)
        found = opened(image)
        chosen = self.chosen(found)
        told = window or self.window
        windows = self.windows if told is None else ()
        known = windows or told_windows(found, chosen, told)
        values = checked_numbers(found.plane()[..., chosen], found.source or "image")
        return _as_bytes(found, values, known, CALLER if told else "the file", quiet=bool(windows))

    @property
    def each_its_own(self) -> bool:
        """Whether black and white may be others in each image, as the rule finds them."""
        return not self.windows and super().each_its_own

    def require_colors(self, other: Image | None, image: object) -> None:
        """Raise InputError where an image is another one than a picture, and nothing was chosen."""
        if other is not None and self.channels is None:
            count = other.count("C")
            raise InputError(f"{where_of(image)}: {count} channels, expected red, green and blue")

    def chosen(self, image: Image) -> list[int]:
        """Indices of the channels of an image.

        Raises:
            InputError: it has no such channel, or another number of them.
        """
        chosen = _chosen(image, self.channels)
        if len(chosen) != self.count:
            what = "1 channel" if len(chosen) == 1 else f"{len(chosen)} channels"
            raise InputError(f"{image.source or 'image'}: {what}, expected {self.count}")
        return chosen


def network_reading(
    images: Sequence[object],
    *,
    channels: Sequence[str] | None = None,
    window: tuple[float, float] | None = None,
    measured: bool = False,
) -> NetworkReading:
    """Find out how images are to be read for a network, from the first of them.

    Args:
        images: those that it learns from.
        channels: which ones, by number from 1 or by name; None: red, green and blue of pictures,
            of others all.
        window: the values that become black and white; None: what the files say, or the rule.
        measured: take black and white from a sample of all images, each channel by itself.

    Raises:
        InputError: the first image has no such channel, or one of the sample cannot be read.

    Example:
        >>> stains = np.random.default_rng(0).integers(0, 4096, (40, 60, 5), dtype=np.uint16)
        >>> network_reading([stains]).count, network_reading([stains[..., :3]]).colors
        (5, True)
        >>> network_reading([stains, stains], measured=True).windows[0]
        (3.0, 4090.0)
    """
    kept = tuple(channels) if channels else None
    if not measured and (kept is None or len(kept) == 3):
        try:
            colors = no_colors(images[0], kept) is None
        except InputError:  # which is said where all images are looked at
            colors = True
        if colors:
            return NetworkReading(kept, window)
    how = NetworkReading(kept, window, count=len(_chosen(opened(images[0]), kept)), colors=False)
    return _measured(how, images) if measured else how


def channel_count(how: Reading) -> int:
    """The number of channels that images have where they are read so.

    >>> channel_count(Reading()), channel_count(NetworkReading(count=5, colors=False))
    (3, 5)
    """
    return how.count if isinstance(how, NetworkReading) else 3


def require_channels(how: Reading, image: object) -> None:
    """Raise InputError where an image has another number of channels than a network takes.

    What else is wrong with it is said where it is read.

    >>> require_channels(NetworkReading(), np.zeros((40, 60, 5), np.uint8))
    Traceback (most recent call last):
    saccade.errors.InputError: image: 5 channels, expected red, green and blue
    """
    if not isinstance(how, NetworkReading):
        return
    try:
        found = no_colors(image, None) if how.colors else opened(image)
    except InputError:
        return
    if how.colors:
        how.require_colors(found, image)
    elif found is not None:
        how.chosen(found)


def as_colors(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Colors (H, W, 3) to look at for an image (H, W, C): its first three channels.

    One channel is grey; of two, the third color is black.

    >>> as_colors(np.zeros((4, 6, 5), np.uint8)).shape
    (4, 6, 3)
    """
    count = image.shape[2]
    if count == 1:
        return np.repeat(image, 3, axis=2)
    if count == 2:
        return np.concatenate([image, np.zeros_like(image[..., :1])], axis=2)
    return image[..., :3]


def _chosen(image: Image, channels: Sequence[int | str] | None) -> list[int]:
    """Indices of the channels; without a choice all but transparency."""
    chosen = choose_channels(channels, image.channels or [""], image.source or "image")
    if channels is None and len(chosen) in (2, 4) and has_alpha(image):
        return chosen[:-1]
    return chosen


def _as_bytes(
    image: Image,
    values: NDArray[Any],
    windows: Sequence[tuple[float, float]],
    said_by: str,
    *,
    quiet: bool,
) -> ReadImage:
    """Numbers (H, W, C) as 8 bits by windows, without any by the rule.

    Args:
        image: where the numbers are from.
        values: the numbers.
        windows: one for all channels, or one for each.
        said_by: who says so.
        quiet: say nothing of the windows, as these are the network's.
    """
    meaning = Meaning(
        white=image.white, nodata=image.nodata, window=windows or None, said_by=said_by
    )
    together = windows or image.colors
    parts = [values] if together else np.split(values, values.shape[2], axis=2)
    try:
        read = [eight_bits(part, meaning) for part in parts]
    except InputError as error:  # of numbers, which know no file
        raise InputError(f"{image.source or 'image'}{str(error).removeprefix('image')}") from error
    planes = image.count("T") * image.count("Z")
    remarks = (*image.remarks, *((f"the first of {planes} pages",) if planes > 1 else ()))
    lines = dict.fromkeys(line for _, some in read for line in some)
    kept = [line for line in lines if not (quiet and "were stretched" in line)]
    return ReadImage(np.concatenate([part for part, _ in read], axis=2), (*remarks, *kept))


def _measured(how: NetworkReading, images: Sequence[object]) -> NetworkReading:
    """The same with windows, mean and deviation of a sample."""
    picked = np.unique(np.linspace(0, len(images) - 1, MOST_MEASURED).round().astype(int))
    each = max(1, _VALUES // len(picked))
    sampled = [_sample(opened(images[i]), how, each) for i in picked]
    windows, means, deviations = [], [], []
    for channel in range(how.count):
        found = np.concatenate([one[channel] for one in sampled])
        if not found.size:
            raise InputError(f"channel {channel + 1} has no value in the images, expected some")
        low, high = (float(v) for v in np.percentile(found, PERCENTILES, method="nearest"))
        high = high if high > low else low + 1
        share = ((found - low) / (high - low)).clip(0, 1)
        windows.append((low, high))
        means.append(round(float(share.mean()), 6))
        deviations.append(round(max(float(share.std()), _LEAST_DEVIATION), 6))
    return NetworkReading(
        how.channels,
        None,
        count=how.count,
        colors=False,
        windows=tuple(windows),
        mean=tuple(means),
        std=tuple(deviations),
    )


def _sample(image: Image, how: NetworkReading, most: int) -> list[NDArray[Any]]:
    """About so many values of each channel on a regular grid, without those that mean nothing."""
    step = max(1, int(np.ceil(np.sqrt(image.size[0] * image.size[1] / most))))
    grid = checked_numbers(image.plane()[::step, ::step, how.chosen(image)], image.source)
    known = has_value(grid, image.nodata)
    known = np.ones(grid.shape, bool) if known is None else known
    return [grid[..., i][known[..., i]].astype(np.float64) for i in range(how.count)]
