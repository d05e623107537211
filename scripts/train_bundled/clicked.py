"""Sessions for the fusion network: clicks and short strokes where the mask so far is wrong.

The masks so far are those of the object network, which stays as it is, as that is fast. Where there
is a fusion network from an earlier stage, the last of them is its mask, as in use.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from saccade.interactive.inputs import UNLABELED
from saccade.interactive.object_scores import object_scores
from saccade.interactive.pipeline import segment_prepared
from saccade.interactive.prepared import PreparedImage
from saccade.scribbles.clicks import (
    Correction,
    draw_click,
    largest_error,
    next_click,
    next_stroke,
)
from scripts.train_bundled.bundles import PRESET
from scripts.train_bundled.sessions import deep_place
from scripts.train_bundled.windows import Labels, Rng

TURNS = {1: 0.3, 2: 0.22, 3: 0.16, 4: 0.12, 6: 0.12, 9: 0.08}  # strokes of a session: share
_STROKES = 0.35  # share of the corrections that are short strokes
_ANYWHERE = 0.3  # share of the first clicks that are not at the deepest place


def play(
    rng: Rng,
    prepared: PreparedImage,
    truth: Labels,
    drawn: Labels | None = None,
    *,
    fused: bool = False,
) -> tuple[Labels, Tensor | None]:
    """Strokes of a session, and the last mask before the last of them.

    Args:
        rng: of the person.
        prepared: the image, with weights that have an object network.
        truth: (H, W), 0 and 1.
        drawn: (H, W) strokes to begin with, 255 where nobody drew; none where None.
        fused: whether the last mask is that of the image's fusion network, which is trained.

    Returns:
        The strokes (H, W), and probabilities (2, h / 2, w / 2); None after the first of all.
    """
    strokes = np.full_like(truth, 255) if drawn is None else drawn.copy()
    last: Tensor | None = None
    mask = np.zeros_like(truth)
    turns = int(rng.choice(list(TURNS), p=list(TURNS.values()))) - (drawn is None)
    if drawn is None:
        _draw(strokes, _first(rng, truth))
    for turn in range(turns):
        answer = _fused if fused and turn == turns - 1 else _answer
        last, mask = answer(prepared, strokes, last)
        correction = _next(rng, truth, mask)
        if correction is None:
            break
        _draw(strokes, correction)
    return strokes, last


def _answer(prepared: PreparedImage, strokes: Labels, last: Tensor | None) -> tuple[Tensor, Labels]:
    """What the object network says: probabilities at half size, and the mask."""
    own = torch.from_numpy(np.stack([strokes == 0, strokes == 1]))
    small = F.adaptive_max_pool2d(own[None].float(), prepared.half_size)[0] > 0
    scores = object_scores(prepared, small, last)
    assert scores is not None
    full = F.interpolate(scores[None], strokes.shape, mode="bilinear", align_corners=False)[0]
    return scores.sigmoid(), (full[1] > full[0]).numpy().astype(np.uint8)


def _fused(prepared: PreparedImage, strokes: Labels, last: Tensor | None) -> tuple[Tensor, Labels]:
    """The same by the fusion network, refined as in the package."""
    index = strokes.astype(np.int64)
    index[index == UNLABELED] = 2
    fitted = segment_prepared(prepared, index, (0, 1), PRESET, last=last)
    assert fitted is not None
    return fitted.half, fitted.result.labels.astype(np.uint8)


def _first(rng: Rng, truth: Labels) -> Correction:
    if rng.random() < _STROKES:
        stroke = next_stroke(truth, np.zeros_like(truth), rng)
        assert stroke is not None
        return stroke
    place = deep_place(rng, truth == 1, deepest=rng.random() > _ANYWHERE)
    return draw_click(truth, 1, place)


def _next(rng: Rng, truth: Labels, mask: Labels) -> Correction | None:
    if rng.random() < _STROKES:
        return next_stroke(truth, mask, rng)
    error = largest_error(truth, mask)
    if error is None or rng.random() > _ANYWHERE:
        return next_click(truth, mask)
    return draw_click(truth, error.value, deep_place(rng, error.pixels, deepest=False))


def _draw(strokes: Labels, correction: Correction) -> None:
    strokes[correction.pixels] = correction.value
