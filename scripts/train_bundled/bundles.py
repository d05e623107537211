"""What was trained in the form that the package reads, and asked as the package asks it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from saccade.interactive.averaging import average_draws
from saccade.interactive.cues import compute_cues
from saccade.interactive.fit_learned import fit_learned
from saccade.interactive.inputs import UNLABELED
from saccade.interactive.prepared import PreparedImage, prepare_image
from saccade.interactive.presets import LearnedFitSettings, preset_named
from saccade.interactive.shared import cues_by, fit_shared
from saccade.interactive.stroke_maps import stroke_maps
from saccade.interactive.stroked import Stroked, prepare_strokes
from saccade.models.features import Statistics, normalized_lab, raw_half_size_features
from saccade.models.object_net import ObjectNet
from saccade.models.weights import Bundle, EnsembleMember
from scripts.train_bundled.elsewhere import Group
from scripts.train_bundled.fit_start import FitStart
from scripts.train_bundled.fusion_stage import FusionStage
from scripts.train_bundled.windows import Episode

PRESET = preset_named("fast")  # what the networks will be asked with


def bundle_of(model: FitStart, stage: FusionStage, objects: ObjectNet | None = None) -> Bundle:
    """What was learned in the form the product reads."""
    start = {k: v.detach() for k, v in model.start.items()}
    rates = {k: v.detach() for k, v in model.rates.items()}
    member = EnsembleMember(stage.encoder, stage.fusion)
    return Bundle(model.head, model.fuse, start, rates, (member,), objects)


def cues_of(
    prepared: PreparedImage,
    strokes: NDArray[Any],
    classes: int,
    generator: torch.Generator,
    last: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Cues (P, C, h, w) and stroked classes, by the functions of the package."""
    assert isinstance(PRESET.fit, LearnedFitSettings)
    bundle, index = prepared.bundle, strokes.astype(np.int64)
    index[index == UNLABELED] = classes
    maps = stroke_maps(
        prepared, index, tuple(range(classes)), PRESET.fit, objects=PRESET.objects, last=last
    )
    net = fit_learned(
        prepared.fused_inputs,
        maps.labels_half,
        classes,
        bundle,
        PRESET.fit,
        sigma=PRESET.network.sigma,
        generator=generator,
    )
    averaged = average_draws(
        net,
        prepared.inputs,
        maps.stroked,
        draws=PRESET.draws,
        generator=generator,
        placement=PRESET.placement,
        fused=prepared.fused_inputs,
    )
    lab, edges = prepared.lab, prepared.standardized_lab
    return compute_cues(averaged, maps, lab, edges, generator=generator), maps.stroked


Shown = tuple[tuple[Tensor, Tensor], ...]  # inputs (C, h, w) and strokes (P, h, w) of each image


def shared_cues_of(
    bundle: Bundle, group: Group, generator: torch.Generator
) -> tuple[Tensor, Tensor, PreparedImage, Shown]:
    """Cues (P, C, h, w) and classes by strokes on other images, the image, and these others."""
    statistics = _statistics(bundle, group) if group.one_image else None

    def prepared(episode: Episode) -> Stroked:
        image, _, strokes = episode
        index = strokes.astype(np.int64)
        index[index == UNLABELED] = group.classes
        image = np.ascontiguousarray(image)
        ready = prepare_image(image, bundle=bundle, statistics=statistics)
        return prepare_strokes(ready, index, tuple(range(group.classes)), PRESET)

    shown, asked = [prepared(one) for one in group.shown], prepared(group.asked)
    fit = fit_shared(shown, PRESET, seed=generator.initial_seed() % 2**31)
    cues = cues_by(fit, asked.image, asked.strokes, PRESET, generator)
    drawn = fit.known.stroked.view(-1, 1, 1)
    others = tuple((one.image.inputs[0].half(), one.strokes.strokes_half == drawn) for one in shown)
    return cues, fit.known.stroked, asked.image, others


def _statistics(bundle: Bundle, group: Group) -> Statistics:
    """Of all windows of one image together."""
    images = torch.from_numpy(np.stack([one[0] for one in (group.asked, *group.shown)]))
    with torch.no_grad():
        maps = raw_half_size_features(
            bundle.head, images.movedim(3, 1).float() / 127.5 - 1, normalized_lab(images)
        )
    variance, mean = torch.var_mean(maps, (0, 2, 3), correction=0)
    return Statistics(mean, variance)
