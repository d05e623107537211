"""The learned start of the fit: features, fusion, initial weights and step sizes."""

from __future__ import annotations

import torch
from episodes import Batch
from torch import Tensor, nn
from torch.nn import functional as F

from saccade.interactive.meta_steps import labeled_pixels, take_meta_steps
from saccade.models.features import (
    INPUT_CHANNELS,
    MobileNetHead,
    half_size_features,
    normalized_lab,
)
from saccade.models.scribble_net.batched import (
    Weights,
    batched_scores,
    initial_weights,
    whole_offsets,
)
from saccade.models.scribble_net.gathering import TAPS


class FitStart(nn.Module):
    """What the ``fit`` stage learns."""

    def __init__(self, channels: int = 16, hidden: int = 32, steps: int = 8) -> None:
        super().__init__()
        self.head = MobileNetHead()
        for m in self.head.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight)
                nn.init.zeros_(m.bias)
        self.fuse = nn.Conv2d(INPUT_CHANNELS, channels, 1)
        start = initial_weights(
            channels, 1, hidden=hidden, generator=torch.Generator().manual_seed(0)
        )
        del start["out"], start["out_bias"]
        self.start = nn.ParameterDict({k: nn.Parameter(v[0].clone()) for k, v in start.items()})
        names = [*start, "out", "out_bias"]
        self.rates = nn.ParameterDict({k: nn.Parameter(torch.full((steps,), -2.5)) for k in names})
        self.hidden = hidden

    def rows(self, image: Tensor) -> tuple[Tensor, Tensor, tuple[int, int]]:
        """Fused rows (B, H*W, C), guide maps (B, C + 3, H, W) and their size, half the image's."""
        lab = normalized_lab(image)
        maps = half_size_features(self.head, image.movedim(3, 1).float() / 127.5 - 1, lab)
        fused = self.fuse(maps)
        guide = torch.cat([fused, maps[:, 40:]], 1)
        return fused.flatten(2).transpose(1, 2).contiguous(), guide, tuple(fused.shape[2:])

    def weights(self, batch: int, classes: int) -> Weights:
        start = {k: v.expand(batch, *v.shape) for k, v in self.start.items()}
        device = self.fuse.weight.device
        start["out"] = torch.zeros(batch, self.hidden, classes, device=device, requires_grad=True)
        start["out_bias"] = torch.zeros(batch, 1, classes, device=device, requires_grad=True)
        return start

    def step_sizes(self) -> Weights:
        return {k: v.exp() for k, v in self.rates.items()}


def half(labels: Tensor) -> Tensor:
    """Labels (B, H, W) at half size: any stroke of a 2x2 block counts, 255 only where none is."""
    labels = F.pad(labels, (0, labels.shape[2] % 2, 0, labels.shape[1] % 2), value=255)
    blocks = labels.unfold(1, 2, 2).unfold(2, 2, 2).flatten(3)
    return blocks.amin(3).long()


def meta_loss(model: FitStart, batch: Batch, device, generator, queries=600, per_class=64):
    image, strokes, truth = (t.to(device) for t in (batch.image, batch.strokes, batch.truth))
    rows, _, size = model.rows(image)
    labeled = labeled_pixels(half(strokes), batch.classes)
    per_class = per_class if batch.classes == 2 else 24
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
