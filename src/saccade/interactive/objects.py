"""What the object network says of each class: whole things from a click, corrections in place.

The network sees the whole image once, at about 384 x 288. Where two classes are asked for and one
of them is small, it also looks closely at the box around that one, once the mask says where that
is; what it sees there replaces what it saw of the box from afar.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from saccade.models.object_net import ObjectMaps, ObjectNet

VIEW_PIXELS = 384 * 288
_STEP = 16  # sides of views are multiples of the encoder's coarsest stride
_CLASSES_AT_ONCE = 4
_MARGIN = 0.2  # of a closer look, on each side of the box, as a share of its side
_LARGEST_LOOK = 0.6  # share of the image from which a closer look shows nothing new
_SMALLEST_SIDE = 24  # pixels; of smaller boxes there is nothing to see
_SETTLED = 0.8  # IoU of two answers, or of two boxes, that are taken for the same
_ALIKE = 0.02  # difference of the mean distances of probabilities from one half
_FEATHER = 0.06  # of a closer look's side: there it passes into the view of the whole


class Box(NamedTuple):
    """Pixels of the full image, bottom and right exclusive."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def area(self) -> int:
        """Pixels in the box."""
        return max(0, self.bottom - self.top) * max(0, self.right - self.left)

    @property
    def slices(self) -> tuple[slice, slice]:
        """Its rows and columns."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def middle(self) -> Box:
        """Half of its height and its width."""
        height, width = (self.bottom - self.top) // 4, (self.right - self.left) // 4
        return Box(self.top + height, self.left + width, self.bottom - height, self.right - width)


@dataclass(frozen=True)
class ObjectView:
    """A part of an image as the object network sees it."""

    box: Box
    maps: ObjectMaps


def view_size(height: int, width: int) -> tuple[int, int]:
    """Size (h, w) at which a part of an image is seen: about `VIEW_PIXELS`, multiples of 16.

    >>> view_size(375, 500), view_size(20, 300)
    ((288, 384), (80, 1280))
    """
    scale = math.sqrt(VIEW_PIXELS / (height * width))
    h, w = (max(1, round(side * scale / _STEP)) * _STEP for side in (height, width))
    return h, w


@torch.no_grad()
def look(net: ObjectNet, rgb: NDArray[np.uint8], box: Box, device: torch.device) -> ObjectView:
    """Let the network see a box of an image (H, W, 3)."""
    height, width = view_size(box.bottom - box.top, box.right - box.left)
    part = Image.fromarray(rgb[box.top : box.bottom, box.left : box.right])
    seen = np.array(part.resize((width, height), Image.Resampling.BICUBIC))
    x = torch.from_numpy(seen).to(device).movedim(2, 0)[None].float()
    return ObjectView(box, net.to(device).encode(x.contiguous(memory_format=torch.channels_last)))


@torch.no_grad()
def log_odds_seen(
    net: ObjectNet,
    view: ObjectView,
    own: Tensor,
    last: Tensor | None,
    asked: slice = slice(None),
) -> Tensor:
    """Log odds of each class in a view.

    Args:
        net: the object network.
        view: a part of the image.
        own: (P, h, w) bool, the strokes of each class in that part, at any size.
        last: (P, h, w) probabilities of the last mask there, if there was one.
        asked: which of the classes.

    Returns:
        (P or fewer, h', w') at half the size of the view, each class asked for itself.
    """
    size = view.maps.half_size
    strokes = F.adaptive_max_pool2d(own.float()[None], size)[0]
    other = torch.stack([_others(strokes, k) for k in range(len(strokes))])
    before = torch.zeros_like(strokes)
    if last is not None:
        before = 2 * F.interpolate(last[None], size, mode="area")[0] - 1
    hints = torch.stack([strokes, other, before], 1)[asked]
    hints = hints.contiguous(memory_format=torch.channels_last)
    rows = torch.split(hints, _CLASSES_AT_ONCE)
    return torch.cat([net.decode(view.maps, some) for some in rows])


def _others(strokes: Tensor, own: int) -> Tensor:
    """Where any of the other classes has a stroke (h, w)."""
    others = torch.cat([strokes[:own], strokes[own + 1 :]])
    return others.amax(0) if len(others) else torch.zeros_like(strokes[own])


def thing_of_two(scores: Tensor) -> int:
    """Which of two classes is the thing, and which is what is around it.

    The network was shown things more often than what is around them, so its answer about the thing
    is farther from one half. Where both are alike it is the second class: class 0 often is the
    background.

    Args:
        scores: (2, h, w), each class asked for itself.

    >>> thing_of_two(torch.tensor([[[4.0]], [[0.5]]])), thing_of_two(torch.zeros(2, 1, 1))
    (0, 1)
    """
    first, second = ((one.sigmoid() - 0.5).abs().mean() for one in scores)
    return 0 if first > second + _ALIKE else 1


def closer_box(scores: Tensor, strokes: Tensor, last: Tensor, size: tuple[int, int]) -> Box | None:
    """The box to look at more closely; None where there is nothing to gain or it is too early.

    Args:
        scores: (h, w) of the thing, in the view of the whole.
        strokes: (h, w) bool, those on it, which the box has to hold.
        last: (h, w) its probabilities in the last mask: the box waits until two answers agree.
        size: (H, W) of the full image.
    """
    mask, before = scores > 0, last > 0.5
    if (mask & before).sum() <= _SETTLED * (mask | before).sum():
        return None
    ys, xs = (mask | strokes).nonzero(as_tuple=True)
    if len(ys) == 0:
        return None
    box = _with_margin(ys, xs, scores.shape, size)
    height, width = box.bottom - box.top, box.right - box.left
    if box.area > _LARGEST_LOOK * size[0] * size[1] or min(height, width) < _SMALLEST_SIDE:
        return None
    return box


def _with_margin(ys: Tensor, xs: Tensor, small: torch.Size, size: tuple[int, int]) -> Box:
    """The box around places of a small map, in pixels of the image."""
    sides = []
    for places, length, full in zip((ys, xs), small, size, strict=True):
        low = int(places.min()) * full / length
        high = (int(places.max()) + 1) * full / length
        margin = _MARGIN * (high - low)
        sides.append((max(0, int(low - margin)), min(full, math.ceil(high + margin))))
    (top, bottom), (left, right) = sides
    return Box(top, left, bottom, right)


def alike(one: Box, other: Box) -> bool:
    """Whether two boxes are so much the same that a look at one serves for the other.

    >>> alike(Box(0, 0, 10, 10), Box(0, 0, 10, 11)), alike(Box(0, 0, 10, 10), Box(5, 5, 15, 15))
    (True, False)
    """
    both = Box(
        max(one.top, other.top),
        max(one.left, other.left),
        min(one.bottom, other.bottom),
        min(one.right, other.right),
    )
    return both.area > _SETTLED * (one.area + other.area - both.area)


def crop(maps: Tensor, box: Box, size: tuple[int, int]) -> tuple[Tensor, tuple[slice, slice]]:
    """The part of maps (P, h, w) of an image (H, W) in a box, and where that part is."""
    height, width = maps.shape[-2:]
    rows = _span(box.top, box.bottom, height / size[0], height)
    columns = _span(box.left, box.right, width / size[1], width)
    return maps[..., rows, columns], (rows, columns)


def _span(low: int, high: int, scale: float, length: int) -> slice:
    first = min(length - 1, math.floor(low * scale))
    return slice(first, max(first + 1, min(length, math.ceil(high * scale))))


def put(whole: Tensor, closer: Tensor, where: tuple[slice, slice]) -> Tensor:
    """``whole`` (P, h, w) with a closer look (P, h', w') in its place, feathered at its rim."""
    height, width = (s.stop - s.start for s in where)
    inside = F.interpolate(closer[None], (height, width), mode="bilinear", align_corners=False)[0]
    down, right = (_ramp(s, full) for s, full in zip(where, whole.shape[1:], strict=True))
    weight = torch.minimum(down[:, None], right[None]).to(whole.device)
    out = whole.clone()
    out[:, where[0], where[1]] = torch.lerp(out[:, where[0], where[1]], inside, weight)
    return out


def _ramp(span: slice, full: int) -> Tensor:
    """Weights along one side: 1 inside, falling to 0 at an end that is not the image's border."""
    length = span.stop - span.start
    place = torch.arange(length) + 0.5
    reach = max(1.0, _FEATHER * length)
    rise = place / reach if span.start > 0 else torch.ones(length)
    fall = (length - place) / reach if span.stop < full else torch.ones(length)
    return rise.minimum(fall).clamp(max=1.0)
