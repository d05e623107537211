"""Object regions and the background cue merged into a pseudo mask (MDC paper, section 4.1)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from saccade.data.specs import IGNORE
from saccade.errors import InputError


def merge_regions(
    regions: NDArray[np.bool_],
    classes: Sequence[int],
    background: NDArray[np.bool_] | None = None,
    *,
    background_class: int = 0,
) -> NDArray[np.uint8]:
    """A pseudo mask in which conflicts and unassigned pixels have no class.

    Args:
        regions: (K, H, W), where each class of the image is.
        classes: their K class indices.
        background: (H, W), where the background cue says that nothing is; None for data without a
            background class, all of whose classes have regions.
        background_class: its class index.

    Returns:
        (H, W) uint8: a class where exactly one claims the pixel and the background cue does not,
        the background where it alone does, 255 elsewhere.

    Raises:
        InputError: shapes that do not fit, or a class that is the background's.
    """
    if regions.ndim != 3 or len(classes) != len(regions):
        raise InputError(f"regions are {regions.shape} for {len(classes)} classes, must be (K,H,W)")
    if background is not None and background.shape != regions.shape[1:]:
        raise InputError(f"background is {background.shape}, regions are {regions.shape}")
    if background is not None and background_class in classes:
        raise InputError(f"class {background_class} is the background and has a region too")
    claims = regions.sum(0)
    mask = np.full(regions.shape[1:], IGNORE, np.uint8)
    index = np.asarray(classes, np.uint8)[regions.argmax(0)]
    sole = claims == 1
    if background is not None:
        mask[background & (claims == 0)] = background_class
        sole &= ~background
    mask[sole] = index[sole]
    return mask


def strongest(
    fused: NDArray[np.floating], regions: NDArray[np.bool_], classes: Sequence[int]
) -> NDArray[np.uint8]:
    """Like `merge_regions`, but of several classes the one with the largest map wins.

    For street scenes, where every class claims much of the image and hardly a pixel has one claim.

    Args:
        fused: (K, H, W) maps, each divided by its maximum.
        regions: (K, H, W), where each class may be.
        classes: their K class indices.

    Returns:
        (H, W) uint8, 255 where no class claims the pixel.
    """
    if fused.shape != regions.shape or len(classes) != len(fused):
        raise InputError(f"maps are {fused.shape}, regions {regions.shape}, {len(classes)} classes")
    best = np.where(regions, fused, -np.inf).argmax(0)
    mask: NDArray[np.uint8] = np.asarray(classes, np.uint8)[best]
    mask[~regions.any(0)] = IGNORE
    return mask
