"""One large image and its strokes to a mask, part by part.

    the file -> an overview -> windows and one fit -> answers of windows -> strips of the mask

Each step reads what the one before has left in the journal, so that work that was stopped goes on
where it was and gives the same mask.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from saccade.devices import pick_device
from saccade.errors import InputError
from saccade.images import Image
from saccade.images.planes import Planes, read_planes
from saccade.interactive.inputs import ground_class
from saccade.interactive.objects import Box
from saccade.interactive.places import Places, places_of
from saccade.interactive.prepared import prepare_image
from saccade.interactive.presets import Preset, preset_named
from saccade.interactive.run import Progress, Run, one_thread
from saccade.models.weights import shared_bundle
from saccade.scribbles.strokes import Strokes
from saccade.slides.answers import Answers
from saccade.slides.journal import Arrays, Journal
from saccade.slides.reading import SlideImage, lazy, shrunk
from saccade.slides.result import SlideSegmentation, StripArray
from saccade.slides.strips import Strips

_OVERVIEW_SHARE, _ANSWERS_SHARE = 0.05, 0.9  # of the progress


def segment_slide(
    image: Image,
    strokes: Strokes | Places,
    journal: Journal,
    *,
    classes: tuple[int, ...] | None = None,
    preset: str | Preset = "fast",
    seed: int = 0,
    device: str = "auto",
    channels: Sequence[int | str] | None = None,
    window: tuple[float, float] | None = None,
    progress: Progress | None = None,
) -> SlideSegmentation:
    """Segment an image of hundreds of megapixels from strokes, in a few gigabytes of memory.

    Where strokes are thinner than what is seen of the whole image, it is worked on in windows:
    those without strokes follow what the others say. Else all of it is looked at once.

    Args:
        image: of `saccade.images.open_image`, of one plane.
        strokes: of its size; `Places` with their ``classes`` take less memory.
        journal: where finished parts are kept. One of the same version, left by a call that was
            stopped, is gone on with.
        classes: of `Places`, the K class values.
        preset: see `saccade.segment`.
        seed: same seed, same mask, however often the work was stopped.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ...
        channels: which ones, see `saccade.images.choose_channels`; None: all.
        window: the values that become black and white; None: what the image says, else the rule
            of `saccade.images.window` on parts of it.
        progress: told the fraction done in [0, 1] and the stage's name.

    Raises:
        InputError: several planes, strokes of another size, or an option that cannot be used.

    >>> from pathlib import Path
    >>> rgb = np.full((64, 96, 3), 40, np.uint8)
    >>> rgb[20:44, 30:66] = 200
    >>> labels = np.full((64, 96), 255, np.int32)
    >>> labels[5, 10:80], labels[32, 40:56] = 0, 1
    >>> journal = Journal(Path("parts"), {})
    >>> found = segment_slide(Image(rgb, "YXC", colors=True), Strokes(labels), journal)
    >>> found.labels.shape, np.unique(found.labels[20:44, 30:66]).tolist()
    ((64, 96), [1])
    """
    where = image.source or "image"
    if image.count("T") * image.count("Z") > 1:
        raise InputError(f"{where}: has several planes, expected one; see segment_stack")
    if isinstance(strokes, Places):
        places, values = strokes, tuple(classes or ())
    else:
        places, values = encoded(strokes)
    if places.size != image.size:
        raise InputError(
            f"{where}: strokes are {places.size[1]} x {places.size[0]} pixels (width x height), "
            f"the image is {image.size[1]} x {image.size[0]}"
        )
    chosen = preset_named(preset) if isinstance(preset, str) else preset
    run, target = Run(progress), pick_device(device)
    planes = read_planes(image, channels=channels, window=window)
    with one_thread(target):
        run.report(0.0, "overview")
        prepared = _prepared(planes, chosen, seed, str(target), journal)
        answers = Answers(prepared, places, values, chosen, seed, journal)
        answers.compute(Run(lambda done, text: run.report(_between(done), text)))
        strips = Strips(answers)
        for number in range(strips.count):
            share = _ANSWERS_SHARE + (1 - _ANSWERS_SHARE) * number / strips.count
            run.report(share, f"mask, strip {number + 1} of {strips.count}")
            kind = strips.recall(number)["labels"].dtype
    run.report(1.0, "done")
    remarks = (*image.remarks, *planes.remarks, *answers.remarks)
    return SlideSegmentation(
        StripArray(strips, "labels", image.size, kind),
        StripArray(strips, "uncertainty", image.size, np.dtype(np.uint8)),
        StripArray(strips, "confidence", image.size, np.dtype(np.uint8)),
        values,
        prepared.working_rgb,
        remarks,
        answers.provisional,
        journal,
    )


def encoded(strokes: Strokes) -> tuple[Places, tuple[int, ...]]:
    """Where strokes are, and the class values that the mask may have.

    >>> labels = np.full((4, 6), 255, np.int32)
    >>> labels[1, 2:4] = 3
    >>> places, classes = encoded(Strokes(labels))
    >>> places.rows.tolist(), classes
    ([1, 1], (0, 3))
    """
    values = list(strokes.classes)
    if len(values) == 1:
        values = sorted([*values, ground_class(values[0], values)])
    known = np.asarray(values)
    places = places_of(strokes.labels, len(values), strokes.unlabeled, known)
    return places, tuple(values)


def _between(done: float) -> float:
    """The progress of answers in that of everything."""
    return _OVERVIEW_SHARE + (_ANSWERS_SHARE - _OVERVIEW_SHARE) * done


def _prepared(
    planes: Planes, preset: Preset, seed: int, device: str, journal: Journal
) -> SlideImage:
    """The image with its overview, which is read once."""
    whole = Box(0, 0, *planes.image.size)

    def read() -> Arrays:
        found = shrunk(planes, whole, preset.max_pixels)
        several = {} if found.components is None else {"components": found.components}
        return {"pixels": found.pixels, **several}

    kept = journal.recall("overview", read)
    target = pick_device(device)
    prepared = prepare_image(
        kept["pixels"],
        features=preset.network.features,
        standardize=preset.network.standardize,
        max_pixels=preset.max_pixels,
        seed=seed,
        device=target,
        bundle=shared_bundle(preset.weights, preset.ensemble, target),
        components=kept.get("components"),
    )
    return lazy(prepared, planes, whole)
