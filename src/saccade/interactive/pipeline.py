"""Strokes to a mask, for one image.

`segment_prepared` is the whole way, in this order:

    strokes -> labels -> fit -> average -> cues -> fuse -> refine -> upsample

The image was prepared before (`saccade.interactive.prepared`): a frozen extractor has made 40
feature maps, Lab colors join them, all at half of the working size. Networks work at that size,
and so do all steps up to the first refinement.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from saccade.interactive.averaging import AveragedPrediction, average_draws
from saccade.interactive.cues import compute_cues
from saccade.interactive.finish import at_full_size, refine
from saccade.interactive.fit_learned import fit_learned
from saccade.interactive.fit_paper import fit_paper
from saccade.interactive.fusion import fuse_cues
from saccade.interactive.prepared import PreparedImage
from saccade.interactive.presets import LearnedFitSettings, Preset
from saccade.interactive.refinement import coarse_labels, gini_uncertainty
from saccade.interactive.result import Segmentation
from saccade.interactive.run import Run
from saccade.interactive.stroke_maps import StrokeMaps, stroke_maps
from saccade.models.scribble_net import ScribbleNet


@dataclass(frozen=True)
class Fitted:
    """What is left of a fit.

    Attributes:
        net: the fitted network.
        strokes: what it was fitted to.
        result: at the size of the image.
        half: (K, h / 2, w / 2) its probabilities, which the next strokes correct.
    """

    net: ScribbleNet
    strokes: StrokeMaps
    result: Segmentation
    half: Tensor


@dataclass(frozen=True)
class Answer:
    """What is said of an image before it is brought to its full size.

    Attributes:
        net: the fitted network.
        strokes: what it was fitted to.
        probabilities: (K, h, w) at the working size.
        uncertainty: (1, h', w').
    """

    net: ScribbleNet
    strokes: StrokeMaps
    probabilities: Tensor
    uncertainty: Tensor


def segment_prepared(
    image: PreparedImage,
    stroke_index: NDArray[np.int64],
    classes: tuple[int, ...],
    preset: Preset,
    *,
    seed: int = 0,
    run: Run | None = None,
    warm_start: ScribbleNet | None = None,
    last: Tensor | None = None,
    discard_cancelled: bool = False,
) -> Fitted | None:
    """Segment a prepared image from strokes.

    Args:
        image: of `prepare_image`.
        stroke_index: (H, W) class index, K where nobody drew, of `encode_strokes`.
        classes: the K class values.
        preset: all settings.
        seed: of everything drawn at random.
        run: progress, cancelling, previews and timings.
        warm_start: a fitted network from which the paper's optimisation goes on; it is changed.
        last: (K, h / 2, w / 2) probabilities of the mask that the strokes correct, `Fitted.half`.
        discard_cancelled: whether a cancelled run gives None; otherwise it gives the mask of the
            steps done so far.

    >>> from saccade.interactive.prepared import prepare_image
    >>> from saccade.interactive.presets import preset_named
    >>> rgb = np.full((64, 96, 3), 40, np.uint8)
    >>> rgb[20:44, 30:66] = 200
    >>> index = np.full((64, 96), 2)
    >>> index[5, 10:80], index[32, 40:56] = 0, 1
    >>> fitted = segment_prepared(prepare_image(rgb), index, (0, 1), preset_named("fast"))
    >>> int(fitted.result.labels[25, 60]), int(fitted.result.labels[60, 90])
    (1, 0)
    """
    run = run or Run()
    answer = answer_prepared(
        image,
        stroke_index,
        classes,
        preset,
        seed=seed,
        run=run,
        warm_start=warm_start,
        last=last,
        discard_cancelled=discard_cancelled,
    )
    if answer is None:
        return None
    began, p = time.perf_counter(), answer.probabilities
    result = at_full_size(image, answer.strokes, p, answer.uncertainty, preset)
    half = F.interpolate(p[None], image.half_size, mode="area")[0]
    run.timings["refine"] += time.perf_counter() - began
    result.timings.update(run.timings, total=sum(run.timings.values()))
    return Fitted(answer.net, answer.strokes, result, half)


def answer_prepared(
    image: PreparedImage,
    stroke_index: NDArray[np.int64],
    classes: tuple[int, ...],
    preset: Preset,
    *,
    seed: int = 0,
    run: Run,
    warm_start: ScribbleNet | None = None,
    last: Tensor | None = None,
    discard_cancelled: bool = False,
) -> Answer | None:
    """All of `segment_prepared` but the last step, to the size of the image.

    Args:
        image: as there, and what follows too.
        stroke_index: class index, K where nobody drew, at the size of the image or a smaller one.
        classes: the K class values.
        preset: all settings.
        seed: of everything drawn at random.
        run: progress, cancelling, previews and timings.
        warm_start: a fitted network from which the paper's optimisation goes on; it is changed.
        last: (K, h / 2, w / 2) probabilities of the mask that the strokes correct.
        discard_cancelled: whether a cancelled run gives None.
    """
    generator = torch.Generator(image.device).manual_seed(seed)
    learned = isinstance(preset.fit, LearnedFitSettings)

    # Strokes to labels: to half size, no stroke lost, then expanded to superpixels.
    with run.stage("superpixels", 0.04):
        strokes = stroke_maps(
            image, stroke_index, classes, preset.fit, objects=preset.objects, last=last
        )

    # Fit: a few steps from the learned start, or the paper's optimisation from a random one.
    with run.stage("fit", 0.05):
        net = _fit(image, strokes, preset, warm_start, generator, run)
    if run.cancelled and discard_cancelled:
        return None

    # Average: the network's answer over draws of its sampling positions, and their spread.
    with run.stage("draw", 0.6):
        averaged = average_draws(
            net,
            image.inputs if learned else image.features,
            strokes.stroked,
            draws=preset.draws,
            average=preset.average,
            placement=preset.placement,
            generator=generator,
            step=run.inner(0.6, 0.8, "draw"),
            fused=image.fused_inputs if learned else None,
        )
    if run.cancelled and discard_cancelled:
        return None

    with run.stage("refine", 0.8):
        probabilities = averaged.mean
        if preset.fusion:
            probabilities = _cues_and_fuse(image, strokes, averaged, preset, generator)
        uncertainty = gini_uncertainty(probabilities)
        probabilities = refine(image, strokes, probabilities, preset, run)
    return Answer(net, strokes, probabilities, uncertainty)


def _fit(
    image: PreparedImage,
    strokes: StrokeMaps,
    preset: Preset,
    warm_start: ScribbleNet | None,
    generator: torch.Generator,
    run: Run,
) -> ScribbleNet:
    """The light network, fitted to the labels."""
    step = run.inner(0.05, 0.6, "fit")
    if isinstance(preset.fit, LearnedFitSettings):
        return fit_learned(
            image.fused_inputs,
            strokes.labels_half,
            strokes.count,
            image.bundle,
            preset.fit,
            sigma=preset.network.sigma,
            generator=generator,
            step=step,
        )
    return fit_paper(
        image.features,
        strokes.labels_half,
        strokes.count,
        preset.fit,
        preset.network,
        generator=generator,
        step=step,
        warm_start=warm_start,
        watch=_previews(image, strokes, preset, generator, run) if run.wants_previews else None,
    )


def _cues_and_fuse(
    image: PreparedImage,
    strokes: StrokeMaps,
    averaged: AveragedPrediction,
    preset: Preset,
    generator: torch.Generator,
) -> Tensor:
    """Cues of each class that somebody drew, and the fusion network's probabilities (K, h, w)."""
    cues = compute_cues(averaged, strokes, image.lab, image.standardized_lab, generator=generator)
    members = image.bundle.ensemble[: preset.ensemble]
    encodings = [image.encoding(member) for member in members]
    return fuse_cues(cues, strokes.stroked, strokes.count, members, encodings)


def _previews(
    image: PreparedImage,
    strokes: StrokeMaps,
    preset: Preset,
    generator: torch.Generator,
    run: Run,
) -> Callable[[ScribbleNet], None]:
    """Coarse masks of a half fitted network, by draws of their own: no other draw may change."""
    seed = generator.initial_seed()

    def watch(net: ScribbleNet) -> None:
        averaged = average_draws(
            net,
            image.features,
            torch.arange(strokes.count, device=image.device),
            draws=1,
            average=preset.average,
            placement=preset.placement,
            generator=torch.Generator(image.device).manual_seed(seed),
        )
        run.show(lambda: coarse_labels(averaged.mean, strokes.classes, image.size))

    return watch
