"""From images and strokes to a model: `saccade.fit`."""

from __future__ import annotations

from collections.abc import Sequence

from saccade.fitted.model import Model
from saccade.interactive.inputs import UNLABELED
from saccade.interactive.presets import Preset, preset_named
from saccade.interactive.run import Cancel, Progress


def fit(
    images: object,
    strokes: object,
    *,
    preset: str | Preset = "fast",
    seed: int = 0,
    device: str = "auto",
    classes: Sequence[int] | None = None,
    unlabeled: int = UNLABELED,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Model:
    """Fit a model to the strokes of several images of a kind.

    Args:
        images: a list of arrays and paths, or one array whose first axis counts images, as a
            stack's does.
        strokes: one for each image, (H, W) integers, `Strokes` or a path; None where nobody drew.
            Images without strokes are those that `Model.suggest_images` chooses from.
        preset: ``"fast"``, ``"best"``, or a `Preset` with learned steps.
        seed: same seed, same masks, on one device.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ...
        classes: the class values there are; by default those that occur. While one class alone is
            drawn another has everything else.
        unlabeled: value in ``strokes`` where nobody drew.
        progress: told the fraction done and the stage's name.
        cancel: asked between steps. Once it answers True the model of the steps so far is given.

    Raises:
        InputError: something cannot be read, nobody drew anywhere, or an option cannot be used.

    >>> import numpy as np
    >>> def picture(x):
    ...     rgb = np.full((64, 96, 3), 40, np.uint8)
    ...     rgb[20:44, x : x + 30] = 200
    ...     return rgb
    >>> strokes = np.full((64, 96), 255, np.uint8)
    >>> strokes[5, 10:80], strokes[32, 20:30] = 0, 1
    >>> model = fit([picture(10), picture(40)], [strokes, None])
    >>> model.classes, model.predict(picture(60)).labels.shape, len(model.suggest_images(3))
    ((0, 1), (64, 96), 1)
    """
    chosen = preset_named(preset) if isinstance(preset, str) else preset
    model = Model(chosen, seed, device, classes)
    return model.update(images, strokes, unlabeled=unlabeled, progress=progress, cancel=cancel)
