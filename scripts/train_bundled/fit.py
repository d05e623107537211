"""The stage ``fit``: features, and a start from which a few gradient steps on strokes segment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from saccade.errors import InputError
from saccade.interactive.meta_steps import labeled_pixels, take_meta_steps
from saccade.models.scribble_net.batched import batched_scores, whole_offsets
from saccade.models.scribble_net.gathering import TAPS
from scripts.train_bundled.bundles import bundle_of
from scripts.train_bundled.episodes import MANY, Photographs, learned_from
from scripts.train_bundled.fit_start import FitStart
from scripts.train_bundled.fusion_stage import FusionStage
from scripts.train_bundled.scores import scores_of
from scripts.train_bundled.settings import Stage
from scripts.train_bundled.tasks import Kind, Place, Source, State, Weights
from scripts.train_bundled.windows import Episode, Rng, jitter

TRIES = 1000  # at a batch, before its kind of episodes is given up


@dataclass(frozen=True)
class Batch:
    """Episodes of one kind: image (B, H, W, 3), strokes and truth (B, H, W), all uint8."""

    image: Tensor
    strokes: Tensor
    truth: Tensor
    classes: int


class FitEpisodes:
    """Batches of binary photographs, or of several classes."""

    def __init__(self, root: Path, stage: Stage) -> None:
        self.photographs = Photographs(root, stage.shares)
        self.shares, self.batch = dict(stage.shares), stage.batch

    def draw(self, rng: Rng, generator: torch.Generator) -> Batch:
        kind = str(rng.choice(list(self.shares), p=list(self.shares.values())))
        items: list[Episode] = []
        for _ in range(TRIES):
            item = self.photographs.episode(rng, kind)
            if item is not None:
                items.append(item)
            if len(items) == self.batch:
                break
        else:
            raise InputError(f"the photographs have no episode of the kind {kind!r} for strokes")
        image, truth, strokes = (torch.from_numpy(np.stack(x)) for x in zip(*items, strict=True))
        if rng.random() < 0.4:
            image, truth, strokes = (
                t.transpose(1, 2).contiguous() for t in (image, truth, strokes)
            )
        return Batch(image, strokes, truth, 2 if kind == "binary" else MANY)


class FitTask:
    """Trains a `FitStart`."""

    def __init__(self, stage: Stage, start: Weights, place: Place) -> None:
        torch.manual_seed(stage.seed)
        self.module: nn.Module = FitStart()
        if "fit" in start:
            self.module.load_state_dict(start["fit"])
        self.module.to(place.device)
        self.source: Source[Batch] = FitEpisodes(place.data, stage)

    rates: Mapping[str, float] = {}

    def vary(self, batch: Batch, rng: Rng, *, first: bool) -> Batch:
        """Mirrored, and in other colors, where it was seen before."""
        if first:
            return batch
        image, strokes, truth = batch.image, batch.strokes, batch.truth
        for axis in (1, 2):
            if rng.random() < (0.5 if axis == 2 else 0.2):
                image, strokes, truth = image.flip(axis), strokes.flip(axis), truth.flip(axis)
        return Batch(torch.from_numpy(jitter(rng, image.numpy())), strokes, truth, batch.classes)

    def loss(self, module: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
        return meta_loss(cast(FitStart, module), batch, generator)


def half(labels: Tensor) -> Tensor:
    """Labels (B, H, W) at half size: any stroke of a 2x2 block counts, 255 only where none is."""
    labels = F.pad(labels, (0, labels.shape[2] % 2, 0, labels.shape[1] % 2), value=255)
    blocks = labels.unfold(1, 2, 2).unfold(2, 2, 2).flatten(3)
    return blocks.amin(3).long()


def meta_loss(
    model: FitStart, batch: Batch, generator: torch.Generator, queries: int = 600
) -> Tensor:
    """How well the steps on the strokes segment ``queries`` other places of each image."""
    device = model.fuse.weight.device
    image, strokes, truth = (t.to(device) for t in (batch.image, batch.strokes, batch.truth))
    rows, _, size = model.rows(image)
    labeled = labeled_pixels(half(strokes), batch.classes)
    per_class = 64 if batch.classes == 2 else 24
    weights = take_meta_steps(
        model.weights(len(image), batch.classes),
        model.step_sizes(),
        rows,
        size,
        labeled,
        per_class=per_class,
        generator=generator,
        create_graph=True,
    )
    y = torch.randint(size[0], (len(image), queries), device=device, generator=generator)
    x = torch.randint(size[1], (len(image), queries), device=device, generator=generator)
    target = truth[:, ::2, ::2][torch.arange(len(image), device=device)[:, None], y, x].long()
    offsets = whole_offsets(
        (len(image), TAPS * queries, TAPS, 2), 0.2 * min(size), generator, rows.device
    )
    scores = batched_scores(weights, rows, size, torch.stack([y, x], 2), offsets)
    scores = scores.masked_fill(labeled.counts[:, None] == 0, -1e4)
    return balanced_cross_entropy(scores.movedim(2, 1), target, batch.classes)


def balanced_cross_entropy(scores: Tensor, target: Tensor, classes: int) -> Tensor:
    """Half plain, half class-balanced cross-entropy per image, since mean IoU wants both."""
    valid = target != 255
    safe = target.masked_fill(~valid, 0)
    loss = F.cross_entropy(scores, safe, reduction="none") * valid
    loss = loss.clamp_max(8.0).flatten(1)
    onehot = F.one_hot(safe.flatten(1), classes) * valid.flatten(1).unsqueeze(2)
    counts = onehot.sum(1)
    share = (onehot / counts.clamp_min(1)[:, None]).sum(2) / (counts > 0).sum(1, keepdim=True)
    plain = valid.flatten(1) / valid.flatten(1).sum(1, keepdim=True).clamp_min(1)
    return (loss * (0.5 * share + 0.5 * plain)).sum(1).mean()


def _photographs(stage: Stage, root: Path) -> dict[str, frozenset[str]]:
    seen = Photographs(root, stage.shares)
    sets = {"bsds": seen.bsds, "camvid": seen.camvid}
    return {name: frozenset(p.stem for p, _ in pairs) for name, pairs in sets.items() if pairs}


def _scores(weights: Weights, place: Place, only: frozenset[str], most: int) -> dict[str, float]:
    """Of the network alone, before colors and distances join in."""
    model = FitStart()
    model.load_state_dict(weights["fit"])
    return scores_of(bundle_of(model, FusionStage()), place.data, only, most, fused=False)


def _pack(state: State, member: int) -> State:
    """The start in half precision."""
    return {k: v.half() if k.startswith("start.") else v for k, v in state.items()}


KIND = Kind(
    shares=("binary", "segments", "street"),
    needs=(),
    data=lambda stage: learned_from(k for k, share in stage.shares.items() if share),
    photographs=_photographs,
    task=FitTask,
    scores=_scores,
    pack=_pack,
)
