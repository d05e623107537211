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
from saccade.interactive.prepared import PreparedImage, prepare_image
from saccade.interactive.presets import LearnedFitSettings, preset_named
from saccade.interactive.stroke_maps import stroke_maps
from saccade.models.weights import Bundle, EnsembleMember
from scripts.train_bundled.fit_start import FitStart
from scripts.train_bundled.fusion_stage import FusionStage

PRESET = preset_named("fast")  # what the networks will be asked with


def bundle_of(model: FitStart, stage: FusionStage) -> Bundle:
    """What was learned in the form the product reads."""
    start = {k: v.detach() for k, v in model.start.items()}
    rates = {k: v.detach() for k, v in model.rates.items()}
    member = EnsembleMember(stage.encoder, stage.fusion)
    return Bundle(model.head, model.fuse, start, rates, (member,))


def cues_of(
    bundle: Bundle,
    image: NDArray[np.uint8],
    strokes: NDArray[Any],
    classes: int,
    generator: torch.Generator,
) -> tuple[PreparedImage, Tensor, Tensor]:
    """Prepared image, cues (P, C, h, w) and stroked classes, by the functions of the product."""
    assert isinstance(PRESET.fit, LearnedFitSettings)
    prepared = prepare_image(image, bundle=bundle)
    maps = stroke_maps(prepared, strokes.astype(np.int64), tuple(range(classes)), PRESET.fit)
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
    return prepared, compute_cues(averaged, maps, lab, edges, generator=generator), maps.stroked
