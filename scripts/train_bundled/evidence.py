"""Evidence of the frozen fit, as the product computes it, and examples of it."""

from __future__ import annotations

import numpy as np
import torch
from episodes import Episodes
from fit import FitStart
from torch.utils.data import DataLoader

from saccade.interactive.fitting import fit_learned
from saccade.interactive.posterior import draw, gather_evidence
from saccade.interactive.presets import LearnedSettings
from saccade.interactive.scene import describe, shrink_strokes
from saccade.models.evidence import EvidenceNet
from saccade.models.weights import Bundle
from saccade.scribbles.superpixels import expand_strokes


def bundle_of(model: FitStart) -> Bundle:
    """The learned start in the form the product reads."""
    start = {k: v.detach() for k, v in model.start.items()}
    rates = {k: v.detach() for k, v in model.rates.items()}
    return Bundle(model.head, model.fuse, start, rates, EvidenceNet())


def evidence_of(bundle, image, strokes, classes, generator, draws=6):
    """(evidence (1, K, E, h, w), guide, absent) by the very functions of the product."""
    scene = describe(image, bundle=bundle)
    marks = shrink_strokes(strokes.astype(np.int64), classes, scene.half)
    grown = torch.from_numpy(expand_strokes(marks, scene.segments, classes))
    marks = torch.from_numpy(marks)
    go = lambda _: True  # noqa: E731
    net = fit_learned(
        scene, grown, classes, LearnedSettings(), sigma=0.2, generator=generator, step=go
    )
    absent = torch.tensor([not (marks == k).any() for k in range(classes)])
    belief = draw(
        net,
        scene.maps,
        draws=draws,
        average="softmax",
        absent=absent,
        generator=generator,
        step=go,
    )
    return gather_evidence(scene, net, belief, marks, grown, generator=generator)


class EvidenceEpisodes(Episodes):
    """Episodes with the frozen fit already run on them."""

    def __init__(self, model: FitStart, *args) -> None:
        super().__init__(*args)
        self.model = model

    def __iter__(self):
        torch.set_num_threads(1)
        generator = torch.Generator().manual_seed(self.seed)
        bundle = bundle_of(self.model)
        for batch in super().__iter__():
            rows = [
                evidence_of(bundle, image, strokes, batch.classes, generator)
                for image, strokes in zip(batch.image.numpy(), batch.strokes.numpy(), strict=True)
            ]
            evidence, guide, absent = (torch.stack(x) for x in zip(*rows, strict=True))
            truth = batch.truth[:, ::2, ::2].clone()
            yield evidence[:, 0].half(), guide[:, 0].half(), absent, truth, batch.classes


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
