"""Masks of images that no session has."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.interactive import ScribbleSegmenter, Segmentation
from saccade.scribbles.strokes import Strokes
from saccade.serve.service import Service


async def segment_once(
    service: Service, key: str, rgb: NDArray[np.uint8], strokes: NDArray[np.int32], unlabeled: int
) -> Segmentation:
    """Segment an image that no session has, in its turn.

    Raises:
        QueueFullError: too many wait.
        SupersededError: the same key was asked for again, or the server stops.
        InputError: the image or the strokes cannot be used.
    """
    settings = service.settings

    def work(cancelled: Any) -> Segmentation:
        segmenter = ScribbleSegmenter(settings.preset, settings.seed, settings.device)
        return segmenter.fit(rgb, Strokes(strokes, unlabeled), cancel=cancelled.is_set).result

    return await service.queue.submit(key, work)
