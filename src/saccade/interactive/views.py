"""The object network asked about a large image, part by part."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from saccade.interactive.blending import Blend
from saccade.interactive.objects import (
    VIEW_PIXELS,
    Box,
    ObjectView,
    crop,
    log_odds_seen,
    look,
    thing_of_two,
)
from saccade.interactive.places import StrokeIndex
from saccade.interactive.prepared import PreparedImage
from saccade.interactive.run import Step
from saccade.interactive.scale import classes_in, windows_of
from saccade.models.object_net import ObjectNet
from saccade.scribbles.shrink import shrink_strokes

Remember = Callable[[str, Callable[[], Tensor]], Tensor]

_ASKED = 4  # views of which it is asked which of the classes is the thing, or a few more


@torch.no_grad()
def objects_in_views(
    image: PreparedImage,
    stroke_index: StrokeIndex,
    drawn: tuple[int, int],
    views: int,
    last: Tensor | None = None,
    step: Step = lambda _: True,
    remember: Remember = lambda name, compute: compute(),
) -> Tensor | None:
    """Log odds of two classes in ``views`` x ``views`` parts of the image, joined without seams.

    A view without strokes of both classes is a larger one, up to those that are nearest.

    Args:
        image: of `prepare_image`.
        stroke_index: class index.
        drawn: the two classes.
        views: parts a side.
        last: (K, h', w') probabilities of the mask that the strokes correct, if there is one.
        step: progress; its False gives None.
        remember: gives what it remembers by a name, or computes it.

    Returns:
        (2, h, w), at about half the scale of the views.
    """
    net = image.bundle.objects
    assert net is not None
    asker = _Asker(image, net, stroke_index, drawn, last)
    windows = windows_of(image.size, views)
    boxes = [window.grown(image.size, asker.holds_both) for window in windows]
    thing = asker.thing(boxes[:: max(1, len(boxes) // _ASKED)])
    scale = min(1.0, views * math.sqrt(VIEW_PIXELS / math.prod(image.size))) / 2
    size = max(1, round(image.size[0] * scale)), max(1, round(image.size[1] * scale))
    blend, sizes = Blend(1, size), torch.zeros(1, *size)
    for number, (window, seen) in enumerate(zip(windows, boxes, strict=True), 1):
        where, box, core = (
            crop(sizes, one, image.size)[1] for one in (seen, window.box, window.core)
        )
        odds = remember(f"view {number}", partial(asker.odds, seen, thing))
        resized = _resized(odds, tuple(span.stop - span.start for span in where))
        inside = tuple(
            slice(one.start - whole.start, one.stop - whole.start)
            for one, whole in zip(box, where, strict=True)
        )
        blend.add(resized[:, *inside].cpu().numpy(), box, core)
        if not step(number / len(windows)):
            return None
    found = torch.from_numpy(blend.mean()).to(image.device)
    return torch.cat([-found, found] if thing else [found, -found])


class _Asker:
    """The object network, an image and its strokes."""

    def __init__(
        self,
        image: PreparedImage,
        net: ObjectNet,
        stroke_index: StrokeIndex,
        drawn: tuple[int, int],
        last: Tensor | None,
    ) -> None:
        self.image, self.net, self.index, self.drawn = image, net, stroke_index, drawn
        self.last = None if last is None else last[list(drawn)].float()
        self._views: dict[Box, ObjectView] = {}

    def holds_both(self, box: Box) -> bool:
        """Whether there are strokes of both classes in a box."""
        return set(self.drawn) <= classes_in(self.index[box.slices])

    def thing(self, boxes: list[Box]) -> int:
        """Which of the two is the thing, in most of what is seen."""
        scores = []
        for box in boxes:
            view, own, last = self._seen(box)
            self._views[box] = view
            scores.append(log_odds_seen(self.net, view, own, last))
        return thing_of_two(torch.cat([one.flatten(1) for one in scores], 1)[..., None])

    def odds(self, box: Box, thing: int) -> Tensor:
        """Log odds (1, h, w) of the thing in a box."""
        asked = slice(thing, thing + 1)
        view, own, last = self._seen(box)
        return log_odds_seen(self.net, view, own, last, asked)

    def _seen(self, box: Box) -> tuple[ObjectView, Tensor, Tensor | None]:
        view = self._views.pop(box, None)
        view = view or look(self.net, self.image.rgb, box, self.image.device)
        small = shrink_strokes(self.index[box.slices], max(self.drawn) + 1, view.maps.half_size)
        found = torch.from_numpy(small).to(self.image.device)
        own = torch.stack([found == one for one in self.drawn])
        last = None if self.last is None else crop(self.last, box, self.image.size)[0]
        return view, own, last


def _resized(maps: Tensor, size: tuple[int, ...]) -> Tensor:
    return F.interpolate(maps[None], size, mode="bilinear", align_corners=False)[0]
