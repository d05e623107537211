"""The measuring sets, read from a root that the caller gives, and how each of them is scored.

Layout under ROOT (image, mask and stroke files match by stem; jpg, jpeg, png or bmp):

    iseg/images, iseg/masks                      0 background, 1 object, 255 unknown border
    iseg/scribbles_thin | _full | _dense         0 background, 1 object, 255 unlabelled
    camvid/val, camvid/valannot                  0 .. 10 classes, 11 void
    camvid/val_scribbles                         0 .. 10 classes, 255 unlabelled

`camvid/test*` is read where there is no `camvid/val_scribbles`. A set holds the images that have
strokes, sorted by stem. In memory "no ground truth" is always 255, CamVid's 11 included.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from saccade.errors import InputError
from saccade.evaluation.metrics import confusion_matrix, iou_per_class, mean_iou

UNLABELED = 255
UNKNOWN = 255
ISEG_SETS = ("thin", "full", "dense")
SETS = (*ISEG_SETS, "camvid", "many")
CAMVID_CLASSES = 11
CAMVID_VOID = 11
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp")

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
        name: "thin", "full", "dense", "camvid", or "many", which is made by `benchmarks.many`.
        limit: at most this many images, counted after `every`; None for all.
        every: only every n-th image in sorted order, starting with the first.

    Returns:
        Pairs sorted by stem.

    Raises:
        InputError: unknown set, or image, strokes and truth do not fit together.
        FileNotFoundError: a folder, an image or a mask is missing.
    """
    if name == "many":
        from benchmarks.many import many_pairs  # which needs this module

        return many_pairs()[::every][:limit]
    image_dir, truth_dir, stroke_dir = _folders(Path(root), name)
    images, truths, strokes = (_by_stem(d) for d in (image_dir, truth_dir, stroke_dir))
    pairs = []
    for stem in sorted(strokes)[::every][:limit]:
        for found, folder in ((images, image_dir), (truths, truth_dir)):
            if stem not in found:
                raise FileNotFoundError(f"{folder}: nothing for the strokes {strokes[stem]}")
        pairs.append(_read_pair(stem, images[stem], strokes[stem], truths[stem], name))
    if not pairs:
        raise FileNotFoundError(f"{stroke_dir}: no stroke file ({', '.join(SUFFIXES)})")
    return pairs


def num_classes(name: str) -> int:
    """Number of classes of a set: 2 for the object sets, 11 for CamVid."""
    return CAMVID_CLASSES if name == "camvid" else 2


def score_image(name: str, truth: Labels, prediction: NDArray[np.integer]) -> float:
    """Score of one image, mean IoU over its classes with unknown pixels left out.

    For the object sets this is the mean of foreground and background IoU and the score of the set
    is the mean of these; for CamVid it only ranks images (the set has one confusion matrix).
    """
    matrix = image_matrix(name, truth, prediction)
    if name == "camvid":
        return mean_iou(matrix)
    return float(iou_per_class(matrix).mean())


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
    if name == "camvid":
        return mean_iou(np.sum(matrices, axis=0))
    return float(np.mean([iou_per_class(m).mean() for m in matrices]))


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


def _folders(root: Path, name: str) -> tuple[Path, Path, Path]:
    if name in ISEG_SETS:
        base = root / "iseg"
        folders = (base / "images", base / "masks", base / f"scribbles_{name}")
    elif name == "camvid":
        base = root / "camvid"
        split = "val" if (base / "val_scribbles").is_dir() else "test"
        folders = (base / split, base / f"{split}annot", base / f"{split}_scribbles")
    else:
        raise InputError(f"set {name!r} is unknown; choose from {', '.join(SETS)}")
    for folder in folders:
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder}: no such folder; set {name!r} needs it")
    return folders


def _by_stem(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in SUFFIXES or path.name.startswith("."):
            continue
        if path.stem in found:
            raise InputError(f"{path}: {found[path.stem].name} has the same stem; keep one")
        found[path.stem] = path
    return found


def _read_pair(stem: str, image: Path, strokes: Path, truth: Path, name: str) -> Pair:
    with Image.open(image) as file:
        pixels = np.asarray(file.convert("RGB"))
    pair = Pair(stem, pixels, _read_labels(strokes), _read_labels(truth))
    for path, labels in ((strokes, pair.strokes), (truth, pair.truth)):
        if labels.shape != pixels.shape[:2]:
            raise InputError(
                f"{path}: size {labels.shape} (H, W) differs from its image's {pixels.shape[:2]}"
            )
    if name == "camvid":
        pair.truth[pair.truth == CAMVID_VOID] = UNKNOWN
    for path, labels in ((strokes, pair.strokes), (truth, pair.truth)):
        classes = np.setdiff1d(labels, [UNKNOWN])
        if classes.size and classes.max() >= num_classes(name):
            raise InputError(
                f"{path}: holds class {classes.max()}; set {name!r} has 0 .. "
                f"{num_classes(name) - 1} and 255"
            )
    return pair


def _read_labels(path: Path) -> Labels:
    with Image.open(path) as file:
        labels = np.array(file)  # palette images give their indices
    if labels.ndim == 3:  # grey written as RGB
        if (labels[..., :3] != labels[..., :1]).any():
            raise InputError(f"{path}: coloured; a label image must be grey or palette")
        labels = labels[..., 0]
    return np.ascontiguousarray(labels).astype(np.uint8)
