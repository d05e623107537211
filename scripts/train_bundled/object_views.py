"""What the object network is shown: whole things, their parts, classes of a street, like things."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from saccade.errors import InputError
from scripts.train_bundled.episodes import Photographs
from scripts.train_bundled.fields import field_episode, fields
from scripts.train_bundled.instances import many_episode
from scripts.train_bundled.things import Mask, draw_view, things
from scripts.train_bundled.windows import Image8, Labels, Rng, Size

SHARES = ("things", "parts", "classes", "many", "field")
SIZES: tuple[Size, ...] = ((288, 288), (256, 320), (320, 256), (256, 320), (224, 352))
# The kinds of `Photographs` that they come from.
_SHOWN = {"parts": "binary", "classes": "street", "many": "many"}
_TRIES = 50


@dataclass(frozen=True)
class Views:
    """Photographs (B, 3, H, W) uint8, and the share (B, H / 2, W / 2) of each that is meant."""

    images: Tensor
    soft: Tensor


class ViewSource:
    """Draws views of one size.

    Args:
        root: of the data.
        shares: of *things*, whole objects of ``objects``; of *parts*, one to four human segments
            of ``bsds`` that touch, which teach that not always the whole is meant; of *classes*,
            one class of a street scene of ``camvid``; of *many*, repeated things (see
            `instances`); of *field*, cells, membranes, roads and vessels (see `fields`).
        batch: views of a draw.
    """

    def __init__(self, root: Path, shares: Mapping[str, float], batch: int) -> None:
        self.shares = {name: share for name, share in shares.items() if share}
        self.batch = batch
        self.things = things(root) if "things" in self.shares else []
        self.fields = fields(root) if "field" in self.shares else []
        self.photographs = Photographs(root, [_SHOWN[n] for n in self.shares if n in _SHOWN])

    def draw(self, rng: Rng, generator: torch.Generator) -> Views:
        size = SIZES[rng.integers(len(SIZES))]
        kinds = rng.choice(list(self.shares), size=self.batch, p=list(self.shares.values()))
        views = [self._view(rng, str(kind), size) for kind in kinds]
        images = torch.from_numpy(np.stack([image for image, _ in views])).movedim(3, 1)
        masks = torch.from_numpy(np.stack([mask for _, mask in views]))[:, None].float()
        return Views(images, F.avg_pool2d(masks, 2)[:, 0])

    def _view(self, rng: Rng, kind: str, size: Size) -> tuple[Image8, Mask]:
        if kind == "things":
            return draw_view(rng, self.things, size, int(rng.integers(len(self.things))))
        for _ in range(_TRIES):
            # Upright views are of photographs on their side.
            upright = size[0] > size[1]
            wide = size[::-1] if upright else size
            found = self._try(rng, kind, wide)
            if found is None:
                continue
            image, mask = (x.swapaxes(0, 1) if upright else x for x in found)
            return np.ascontiguousarray(image), np.ascontiguousarray(mask).astype(bool)
        raise InputError(f"{kind}: {_TRIES} photographs had no view of {size[0]}x{size[1]}")

    def _try(self, rng: Rng, kind: str, size: Size) -> tuple[Image8, Labels] | None:
        """Image and mask; None where the photograph that was drawn has none."""
        if kind == "many":
            episode = many_episode(rng, [image for image, _ in self.photographs.bsds], size)
        elif kind == "field":
            episode = field_episode(rng, self.fields[rng.integers(len(self.fields))], size)
        else:
            return self.photographs.labels(rng, _SHOWN[kind], size)
        return None if episode is None else episode[:2]
