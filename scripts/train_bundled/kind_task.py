"""The stage ``kinds``: the fusion networks for images of a kind, of which others have the strokes.

They begin with the fusion networks of one image, and see nothing but groups of images: what decides
is alike across images, not near to a stroke.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from saccade.errors import InputError
from saccade.models.weights import KIND_PARTS, Bundle
from scripts.train_bundled.bundles import bundle_of, shared_cues_of
from scripts.train_bundled.elsewhere import Group, Groups
from scripts.train_bundled.episodes import SIZE, Photographs
from scripts.train_bundled.fields import FIELDS, fields
from scripts.train_bundled.fusion import frozen, object_net
from scripts.train_bundled.fusion_stage import Example, FusionStage, packed, stage_with
from scripts.train_bundled.settings import Stage
from scripts.train_bundled.tasks import Kind, Place, Source, State, Weights
from scripts.train_bundled.windows import Episode, Image8, Rng

SIZES = {SIZE: 0.5, (288, 416): 0.5}  # with their shares
TRIES = 50  # at a group that the photographs may not have
_INVERTED, _GRAY, _MIXED = 0.25, 0.1, 0.15  # shares of the groups

Examples = list[Example]


class KindEpisodes:
    """Draws groups of images of a kind, and what the networks see of one of them.

    Args:
        bundle: whose fit makes the cues, on the CPU.
        root: of the data.
        stage: shares of the sources, see `elsewhere`, and examples of a batch.
    """

    def __init__(self, bundle: Bundle, root: Path, stage: Stage) -> None:
        self.bundle, self.batch = bundle, stage.batch
        photographs = Photographs(root, ["elsewhere"])
        self.groups = Groups(photographs, fields(root, drawn=True), stage.shares)

    def draw(self, rng: Rng, generator: torch.Generator) -> Examples:
        size = list(SIZES)[rng.choice(len(SIZES), p=list(SIZES.values()))]
        images: list[Example] = []
        for _ in range(TRIES):
            group = self.groups.draw(rng, size)
            if group is not None:
                images.append(self._example(rng, group, generator))
            if len(images) == max(1, self.batch // (1 + (size != SIZE))):
                return images
        raise InputError("the photographs have no groups of a kind")

    def _example(self, rng: Rng, group: Group, generator: torch.Generator) -> Example:
        group = recolored(rng, group)
        cues, stroked, prepared, shown = shared_cues_of(self.bundle, group, generator)
        half = torch.from_numpy(group.asked[1][::2, ::2].copy())
        return Example(cues.half(), prepared.inputs[0].half(), stroked, half, shown)


def recolored(rng: Rng, group: Group) -> Group:
    """Some groups inverted, grey, or with channels in another order: kinds that nobody has."""
    invert, gray, mix = (rng.random() < share for share in (_INVERTED, _GRAY, _MIXED))
    order = rng.permutation(3) if mix else np.arange(3)

    def other(image: Image8) -> Image8:
        image = image[..., order]
        if gray:
            image = np.repeat(image.mean(2, keepdims=True).astype(np.uint8), 3, 2)
        return 255 - image if invert else image

    def all_other(episode: Episode) -> Episode:
        image, truth, strokes = episode
        return other(image), truth, strokes

    shown = [all_other(episode) for episode in group.shown]
    return replace(group, asked=all_other(group.asked), shown=shown)


class KindTask:
    """Trains a `FusionStage` on groups of images."""

    def __init__(self, stage: Stage, start: Weights, place: Place) -> None:
        torch.manual_seed(stage.seed)
        module = stage_with(start.get("kinds") or start["fusion"]).to(place.device)
        module.to(memory_format=torch.channels_last)
        self.module: nn.Module = module
        objects = object_net(start.get("object"))
        bundle = bundle_of(frozen(start["fit"]), FusionStage(), objects)
        self.source: Source[Examples] = KindEpisodes(bundle, place.data, stage)

    rates: Mapping[str, float] = {}

    def vary(self, batch: Examples, rng: Rng, *, first: bool) -> Examples:
        """Mirrored at random."""
        axes = [axis for axis in (-1, -2) if rng.random() < 0.5]
        return [x.flip(axes) for x in batch]

    def loss(self, module: nn.Module, batch: Examples, generator: torch.Generator) -> Tensor:
        pairs = all(len(x.stroked) == 2 for x in batch)
        return cast(FusionStage, module).loss(batch, binary=pairs)


def _photographs(stage: Stage, root: Path) -> dict[str, frozenset[str]]:
    seen = Photographs(root, ["elsewhere"])
    sets = {
        "bsds": [path.stem for path, _ in seen.bsds],
        "camvid": [path.stem for path, _ in seen.camvid],
    }
    for field in fields(root, drawn=True):
        sets.setdefault(field.name, []).append(field.image.stem)
    return {name: frozenset(stems) for name, stems in sets.items() if stems}


def _scores(weights: Weights, place: Place, only: frozenset[str], most: int) -> dict[str, float]:
    return {}  # benchmarks.kinds scores them


def _pack(state: State, member: int) -> State:
    return packed(state, KIND_PARTS)


KIND = Kind(
    shares=("field", "street", "many", "tiles"),
    needs=("fit", "object", "fusion"),
    data=lambda stage: ("bsds", "camvid", *FIELDS),
    photographs=_photographs,
    task=KindTask,
    scores=_scores,
    pack=_pack,
)
"""Fusion networks for images of a kind."""
