"""The mask of one image by a model, with strokes of its own or without."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from saccade.fitted.items import Drawn, Picture
from saccade.interactive.prepared import PreparedImage, prepare_image
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
    return found if index is not None else with_likeness(found, fit, ready)


def with_likeness(found: Segmentation, fit: SharedFit, image: PreparedImage) -> Segmentation:
    """The same mask, of an image without strokes; says so if it looks like none that has some."""
    parts = image.rich.parts
    line = None if fit.likeness is None or parts is None else fit.likeness.remark(parts)
    return found if line is None else replace(found, remarks=(*found.remarks, line), unlike=True)
