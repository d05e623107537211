"""From the probabilities of an image at half size to its `Segmentation`."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from saccade.interactive.inputs import provisional_remark
from saccade.interactive.prepared import PreparedImage
from saccade.interactive.presets import Preset
from saccade.interactive.refinement import (
    apply_temperature,
    coarse_labels,
    refine_half,
    refine_working,
    upsample,
)
from saccade.interactive.result import Segmentation
from saccade.interactive.run import Run
from saccade.interactive.stroke_maps import StrokeMaps


def refine(
    image: PreparedImage,
    strokes: StrokeMaps,
    probabilities: Tensor,
    preset: Preset,
    run: Run,
    *,
    half: bool = True,
) -> Tensor:
    """Borders to image edges, at half size and then at the working size; then calibration.

    Without ``half`` those at half size are there already, as in a stack.
    """
    classes = int((probabilities > 0).flatten(1).any(1).sum())  # those that somebody drew
    settings = preset.refine_of(classes)
    if settings is not None:
        if half:
            probabilities = refine_half(
                probabilities, strokes.strokes_half, image.standardized_lab, settings
            )
        run.show(lambda: coarse_labels(probabilities, strokes.classes, image.size))
        if settings.fine_iterations:
            probabilities = refine_working(
                probabilities,
                strokes.strokes_working,
                image.half_gray,
                image.working_gray,
                image.working_edges(settings.contrast),
                settings,
            )
    return apply_temperature(probabilities, preset.temperature)


def at_full_size(
    image: PreparedImage,
    strokes: StrokeMaps,
    probabilities: Tensor,
    uncertainty: Tensor,
    preset: Preset,
) -> Segmentation:
    """Maps to the size of the image; on strokes their own class, for certain, if asked for."""
    radius = preset.guided_radius if preset.upsampling == "guided" else 0
    full, unsure = upsample(probabilities, uncertainty, image.rgb, radius=radius)
    drawn = strokes.stroke_index < strokes.count
    if preset.keep_strokes:
        full[:, drawn] = np.eye(strokes.count, dtype=np.float32)[:, strokes.stroke_index[drawn]]
        unsure[drawn] = 0
    labels = np.asarray(strokes.classes, np.int32)[full.argmax(0)]
    remarks: tuple[str, ...] = ()
    for value in strokes.provisional:
        stroked = strokes.classes[strokes.stroke_index[drawn][0]]
        remarks = (provisional_remark(stroked, value),)
    return Segmentation(
        labels,
        full,
        unsure,
        strokes.classes,
        remarks=remarks,
        provisional=strokes.provisional,
    )
