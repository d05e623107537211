"""Statistics by which parts of an image are standardized, all alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from saccade.interactive.objects import Box
from saccade.interactive.prepared import PreparedImage, prepare_image
from saccade.models.features import UNCHANGED, Statistics, statistics_of


def statistics_in(image: PreparedImage, places: Sequence[tuple[Box, int]]) -> Statistics:
    """Of what networks see, over several places.

    Args:
        image: of `prepare_image`.
        places: boxes of the full image, and the pixels that each is worked on at.
    """
    unchanged = Statistics(*(one.to(image.device) for one in UNCHANGED))
    return statistics_of(
        prepare_image(
            np.ascontiguousarray(image.rgb[box.slices]),
            max_pixels=pixels,
            device=image.device,
            bundle=image.bundle,
            statistics=unchanged,
        ).inputs
        for box, pixels in places
    )
