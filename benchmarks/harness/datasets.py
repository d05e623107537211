"""The measuring sets, read from a root that the caller gives, and how each of them is scored.

Layout under ROOT (image, mask and stroke files match by stem):

    iseg/images, iseg/masks                      0 background, 1 object, 255 unknown border
    iseg/scribbles_thin | _full | _dense         0 background, 1 object, 255 unlabelled
    ecssd/images, ecssd/masks                    0 background, 1 object; no strokes
    davis/images, davis/masks                    the same
    camvid/val, camvid/valannot                  0 .. 10 classes, 11 void
    camvid/val_scribbles                         0 .. 10 classes, 255 unlabelled

A set holds the images that have strokes, sorted by stem; `load_masked` takes every image with
a mask. In memory "no ground truth" is always 255, CamVid's 11 included. The set "repeated_objects"
needs no files. The experiments read the same files; their reader is used here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from saccade.errors import InputError
from saccade.evaluation.metrics import confusion_matrix, mean_iou
from saccade.experiments.engine.load_samples import load_sample, read_labels
from saccade.experiments.engine.samples import (
    SHARED_SETS,
    SPECS,
    UNLABELED,
    files_by_stem,
    shared_samples,
)
from saccade.images import load_image
from saccade.suffixes import IMAGE_SUFFIXES, LABEL_SUFFIXES

UNKNOWN = UNLABELED
REPEATED_OBJECTS = "repeated_objects"
SETS = (*SHARED_SETS, REPEATED_OBJECTS)
MASKED_SETS = ("ecssd", "davis", "iseg")

Labels = NDArray[np.uint8]


@dataclass(frozen=True)
class Pair:
    """One image with strokes and ground truth."""

    stem: str
    image: NDArray[np.uint8]  # (H, W, 3) RGB
    strokes: Labels  # (H, W) class, 255 = unlabelled
    truth: Labels  # (H, W) class, 255 = unknown


def load_pairs(
    root: str | Path, name: str, *, limit: int | None = None, every: int = 1
) -> list[Pair]:
    """All images of one set that have strokes.

    Args:
        root: the folder that holds `iseg` and `camvid`.
        name: one of `SETS`.
        limit: at most this many images, counted after `every`; None for all.
        every: only every n-th image in sorted order, starting with the first.

    Returns:
        Pairs sorted by stem.

    Raises:
        InputError: unknown set, a missing file, or image, strokes and truth do not fit together.
    """
    if name == REPEATED_OBJECTS:
        from benchmarks.harness.repeated_objects import repeated_objects  # it needs this module

        return repeated_objects()[::every][:limit]
    chosen = shared_samples(Path(root), [name]).samples[::every][:limit]
    loaded = ((sample.stem, load_sample(sample)) for sample in chosen)
    return [Pair(stem, one.image, one.strokes, one.truth) for stem, one in loaded]


@dataclass(frozen=True)
class MaskedImage:
    """One image with ground truth and no strokes."""

    stem: str
    image: NDArray[np.uint8]  # (H, W, 3) RGB
    truth: Labels  # (H, W) 0 background, 1 object, 255 = unknown


def load_masked(
    root: str | Path, name: str, *, limit: int | None = None, every: int = 1
) -> list[MaskedImage]:
    """Every image of ROOT/NAME that has a mask, sorted by stem.

    Args:
        root: the folder of the sets.
        name: one of `MASKED_SETS`.
        limit: as in `load_pairs`.
        every: as in `load_pairs`.

    Raises:
        InputError: unknown set, a missing folder, a mask without an image, or a mask that does not
            fit: its size, a value that is not 0, 1 or 255, no object or no background.
    """
    if name not in MASKED_SETS:
        raise InputError(f"set {name!r} is unknown; choose from {', '.join(MASKED_SETS)}")
    folder = Path(root) / name
    for part in (folder / "images", folder / "masks"):
        if not part.is_dir():
            raise InputError(f"{part}: no such folder; set {name!r} has images/ and masks/")
    images = files_by_stem(folder / "images", IMAGE_SUFFIXES)
    masks = files_by_stem(folder / "masks", LABEL_SUFFIXES)
    alone = sorted(masks.keys() - images.keys())
    if alone or not masks:
        what = f"no image for {masks[alone[0]].name}" if alone else "no masks, expected PNG files"
        raise InputError(f"{folder}: {what}")
    chosen = sorted(masks)[::every][:limit]
    return [_masked_image(stem, images[stem], masks[stem]) for stem in chosen]


def _masked_image(stem: str, image: Path, mask: Path) -> MaskedImage:
    pixels, truth = load_image(image), read_labels(mask)
    if truth.shape != pixels.shape[:2]:
        raise InputError(f"{mask}: size {truth.shape} (H, W), its image's is {pixels.shape[:2]}")
    odd = np.setdiff1d(truth, [0, 1, UNKNOWN])
    if odd.size:
        raise InputError(f"{mask}: holds {odd[0]}, expected 0 background, 1 object, 255 unknown")
    if not (truth == 1).any() or not (truth == 0).any():
        raise InputError(f"{mask}: needs an object (1) and a background (0)")
    return MaskedImage(stem, pixels, truth)


def num_classes(name: str) -> int:
    """Number of classes of a set: 2 for the object sets, 11 for CamVid."""
    return 2 if name == REPEATED_OBJECTS else SPECS[name].classes


def is_pooled(name: str) -> bool:
    """Whether a set is scored by one matrix over its images (CamVid), not by their mean."""
    return name != REPEATED_OBJECTS and SPECS[name].pooled


def score_image(name: str, truth: Labels, prediction: NDArray[np.integer]) -> float:
    """Score of one image, mean IoU over its classes with unknown pixels left out.

    For the object sets the score of the set is the mean of these; for CamVid it only ranks images
    (the set has one confusion matrix).
    """
    return mean_iou(image_matrix(name, truth, prediction))


def image_matrix(name: str, truth: Labels, prediction: NDArray[np.integer]) -> NDArray[np.int64]:
    """Confusion matrix (K, K) of one image, rows = truth, unknown pixels left out."""
    return confusion_matrix(truth, prediction, num_classes(name), UNKNOWN)


def score_set(name: str, matrices: Sequence[NDArray[np.int64]]) -> float:
    """Score of a set from the confusion matrices of its images.

    Args:
        name: name of the set.
        matrices: one (K, K) matrix per image, from `image_matrix`.

    Returns:
        Object sets: mean over images of the mean of foreground and background IoU. CamVid: mIoU
        of the summed matrix over the 11 classes.
    """
    if is_pooled(name):
        return mean_iou(np.sum(matrices, axis=0))
    return float(np.mean([mean_iou(m) for m in matrices]))


def evaluate(
    name: str, pairs: Sequence[Pair], method: Callable[[Pair], NDArray[np.integer]]
) -> float:
    """Score of `method(pair) -> (H, W) labels` over a set: the short way for experiments."""
    return score_set(name, [image_matrix(name, p.truth, method(p)) for p in pairs])


def resized(pair: Pair, size: tuple[int, int]) -> Pair:
    """The pair at another size (H, W): image bicubic, strokes and truth by nearest neighbour.

    So a stroke's width scales with the image.
    """
    width_first = size[::-1]

    def labels(array: Labels) -> Labels:
        return np.asarray(Image.fromarray(array).resize(width_first, Image.Resampling.NEAREST))

    image = Image.fromarray(pair.image).resize(width_first, Image.Resampling.BICUBIC)
    return Pair(pair.stem, np.asarray(image), labels(pair.strokes), labels(pair.truth))
