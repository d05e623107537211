"""From images and strokes to a model: `saccade.fit`."""

from __future__ import annotations

from collections.abc import Sequence

from saccade.devices import pick_device
from saccade.errors import InputError
from saccade.fitted.model import Model
from saccade.images import Reading
from saccade.images.intensities import checked_window
from saccade.interactive.inputs import UNLABELED
from saccade.interactive.presets import Preset, preset_named
from saccade.interactive.run import Cancel, Progress
from saccade.models.timm_maps import is_timm, load_timm


def fit(
    images: object,
    strokes: object,
    *,
    preset: str | Preset = "fast",
    seed: int = 0,
    device: str = "auto",
    classes: Sequence[int] | None = None,
    unlabeled: int = UNLABELED,
    window: tuple[float, float] | None = None,
    channels: Sequence[int | str] | None = None,
    features: str = "bundled",
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
        window: values that become black and white in all images of the kind; None: what a file
            says, or the rule of `saccade.images.window`.
        channels: of the images, as indices from 0 or names; by default all. Of others than grey
            and colors all images have one window and one basis, see `saccade.images.components`.
        features: ``"timm:NAME"`` or ``"timm:NAME@FILE"``: what carries from image to image is also
            looked for in the maps of that backbone of timm, whose weights are in timm's cache or
            FILE; the model's file has them too. See `saccade.models.timm_maps.load_timm`.
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
    reading = Reading(
        None if channels is None else tuple(channels),
        None if window is None else checked_window(window),
    )
    if features != "bundled" and not is_timm(features):
        raise InputError(f"features: {features!r}, expected 'bundled' or 'timm:NAME'")
    more = load_timm(features, pick_device(device)) if is_timm(features) else None
    model = Model(chosen, seed, device, classes, reading, more)
    return model.update(images, strokes, unlabeled=unlabeled, progress=progress, cancel=cancel)
