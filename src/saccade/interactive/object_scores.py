"""The object network asked which of two classes is where, from afar and from near.

It knows one thing before one ground. With more classes it is not asked: of the classes of a street
scene it says less than colors do, and each would cost a look of its own.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from saccade.interactive.objects import closer_box, crop, log_odds_seen, put, thing_of_two
from saccade.interactive.prepared import PreparedImage
from saccade.models.object_net import ObjectNet


@torch.no_grad()
def object_scores(image: PreparedImage, own: Tensor, last: Tensor | None = None) -> Tensor | None:
    """Log odds of two classes by the object network.

    Args:
        image: of `prepare_image`.
        own: (P, h / 2, w / 2) bool, the strokes of each class; one may have none.
        last: (P, h / 2, w / 2) probabilities of the mask that the strokes correct, if there is one.

    Returns:
        (2, h / 2, w / 2); None where there are not two classes, or the weights have no object
        network.
    """
    net = image.bundle.objects
    if net is None or len(own) != 2:
        return None
    view = image.object_view
    assert view is not None
    scores = log_odds_seen(net, view, own, last)
    if last is None:  # what it says of its own first answer, as after a click
        last = _resized(scores, own.shape[1:]).sigmoid()
        scores = log_odds_seen(net, view, own, last)
    thing = thing_of_two(scores)
    odds = _thing_closely(image, net, scores, own, last, thing)
    return torch.stack([-odds, odds] if thing else [odds, -odds])


def _thing_closely(
    image: PreparedImage, net: ObjectNet, scores: Tensor, own: Tensor, last: Tensor, thing: int
) -> Tensor:
    """Log odds (h / 2, w / 2) of the thing of two classes, from near once it is settled.

    Args:
        image: of `prepare_image`.
        net: the object network.
        scores: (2, h', w') of the view of the whole.
        own: (2, h / 2, w / 2) bool, strokes.
        last: (2, h / 2, w / 2) probabilities of the last mask.
        thing: which of the two.
    """
    strokes = F.adaptive_max_pool2d(own[None, thing].float(), scores.shape[1:])[0] > 0
    before = F.interpolate(last[None, thing, None], scores.shape[1:], mode="area")[0, 0]
    box = closer_box(scores[thing], strokes, before, image.size)
    whole = _resized(scores[thing, None], own.shape[1:])
    if box is None:
        return whole[0]
    near = image.closer_view(box)
    inside, where = crop(own, near.box, image.size)
    before = crop(last, near.box, image.size)[0]
    closer = log_odds_seen(net, near, inside, before, slice(thing, thing + 1))
    return put(whole, closer, where)[0]


def _resized(maps: Tensor, size: torch.Size) -> Tensor:
    return F.interpolate(maps[None], size, mode="bilinear", align_corners=False)[0]
