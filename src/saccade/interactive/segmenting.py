"""One image and its strokes to a mask, in one call."""

from __future__ import annotations

from collections.abc import Sequence

from saccade.interactive.inputs import UNLABELED
from saccade.interactive.presets import Preset
from saccade.interactive.result import Segmentation
from saccade.interactive.segmenter import ScribbleSegmenter


def segment(
    image: object,
    strokes: object,
    *,
    unlabeled: int = UNLABELED,
    preset: str | Preset = "fast",
    seed: int = 0,
    device: str = "auto",
    classes: Sequence[int] | None = None,
    window: tuple[float, float] | None = None,
    channels: Sequence[int | str] | None = None,
) -> Segmentation:
    """Segment one image from strokes.

    Args:
        image: (H, W, 3) uint8; also grey, RGBA, and other integers and floats, which are read as
            `saccade.images.read_array` says; see ``Segmentation.remarks``.
        strokes: (H, W) integers, the class value where somebody drew, ``unlabeled`` elsewhere.
        unlabeled: the value that means "nobody drew here"; the default says 255 where it occurs,
            else what covers most of the image, see ``Segmentation.remarks``.
        preset: ``"fast"``, ``"best"``, ``"paper"`` (the GDC paper's network and
            optimisation) or ``"paper-literal"`` (as printed).
        seed: same seed, same mask, on one device.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ...
        classes: the class values there are; by default those that occur in the strokes. While one
            class alone is drawn another has everything else, see ``Segmentation.provisional``.
        window: the values of the image that become black and white; None: the rule of
            `saccade.images.window`.
        channels: of the image, as indices from 0 or names; by default all.

    Raises:
        InputError: the image, the strokes or an option cannot be used.

    >>> import numpy as np
    >>> image = np.full((64, 96, 3), 40, np.uint8)
    >>> image[20:44, 30:66] = 200
    >>> strokes = np.full((64, 96), 255, np.uint8)
    >>> strokes[5, 10:80], strokes[32, 40:56] = 0, 1
    >>> found = segment(image, strokes)
    >>> found.labels.shape, found.classes, int(found.labels[25, 60])
    ((64, 96), (0, 1), 1)
    """
    segmenter = ScribbleSegmenter(
        preset, seed, device, unlabeled=unlabeled, classes=classes, channels=channels
    )
    return segmenter.fit(image, strokes, window=window).result
