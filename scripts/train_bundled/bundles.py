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
from saccade.interactive.prepared import PreparedImage
from saccade.interactive.presets import LearnedFitSettings, preset_named
from saccade.interactive.stroke_maps import stroke_maps
from saccade.models.object_net import ObjectNet
from saccade.models.weights import Bundle, EnsembleMember
from scripts.train_bundled.fit_start import FitStart
from scripts.train_bundled.fusion_stage import FusionStage

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
