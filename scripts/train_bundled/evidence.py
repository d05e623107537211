"""Evidence of the frozen fit, as the product computes it, and examples of it."""

from __future__ import annotations

import numpy as np
import torch
from episodes import Episodes
from fit import FitStart, half
from torch.utils.data import DataLoader

from saccade.interactive.adapt import adapt, labelled_pixels
from saccade.interactive.evidence import evidence_maps
from saccade.interactive.fitting import load_weights
from saccade.interactive.posterior import draw
from saccade.models.scribble_net import ScribbleNet


@torch.no_grad()
def evidence_of(model, image, strokes, classes, generator, draws=4, per_class=64):
    """(evidence (B, K, E, h, w), guide, absent) as the product computes them."""
    rows, guide, size = model.rows(image)
    marks = half(strokes).clamp(max=classes)
    labelled = labelled_pixels(marks, classes)
    with torch.enable_grad():
        weights = adapt(
            model.weights(len(image), classes),
            {k: v.detach() for k, v in model.step_sizes().items()},
            rows,
            size,
            labelled,
            per_class=max(16, 2 * per_class // classes),
            generator=generator,
        )
    absent = labelled.counts == 0
    channels = rows.shape[2]
    net = ScribbleNet(channels, classes, channels=channels, hidden=model.hidden).to(rows.device)
    net.fuse.weight.copy_(torch.eye(channels)[:, :, None, None])
    beliefs = []
    for b in range(len(image)):
        load_weights(net, {k: v[b : b + 1] for k, v in weights.items()})
        beliefs.append(
            draw(
                net,
                guide[b : b + 1, :-3],
                draws=draws,
                average="softmax",
                absent=absent[b],
                generator=generator,
                step=lambda _: True,
            )
        )
    mean, spread = (
        torch.stack(x) for x in zip(*[(x.mean, x.spread) for x in beliefs], strict=True)
    )
    return evidence_maps(mean, spread, marks, guide[:, -3:]), guide, absent


class EvidenceEpisodes(Episodes):
    """Episodes with the frozen fit already run on them."""

    def __init__(self, model: FitStart, *args) -> None:
        super().__init__(*args)
        self.model = model

    def __iter__(self):
        torch.set_num_threads(1)
        generator = torch.Generator().manual_seed(self.seed)
        for batch in super().__iter__():
            evidence, guide, absent = evidence_of(
                self.model, batch.image, batch.strokes, batch.classes, generator
            )
            yield (
                evidence.half(),
                guide.half(),
                absent,
                batch.truth[:, ::2, ::2].clone(),
                batch.classes,
            )


def evidence_pool(args, model):
    """Endless examples; each is kept and seen several times, mirrored at random."""
    data = EvidenceEpisodes(model, args.data, args.batch, args.seed)
    fresh = iter(
        DataLoader(
            data,
            batch_size=None,
            num_workers=args.workers,
            prefetch_factor=4 if args.workers else None,
        )
    )
    rng = np.random.default_rng(args.seed)
    pool = []
    while True:
        if len(pool) < args.reuse or rng.random() < 1 / args.reuse:
            pool.append(next(fresh))
            if len(pool) > args.pool:
                pool[int(rng.integers(len(pool)))] = pool.pop()
        evidence, guide, absent, truth, classes = pool[int(rng.integers(len(pool)))]
        axes = [a for a in (-1, -2) if rng.random() < 0.5]
        yield (
            evidence.float().flip(axes),
            guide.float().flip(axes),
            absent,
            truth.long().flip(axes),
            classes,
        )
