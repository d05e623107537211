"""One training loop for both stages, and a look at human strokes on the way."""

from __future__ import annotations

import copy
import time
from pathlib import Path

import numpy as np
import torch
from episodes import draw_more
from fusion import FusionStage, bundle_of, cues_of
from PIL import Image
from torch import nn
from torch.nn import functional as F

from saccade.evaluation.metrics import confusion_matrix, mean_iou
from saccade.interactive.fusion import fuse_cues
from saccade.models.fusion_net import CUE

AVERAGE = 0.998  # per step, of the weights that are kept
FREEZE = 0.7  # share of the time after which normalisation keeps its statistics


def train(args, module: nn.Module, loss_of, batches, save) -> None:
    """Adam with warm-up and cosine decay; ``save(module, step, losses)`` now and then.

    A module with ``freeze_norm`` is kept as the running average of its weights.
    """
    device = torch.device(args.device)
    generator = torch.Generator(device).manual_seed(args.seed)
    parameters = [p for p in module.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=args.lr, weight_decay=1e-3)
    averaged = hasattr(module, "freeze_norm")
    if averaged:  # faster on every device
        module.to(memory_format=torch.channels_last)
    kept = copy.deepcopy(module).eval() if averaged else module
    began, running, step = time.time(), 0.0, 0
    while (elapsed := time.time() - began) < args.seconds and step < args.steps:
        part = max(elapsed / args.seconds, step / args.steps)
        if averaged and part > FREEZE:
            module.freeze_norm()
        warm = min(1.0, (step + 1) / 100)
        for group in optimizer.param_groups:
            group["lr"] = args.lr * warm * 0.5 * (1 + np.cos(np.pi * part)) + 1e-6
        batch = next(batches)  # what it is made of stays in full precision
        with torch.autocast(device.type, torch.bfloat16, enabled=args.bfloat16):
            loss = loss_of(batch, device, generator)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        running = loss.item() if step == 0 else 0.98 * running + 0.02 * loss.item()
        step += 1
        if averaged:
            _average(kept, module, min(AVERAGE, 1 - 1 / (step + 1)))
        if step % args.every == 0:
            save(kept, step, f"{step} {time.time() - began:.0f}s loss {running:.4f}")
    save(kept, step, f"end {step} {time.time() - began:.0f}s loss {running:.4f}")


@torch.no_grad()
def _average(kept: nn.Module, module: nn.Module, share: float) -> None:
    for old, new in zip(kept.state_dict().values(), module.state_dict().values(), strict=True):
        if old.dtype.is_floating_point:
            old.mul_(share).add_(new, alpha=1 - share)


@torch.no_grad()
def look(model, stage: FusionStage | None, root: Path, only: set[str]) -> str:
    """Mean IoU on strokes of people (iseg) and CamVid's validation, of the sets that are there.

    Of iseg ``only`` these stems, all of them where there is none.
    """
    bundle = bundle_of(model, stage or FusionStage())
    told = []
    for kind in ("thin", "full", "dense"):
        if (root / f"iseg/scribbles_{kind}").is_dir():
            pairs = _pairs(root / "iseg", f"scribbles_{kind}", "images", "masks", only)
            told.append(f"{kind} {_mean_score(bundle, stage, pairs):.4f}")
    if stage is not None and (root / "iseg/scribbles_thin").is_dir():
        pairs = _pairs(root / "iseg", "scribbles_thin", "images", "masks", only)
        told.append(f"thin and more {_mean_score(bundle, stage, _with_more(pairs)):.4f}")
    if stage is not None and (root / "camvid/val_scribbles").is_dir():
        pairs = _pairs(root / "camvid", "val_scribbles", "val", "valannot", set())
        matrix = sum(_confusion(bundle, stage, *pair, 11) for pair in pairs)
        told.append(f"camvid {mean_iou(matrix):.4f}")
    return "  ".join(told)


def _pairs(root: Path, strokes: str, images: str, masks: str, only: set[str]):
    for path in sorted((root / strokes).iterdir()):
        if only and path.stem not in only:
            continue
        image = next((root / images).glob(path.stem + ".*"))
        mask = next((root / masks).glob(path.stem + ".*"))
        yield tuple(np.array(Image.open(p)) for p in (image, path, mask))


def _with_more(pairs):
    """The same with up to a dozen correct strokes added, always the same ones."""
    for number, (image, strokes, truth) in enumerate(pairs):
        yield image, draw_more(np.random.default_rng(number), truth, strokes), truth


def _mean_score(bundle, stage, pairs) -> float:
    scores = [mean_iou(_confusion(bundle, stage, *pair, 2)) for pair in pairs]
    return float(np.mean(scores))


def _confusion(bundle, stage, image, strokes, truth, classes):
    generator = torch.Generator().manual_seed(0)
    prepared, cues, stroked = cues_of(bundle, image[..., :3], strokes, classes, generator)
    if stage is None:
        p = torch.full((classes, *cues.shape[2:]), -1e4)
        p[stroked] = cues[:, CUE["network"]]
    else:
        p = fuse_cues(cues, stroked, classes, bundle.ensemble, [prepared.encoding()])
    mask = F.interpolate(p[None], truth.shape, mode="bilinear")[0].argmax(0).numpy()
    truth = np.where(truth < classes, truth, 255)
    return confusion_matrix(truth, mask, classes)
