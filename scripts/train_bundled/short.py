"""Whether a short run has learned something: its files against weights that are random."""

from __future__ import annotations

from pathlib import Path

import torch

from saccade.errors import InputError
from saccade.models.object_net import ObjectNet
from saccade.models.weights import Bundle, load_bundle
from scripts.train_bundled.bundles import bundle_of
from scripts.train_bundled.fit_start import FitStart
from scripts.train_bundled.fusion_episodes import PAIRS, FusionEpisodes
from scripts.train_bundled.fusion_stage import FusionStage
from scripts.train_bundled.loop import check_batches
from scripts.train_bundled.settings import PackedFile, Recipe, Stage


def check_better(recipe: Recipe, data: Path, out: Path) -> None:
    """Compare the loss of each packed file with that of the weights which training begins with.

    Both are of the same photographs and strokes, which no step has seen.

    Raises:
        InputError: a file is no better.
    """
    torch.manual_seed(0)
    start = bundle_of(FitStart(), FusionStage().folded(), ObjectNet().eval())
    for file in recipe.files:
        stage = _fusion_stage(recipe, file)
        packed = load_bundle(str(out / file.name), members=1)
        before, after = (_loss(bundle, stage, data) for bundle in (start, packed))
        print(f"{file.name}: loss {before:.4f} of random weights, {after:.4f} now", flush=True)
        if after >= before:
            raise InputError(f"{file.name}: loss {after:.4f}, must be below {before:.4f}")


def _fusion_stage(recipe: Recipe, file: PackedFile) -> Stage:
    stages = [recipe.stages[name] for names in file.members for name in names]
    return next(stage for stage in stages if stage.kind == "fusion")


def _loss(bundle: Bundle, stage: Stage, data: Path) -> float:
    networks = FusionStage(norm=False)
    member = bundle.ensemble[0]
    networks.encoder, networks.fusion = member.encoder, member.fusion
    batches = check_batches(FusionEpisodes(bundle, data, stage))
    losses = [networks.loss(images, binary=kind in PAIRS).item() for kind, images in batches]
    return sum(losses) / len(losses)
