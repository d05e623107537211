"""One fit to the strokes of several images, and masks of any image of their kind.

The network and the colors are fitted to all strokes at once. An image that nobody drew on has no
distances to strokes: what is like the strokes of the others decides there, and its own strokes
count where it has some. In place of the object network, which answers what belongs to a click and
not what is alike, a regression on rich features is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from saccade.interactive.averaging import AveragedPrediction, average_draws
from saccade.interactive.color import fit_colors
from saccade.interactive.cues import Distances, KnownClasses, compute_cues
from saccade.interactive.finish import at_full_size, refine
from saccade.interactive.fit_joint import fit_jointly
from saccade.interactive.fusion import fuse_cues
from saccade.interactive.likeness import Likeness, likeness_of
from saccade.interactive.prepared import PreparedImage
from saccade.interactive.presets import LearnedFitSettings, Preset
from saccade.interactive.refinement import gini_uncertainty, refine_half
from saccade.interactive.regression import Regression, fit_regression
from saccade.interactive.result import Segmentation
from saccade.interactive.run import Run
from saccade.interactive.stroke_maps import StrokeMaps
from saccade.interactive.stroked import Stroked, prepare_strokes
from saccade.interactive.thin import KEPT, for_thin, share_kept, with_regression
from saccade.models.fusion_net import few_vectors, stroke_vectors
from saccade.models.scribble_net import ScribbleNet
from saccade.models.weights import EnsembleMember

_LOOKED_AT = 3  # images with strokes


@dataclass(frozen=True)
class SharedFit:
    """What several images with strokes tell of any other.

    Attributes:
        classes: the K class values.
        net: the network fitted to all.
        known: which classes were drawn, their colors, and how much of each.
        elsewhere: of each fusion network, for each class that was drawn, vectors (D, n) at its
            strokes.
        regression: of the classes that were drawn, on rich features; None where it is not asked.
        thin: whether the structures are thin, see `saccade.interactive.thin`.
        likeness: how the images look, where it is known.
    """

    classes: tuple[int, ...]
    net: ScribbleNet
    known: KnownClasses
    elsewhere: tuple[tuple[Tensor, ...], ...]
    regression: Regression | None
    thin: bool = False
    likeness: Likeness | None = None


def fit_shared(
    stroked: Sequence[Stroked],
    preset: Preset,
    *,
    seed: int = 0,
    run: Run | None = None,
    alone: bool = False,
) -> SharedFit:
    """Fit the network and the colors to all strokes.

    Args:
        stroked: images with strokes, prepared with the same weights and the same classes.
        preset: with `LearnedFitSettings`.
        seed: of everything drawn at random.
        run: progress, cancelling and timings.
        alone: whether all images that it is for have strokes of all classes, so that what
            `probabilities_of` needs for others is left out.
    """
    assert isinstance(preset.fit, LearnedFitSettings)
    run = run or Run()
    first = stroked[0]
    bundle, classes = first.image.bundle, first.strokes.classes
    generator = torch.Generator(first.image.device).manual_seed(seed)
    with run.stage("fit", 0.05):
        net = fit_jointly(
            [(one.image.fused_inputs, one.strokes.labels_half) for one in stroked],
            len(classes),
            bundle,
            preset.fit,
            sigma=preset.network.sigma,
            generator=generator,
            step=run.inner(0.05, 0.6, "fit"),
        )
    with run.stage("colors", 0.6):
        labels = [(one.image.lab, one.strokes.labels_half) for one in stroked]
        colors = fit_colors(labels, len(classes), generator=generator)
        drawn = torch.tensor(colors.present, device=first.image.device)
        masks = [one.strokes.strokes_half == drawn.view(-1, 1, 1) for one in stroked]
        amounts = torch.stack([own.flatten(1).sum(1) for own in masks]).sum(0)
        known = KnownClasses(drawn, colors, amounts)
        if alone:
            return SharedFit(classes, net, known, (), None)
        members = bundle.of_kinds(preset.ensemble)
        elsewhere = tuple(_vectors(stroked, masks, member) for member in members)
        seeds = [(one.image.rich, one.strokes.seeds_half) for one in stroked]
        regression = fit_regression(seeds, drawn, generator=generator)
    return SharedFit(classes, net, known, elsewhere, regression)


def fit_kind(
    stroked: Sequence[Stroked], preset: Preset, *, seed: int = 0, run: Run | None = None
) -> SharedFit:
    """`fit_shared` for other images: whether structures are thin, and how the images look.

    Args:
        stroked: as there, and what follows too.
        preset: with `LearnedFitSettings`.
        seed: of everything drawn at random.
        run: progress, cancelling and timings.
    """
    run = run or Run()
    fit = fit_shared(stroked, preset, seed=seed, run=run)
    if run.cancelled:
        return fit
    with run.stage("check", 0.65):
        known = [p for one in stroked if (p := one.image.rich.parts) is not None]
        likeness = likeness_of(known) if known else None
        return replace(fit, thin=_is_thin(fit, stroked, preset, seed), likeness=likeness)


def _is_thin(fit: SharedFit, stroked: Sequence[Stroked], preset: Preset, seed: int) -> bool:
    """Whether a partition takes away much of what the images with strokes show."""
    settings = preset.refine_of(len(fit.known.stroked))
    if settings is None or not preset.fusion or len(fit.known.stroked) < 2:
        return False
    before, after = [], []
    for one in stroked[:_LOOKED_AT]:
        none = np.full(one.image.size, len(fit.classes), np.int64)
        bare = prepare_strokes(one.image, none, fit.classes, preset).strokes
        before.append(probabilities_of(fit, one.image, bare, preset, seed=seed))
        lab = one.image.standardized_lab
        after.append(refine_half(before[-1], bare.strokes_half, lab, settings))
    return share_kept(before, after) < KEPT


def _vectors(
    stroked: Sequence[Stroked], masks: Sequence[Tensor], member: EnsembleMember
) -> tuple[Tensor, ...]:
    """Vectors at the strokes of each class in all images; few of many."""
    found = [
        stroke_vectors(one.image.encoding(member), own)
        for one, own in zip(stroked, masks, strict=True)
    ]
    return tuple(few_vectors(torch.cat(vectors, 1)) for vectors in zip(*found, strict=True))


def probabilities_of(
    fit: SharedFit,
    image: PreparedImage,
    strokes: StrokeMaps,
    preset: Preset,
    *,
    seed: int = 0,
    distances: Distances | None = None,
    alone: bool = False,
) -> Tensor:
    """Probabilities (K, h / 2, w / 2) of an image of the kind, before they are refined.

    Args:
        fit: of `fit_shared`.
        image: prepared with the same weights.
        strokes: its own; there may be none.
        preset: as that of the fit.
        seed: of the sampling positions and the colors of this image.
        distances: to strokes of other slices too, of the classes `SharedFit.known` has.
        alone: whether its own strokes show all classes, so that the fusion network of one image is
            asked, and the object network where ``strokes`` have its answer.
    """
    generator = torch.Generator(image.device).manual_seed(seed)
    if not preset.fusion:
        return averaged_by(fit, image, preset, generator).mean
    cues = cues_by(fit, image, strokes, preset, generator, distances=distances, alone=alone)
    members = image.bundle.of_kinds(preset.ensemble)
    elsewhere: Sequence[Sequence[Tensor]] | None = fit.elsewhere
    if alone:
        members, elsewhere = image.bundle.ensemble[: preset.ensemble], None
    encodings = [image.encoding(member) for member in members]
    return fuse_cues(cues, fit.known.stroked, len(fit.classes), members, encodings, elsewhere)


def averaged_by(
    fit: SharedFit, image: PreparedImage, preset: Preset, generator: torch.Generator
) -> AveragedPrediction:
    """What the network says of an image; ``generator`` draws its sampling positions."""
    return average_draws(
        fit.net.to(image.device),
        image.inputs,
        fit.known.stroked,
        draws=preset.draws,
        average=preset.average,
        placement=preset.placement,
        generator=generator,
        fused=image.fused_inputs,
    )


def cues_by(
    fit: SharedFit,
    image: PreparedImage,
    strokes: StrokeMaps,
    preset: Preset,
    generator: torch.Generator,
    *,
    distances: Distances | None = None,
    alone: bool = False,
) -> Tensor:
    """Cues (P, len(CUES), h / 2, w / 2) of an image by strokes on others, and its own.

    Args:
        fit: of `fit_shared`.
        image: prepared with the same weights.
        strokes: its own; there may be none.
        preset: as that of the fit.
        generator: of the sampling positions and the colors of this image.
        distances: to strokes of other slices too, of the classes `SharedFit.known` has.
        alone: as in `probabilities_of`.
    """
    if not alone:
        assert fit.regression is not None
        strokes = replace(strokes, objects=fit.regression.log_odds(image.rich))
    return compute_cues(
        averaged_by(fit, image, preset, generator),
        strokes,
        image.lab,
        image.standardized_lab,
        generator=generator,
        known=fit.known,
        distances=distances,
    )


def segment_shared(
    fit: SharedFit,
    image: PreparedImage,
    preset: Preset,
    *,
    stroke_index: NDArray[np.int64] | None = None,
    seed: int = 0,
    run: Run | None = None,
) -> Segmentation:
    """Mask of an image of the kind, with strokes of its own or without any.

    Strokes that show only some of the classes would draw all to them: what is near to a stroke of
    the others is not known. Such strokes have their own class, and count through the fit alone.

    Args:
        fit: of `fit_shared`.
        image: prepared with the same weights.
        preset: as that of the fit.
        stroke_index: (H, W) class index, K where nobody drew; None without strokes.
        seed: of everything drawn at random.
        run: progress and timings.

    >>> from saccade.interactive.prepared import prepare_image
    >>> from saccade.interactive.presets import preset_named
    >>> rgb = np.full((64, 96, 3), 40, np.uint8)
    >>> rgb[20:44, 30:66] = 200
    >>> index, fast = np.full((64, 96), 2), preset_named("fast")
    >>> index[5, 10:80], index[32, 40:56] = 0, 1
    >>> shown = prepare_strokes(prepare_image(rgb), index, (0, 1), fast)
    >>> other = prepare_image(np.roll(rgb, 20, 1))
    >>> found = segment_shared(fit_shared([shown], fast), other, fast)
    >>> found.labels.shape, found.classes
    ((64, 96), (0, 1))
    """
    run = run or Run()
    none = np.full(image.size, len(fit.classes), np.int64)
    stroke_index = none if stroke_index is None else stroke_index
    with run.stage("predict", 0.6):
        strokes = seen = prepare_strokes(image, stroke_index, fit.classes, preset).strokes
        drawn = set(strokes.stroked.tolist())
        if drawn and not set(fit.known.stroked.tolist()) <= drawn:
            seen = prepare_strokes(image, none, fit.classes, preset).strokes
        probabilities = probabilities_of(fit, image, seen, preset, seed=seed)
        if fit.thin:
            preset = for_thin(preset)
            if fit.regression is not None and (seen is not strokes or not drawn):
                odds = fit.regression.log_odds(image.rich)
                probabilities = with_regression(probabilities, odds, fit.known.stroked)
    with run.stage("refine", 0.8):
        uncertainty = gini_uncertainty(probabilities)
        probabilities = refine(image, strokes, probabilities, preset, run)
        result = at_full_size(image, strokes, probabilities, uncertainty, preset)
    result.timings.update(run.timings, total=sum(run.timings.values()))
    return result
