"""Images by a model: prepared with its weights, and their masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from saccade.fitted.items import Drawn, Picture
from saccade.fitted.stroked import StrokedImage, stroke
from saccade.interactive.prepared import PreparedImage, prepare_image
from saccade.interactive.refinement import apply_temperature
from saccade.interactive.result import Segmentation
from saccade.interactive.run import Run, one_thread
from saccade.interactive.shared import SharedFit, fit_shared, segment_shared
from saccade.interactive.stroked import prepare_strokes

if TYPE_CHECKING:
    from saccade.fitted.model import Model


def prepare_picture(model: Model, picture: Picture) -> PreparedImage:
    """The features of an image, with the weights of a model."""
    return prepare_image(
        picture.pixels,
        max_pixels=model.preset.max_pixels,
        seed=model.seed,
        device=model.device,
        bundle=model.bundle,
        components=picture.components,
    )


def prepare_stroked(
    model: Model,
    kept: Mapping[str, StrokedImage],
    drawn: Sequence[tuple[Picture, Drawn]],
    classes: tuple[int, ...],
    *,
    ground: bool,
    run: Run,
) -> dict[str, StrokedImage]:
    """Images with strokes by their digests: those that a model has, and new ones.

    Args:
        model: which is left as it is.
        kept: images whose strokes stay.
        drawn: images with new strokes.
        classes: the K class values.
        ground: whether there is a provisional ground.
        run: progress.
    """
    preset = model.preset
    with run.stage("features", 0.0):
        found = {d: one.among(classes, preset, ground=ground) for d, one in kept.items()}
        for done, (picture, lines) in enumerate(drawn, 1):
            image = prepare_picture(model, picture)
            found[picture.digest] = stroke(picture, lines, image, classes, preset, ground=ground)
            run.report(0.05 * done / len(drawn), "features")
    return found


def segment_picture(model: Model, picture: Picture, drawn: Drawn | None, run: Run) -> Segmentation:
    """The mask of an image.

    Args:
        model: which is left as it is.
        picture: read as the model reads.
        drawn: strokes on it, which count beside those of the others; None: those that the model
            has of it, if any.
        run: progress and timings.
    """
    fit, index = model.shared, None
    known = next((one for one in model.stroked if one.digest == picture.digest), None)
    with one_thread(model.device):
        with run.stage("features", 0.0):
            ready = prepare_picture(model, picture)
        if drawn is not None:
            index = drawn.index(model.classes)
            own = prepare_strokes(ready, index, model.classes, model.preset)
            others = [one.ready for one in model.stroked if one is not known]
            again = fit_shared([*others, own], model.preset, seed=model.seed, run=run)
            fit = replace(again, thin=model.shared.thin)
        elif known is not None:  # its strokes are in the fit already
            index = known.index_at(picture.size)
        found = segment_shared(
            fit, ready, model.preset, stroke_index=index, seed=model.seed, run=run
        )
    run.report(1.0, "done")
    if index is not None:
        return found
    return softened(with_likeness(found, fit, ready), model.temperature)


def softened(found: Segmentation, temperature: float) -> Segmentation:
    """The same mask with probabilities that are less sure."""
    if temperature == 1:
        return found
    p = apply_temperature(torch.from_numpy(found.probabilities), temperature)
    return replace(found, probabilities=p.numpy())


def with_likeness(found: Segmentation, fit: SharedFit, image: PreparedImage) -> Segmentation:
    """The same mask, of an image without strokes; says so if it looks like none that has some."""
    parts = image.rich.parts
    line = None if fit.likeness is None or parts is None else fit.likeness.remark(parts)
    return found if line is None else replace(found, remarks=(*found.remarks, line), unlike=True)
