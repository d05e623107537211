"""Scores of an object network alone: clicks on photographs of sets that nothing is trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from saccade.interactive.objects import Box, log_odds_seen, look
from saccade.models.object_net import ObjectNet
from saccade.scribbles.clicks import next_click
from scripts.train_bundled.windows import Image8, Labels, load_labels, load_photo

SETS = ("ecssd", "davis")
TURNS = (1, 3, 5)  # clicks after which masks are scored
PHOTOGRAPHS = 40  # of each set at most


def score_things(net: ObjectNet, root: Path, most: int = 0) -> dict[str, float]:
    """Mean IoU after some clicks at the deepest point of the largest error, of the sets there are.

    Args:
        net: in eval mode.
        root: of the data.
        most: photographs of each set; 0 is `PHOTOGRAPHS`.
    """
    scores = {}
    for name in SETS:
        folder = root / name
        if not folder.is_dir():
            continue
        masks = sorted((folder / "masks").iterdir())
        masks = masks[:: max(1, len(masks) // (most or PHOTOGRAPHS))]
        rows = [_session(net, *_pair(folder, path)) for path in masks]
        for turn, value in zip(TURNS, np.mean(rows, 0), strict=True):
            scores[f"{name}, {turn} clicks"] = float(value)
    return scores


def _pair(folder: Path, mask: Path) -> tuple[Image8, Labels]:
    image = next((folder / "images").glob(f"{mask.stem}.*"))
    return load_photo(image), (load_labels(mask) > 0).astype(np.uint8)


def _session(net: ObjectNet, image: Image8, truth: Labels) -> list[float]:
    """IoU of the object after each of `TURNS` clicks."""
    height, width = truth.shape
    device = next(net.parameters()).device
    view = look(net, image, Box(0, 0, height, width), device)
    own = torch.zeros(2, height, width, dtype=torch.bool, device=device)
    mask, last, found = np.zeros_like(truth), None, []
    for turn in range(max(TURNS)):
        click = next_click(truth, mask)
        if click is not None:
            own[click.value] |= torch.from_numpy(click.pixels).to(device)
            scores = log_odds_seen(net, view, own, last)
            last = F.interpolate(scores[None], truth.shape, mode="bilinear")[0].sigmoid()
            mask = (last[1] > last[0]).cpu().numpy().astype(np.uint8)
        if turn + 1 in TURNS:
            both, either = (mask & truth).sum(), (mask | truth).sum()
            found.append(float(both / max(1, either)))
    return found
