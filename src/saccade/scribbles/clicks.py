"""Simulated corrections: where somebody who sees the mask's largest error puts the next click.

The protocol of interactive segmentation (Xu et al., 2016; Sofiiuk et al., 2022, "Reviving iterative
training"): the next click is the point of an error region that is farthest from the region's
border, and says the class that is true there. Deviations:

- The region is the largest connected one, not the one with the deepest point: a person corrects
  what is most of the error. Regions are connected by edges, not by corners; all pixels of one
  region have the same true class.
- A click is a disc here, as strokes are pixels. The disc is cut to the pixels whose true class it
  says, so that no click is wrong, however thin the region; ``whole`` leaves it as it is. The field
  draws it whole because its networks read a disc as a position; here it is a fact about each pixel
  that methods may not contradict.
- Nothing is remembered: where a method ignores a click, the next one is the same.

`next_stroke` draws a short line through the same point in place of the disc. Everything is a pure
function of truth, mask and generator; a mask that is right everywhere has no next click.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from saccade.errors import InputError
from saccade.scribbles.simulate import draw_through

RADIUS = 5
"""Of the disc of a click, pixels."""

SHORT = (0.1, 0.2)
"""Range of a short stroke's length as a share of the image's shorter side."""


@dataclass(frozen=True)
class ErrorRegion:
    """The largest connected region of wrong pixels with one true class.

    Attributes:
        value: the class that is true there.
        place: (y, x), the deepest point.
        depth: distance of that point from the nearest pixel outside of the region, in pixels.
        pixels: (H, W) bool, the region.
    """

    value: int
    place: tuple[int, int]
    depth: float
    pixels: NDArray[np.bool_]


@dataclass(frozen=True)
class Correction:
    """A click or a short stroke.

    Attributes:
        value: the class it says.
        place: (y, x), its middle for a click, some point on it for a stroke.
        pixels: (H, W) bool, what is drawn.
        is_stroke: whether it is a stroke.
    """

    value: int
    place: tuple[int, int]
    pixels: NDArray[np.bool_]
    is_stroke: bool = False


def largest_error(
    truth: NDArray[np.integer], mask: NDArray[np.integer], *, ignore: int = 255
) -> ErrorRegion | None:
    """The largest connected error region and its deepest point; None where nothing is wrong.

    Of several regions of one size the one of the lowest class is taken, then the first in reading
    order; of several deepest points the first in reading order. The image's border is a border.

    Args:
        truth: (H, W) class of each pixel, ``ignore`` where unknown: no error is counted there.
        mask: (H, W) class of each pixel.
        ignore: label of unknown pixels.

    Raises:
        InputError: truth and mask are no images of one size.

    Example:
        >>> truth = np.zeros((40, 60), np.uint8)
        >>> truth[10:21, 20:51] = 1
        >>> found = largest_error(truth, np.zeros_like(truth))
        >>> found.value, found.place, found.depth, int(found.pixels.sum())
        (1, (15, 25), 6.0, 341)
        >>> largest_error(truth, truth) is None
        True
    """
    if truth.ndim != 2 or truth.shape != mask.shape:
        raise InputError(f"truth is {truth.shape}, the mask {mask.shape}; both must be one (H, W)")
    wrong = (truth != mask) & (truth != ignore)
    best: tuple[int, int, int, NDArray[np.int32]] | None = None  # area, class, number, regions
    for value in np.unique(truth[wrong]).tolist():
        regions, _ = ndimage.label(wrong & (truth == value))
        areas = np.bincount(regions.ravel())
        areas[0] = 0
        number = int(areas.argmax())
        if best is None or areas[number] > best[0]:
            best = int(areas[number]), value, number, regions
    if best is None:
        return None
    _, value, number, regions = best
    pixels: NDArray[np.bool_] = regions == number
    (top, left), depth = depth_inside(pixels)
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return ErrorRegion(value, (top + int(y), left + int(x)), float(depth[y, x]), pixels)


def depth_inside(region: NDArray[np.bool_]) -> tuple[tuple[int, int], NDArray[np.float64]]:
    """How far each pixel of a region is from the nearest one outside of it.

    Args:
        region: (H, W), with a pixel at least; the image's border is a border.

    Returns:
        (top, left) of the region's bounding box, and distances (h, w) there, 0 outside of it.

    Example:
        >>> region = np.zeros((40, 60), bool)
        >>> region[10:13, 20:25] = True
        >>> corner, depth = depth_inside(region)
        >>> corner, depth.shape, float(depth.max())
        ((10, 20), (3, 5), 2.0)
    """
    # The nearest pixel outside of a region is never outside of its bounding box and a rim of one.
    rows, columns = np.flatnonzero(region.any(1)), np.flatnonzero(region.any(0))
    top, left = int(rows[0]), int(columns[0])
    box = region[top : int(rows[-1]) + 1, left : int(columns[-1]) + 1]
    depth = ndimage.distance_transform_edt(np.pad(box, 1))[1:-1, 1:-1]
    return (top, left), depth


def draw_disc(
    size: tuple[int, int], place: tuple[int, int], radius: float = RADIUS
) -> NDArray[np.bool_]:
    """A disc (H, W): the pixels of the image at most ``radius`` from ``place`` (y, x).

    Example:
        >>> int(draw_disc((40, 60), (20, 30)).sum()), int(draw_disc((40, 60), (0, 0)).sum())
        (81, 26)
    """
    y, x = place
    reach = int(radius)
    top, left = max(0, y - reach), max(0, x - reach)
    disc = np.zeros(size, bool)
    window = disc[top : y + reach + 1, left : x + reach + 1]
    rows, columns = np.ogrid[top : top + window.shape[0], left : left + window.shape[1]]
    window[...] = (rows - y) ** 2 + (columns - x) ** 2 <= radius**2
    return disc


def draw_click(
    truth: NDArray[np.integer],
    value: int,
    place: tuple[int, int],
    *,
    radius: int = RADIUS,
    whole: bool = False,
) -> Correction:
    """A click of a class at a place, whose disc is cut to the pixels of that class.

    Args:
        truth: (H, W) class of each pixel.
        value: what the click says.
        place: (y, x), a pixel of that class.
        radius: of the disc, pixels; 0 is the pixel alone.
        whole: leave the disc whole, as the networks of the field read it; it may then say wrong
            things beside a thin region, also about pixels of earlier strokes.

    Raises:
        InputError: the pixel at ``place`` has another class.

    Example:
        >>> truth = np.zeros((40, 60), np.uint8)
        >>> truth[19:22] = 1
        >>> int(draw_click(truth, 1, (20, 30)).pixels.sum())
        29
        >>> int(draw_click(truth, 1, (20, 30), whole=True).pixels.sum())
        81
    """
    if truth[place] != value:
        raise InputError(f"place (y, x) = {place} has class {truth[place]}, the click says {value}")
    disc = draw_disc((truth.shape[0], truth.shape[1]), place, radius)
    return Correction(value, place, disc if whole else np.logical_and(disc, truth == value))


def next_click(
    truth: NDArray[np.integer],
    mask: NDArray[np.integer],
    *,
    radius: int = RADIUS,
    whole: bool = False,
    ignore: int = 255,
) -> Correction | None:
    """The next click: `draw_click` at the deepest point of the largest error; None without errors.

    Before the first mask, one that is ground everywhere gives the click deepest in the object.

    Args:
        truth: (H, W) class of each pixel, ``ignore`` where unknown.
        mask: (H, W) class of each pixel, the mask that is corrected.
        radius: as in `draw_click`.
        whole: as in `draw_click`.
        ignore: label of unknown pixels.

    Raises:
        InputError: truth and mask are no images of one size.

    Example:
        >>> truth = np.zeros((40, 60), np.uint8)
        >>> truth[10:21, 20:51] = 1
        >>> click = next_click(truth, np.zeros_like(truth))
        >>> strokes = np.full_like(truth, 255)
        >>> strokes[click.pixels] = click.value
        >>> click.place, np.unique(strokes).tolist()
        ((15, 25), [1, 255])
    """
    error = largest_error(truth, mask, ignore=ignore)
    if error is None:
        return None
    return draw_click(truth, error.value, error.place, radius=radius, whole=whole)


def next_stroke(
    truth: NDArray[np.integer],
    mask: NDArray[np.integer],
    rng: np.random.Generator,
    *,
    length: tuple[float, float] = SHORT,
    ignore: int = 255,
) -> Correction | None:
    """The next short stroke, through the deepest point of the largest error and inside of it.

    Args:
        truth: (H, W) class of each pixel, ``ignore`` where unknown.
        mask: (H, W) class of each pixel, the mask that is corrected.
        rng: the annotator's hand.
        length: range of its length as a share of the image's shorter side; shorter where the
            region has no room in any direction. Its width is a hundredth of that side.
        ignore: label of unknown pixels.

    Raises:
        InputError: truth and mask are no images of one size.

    Example:
        >>> truth = np.zeros((40, 60), np.uint8)
        >>> truth[10:21, 20:51] = 1
        >>> stroke = next_stroke(truth, np.zeros_like(truth), np.random.default_rng(0))
        >>> stroke.value, bool((truth[stroke.pixels] == 1).all()), bool(stroke.pixels[stroke.place])
        (1, True, True)
    """
    error = largest_error(truth, mask, ignore=ignore)
    if error is None:
        return None
    pixels = draw_through(error.pixels, error.place, rng, length=length, margin=2.0)
    return Correction(error.value, error.place, pixels, is_stroke=True)
