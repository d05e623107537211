"""The stage ``fusion``: the frozen fit as in the package, and a network that reads its cues."""

# No `from __future__ import annotations` here: `from_table` reads the types of the fields.
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from saccade.data.tables import from_table
from saccade.errors import InputError
from saccade.models.object_net import ObjectNet
from saccade.models.weights import FILE_PARTS
from scripts.train_bundled.bundles import bundle_of
from scripts.train_bundled.episodes import Photographs, learned_from
from scripts.train_bundled.fields import fields
from scripts.train_bundled.fit_start import FitStart
from scripts.train_bundled.fusion_episodes import PAIRS, THINGS, Examples, FusionEpisodes
from scripts.train_bundled.fusion_stage import FusionStage, packed, stage_with
from scripts.train_bundled.objects import held_out, photos
from scripts.train_bundled.scores import scores_of
from scripts.train_bundled.settings import Stage
from scripts.train_bundled.tasks import Kind, Place, Source, State, Weights
from scripts.train_bundled.things import things
from scripts.train_bundled.windows import Rng


@dataclass(frozen=True)
class FusionOptions:
    """What the table ``options`` of a stage may say.

    Attributes:
        kept: by how much more it costs to lose what was right in the mask that strokes correct.
    """

    kept: float = 0.0


class FusionTask:
    """Trains a `FusionStage` on the cues of a fit that stays as it is."""

    def __init__(self, stage: Stage, start: Weights, place: Place) -> None:
        torch.manual_seed(stage.seed)
        self._options = _options(stage, f"stage {stage.name}")
        before = start.get("fusion")
        module = stage_with(before).to(place.device)
        module.to(memory_format=torch.channels_last)  # faster on every device
        self.module: nn.Module = module
        objects = object_net(start.get("object"))
        if stage.shares.get("clicks") and objects is None:
            raise InputError(
                f"stage {stage.name}: shares: clicks are of an object network, must start from a "
                "stage of kind object too"
            )
        bundle = bundle_of(frozen(start["fit"]), stage_with(before).folded(), objects)
        self.source: Source[Examples] = FusionEpisodes(
            bundle, place.data, stage, fused=before is not None
        )

    rates: Mapping[str, float] = {}

    def vary(self, batch: Examples, rng: Rng, *, first: bool) -> Examples:
        """Mirrored at random."""
        kind, images = batch
        axes = [axis for axis, share in ((-1, 0.5), (-2, 0.25)) if rng.random() < share]
        return kind, [x.flip(axes) for x in images]

    def loss(self, module: nn.Module, batch: Examples, generator: torch.Generator) -> Tensor:
        kind, images = batch
        stage = cast(FusionStage, module)
        return stage.loss(images, binary=kind in PAIRS, kept=self._options.kept)


def _options(stage: Stage, where: str) -> FusionOptions:
    options: FusionOptions = from_table(FusionOptions, f"{where}: options", dict(stage.options))
    if not 0 <= options.kept < math.inf:
        raise InputError(f"{where}: options: kept is {options.kept}, must be at least 0")
    return options


def _check(where: str, stage: Stage) -> None:
    _options(stage, where)


def object_net(state: State | None) -> ObjectNet | None:
    """The object network with these weights, which are not trained; None without any."""
    if state is None:
        return None
    net = ObjectNet()
    net.load_state_dict(state)
    return net.eval().requires_grad_(False).to(memory_format=torch.channels_last)


def frozen(state: State) -> FitStart:
    """The fit with these weights, which are not trained."""
    model = FitStart()
    model.load_state_dict(state)
    model.requires_grad_(False)
    for p in model.start.values():
        p.requires_grad_(True)  # the steps differentiate with respect to the start
    return model


def _shown(stage: Stage) -> list[str]:
    return [kind for kind, share in stage.shares.items() if share]


def _photographs(stage: Stage, root: Path) -> dict[str, frozenset[str]]:
    seen = Photographs(root, _shown(stage))
    sets = {
        "bsds": [path.stem for path, _ in seen.bsds],
        "camvid": [path.stem for path, _ in seen.camvid],
    }
    if "object" in _shown(stage):
        sets["iseg"] = [photo.image.stem for photo in photos(root, held_out(root, stage.hold))]
    if THINGS.intersection(_shown(stage)):
        sets["objects"] = [photo.image.stem for photo in things(root)]
    if {"field", "elsewhere"}.intersection(_shown(stage)):
        for field in fields(root):
            sets.setdefault(field.name, []).append(field.image.stem)
    return {name: frozenset(stems) for name, stems in sets.items() if stems}


def _scores(weights: Weights, place: Place, only: frozenset[str], most: int) -> dict[str, float]:
    stage = stage_with(weights["fusion"]).folded()
    objects = object_net(weights.get("object"))
    return scores_of(bundle_of(frozen(weights["fit"]), stage, objects), place.data, only, most)


def _pack(state: State, member: int) -> State:
    return packed(state, {part: f"{name}{member or ''}" for part, name in FILE_PARTS.items()})


KIND = Kind(
    shares=(
        "binary",
        "thing",
        "segments",
        "street",
        "object",
        "many",
        "clicks",
        "whole",
        "field",
        "elsewhere",
    ),
    needs=("fit",),
    data=lambda stage: learned_from(_shown(stage)),
    photographs=_photographs,
    task=FusionTask,
    scores=_scores,
    pack=_pack,
    check=_check,
)
