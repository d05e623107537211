"""The files of a sample as arrays; values mean the same in every set: a class, or 255."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from saccade.data.context import spec_by_names
from saccade.data.known import CONTEXT_59, CONTEXT_CLASSES
from saccade.data.mat import read_mat_mask
from saccade.data.pascal import names_file
from saccade.errors import InputError
from saccade.experiments.engine.samples import SPECS, UNLABELED, Sample
from saccade.images import load_image, read_label_image
from saccade.scribbles.scribblesup import read_scribblesup

CAMVID_VOID = 11
CONTEXT_ALIASES = {
    "plane": "aeroplane",
    "bike": "bicycle",
    "plant": "pottedplant",
    "monitor": "tvmonitor",
    "diningtable": "table",
}
"""Names that strokes or label lists use for the same classes."""

Labels = NDArray[np.uint8]


@dataclass(frozen=True)
class LoadedSample:
    """One image: (H, W, 3) uint8 RGB; strokes and truth (H, W) uint8, 255 = none or unknown."""

    image: NDArray[np.uint8]
    strokes: Labels
    truth: Labels


def load_sample(sample: Sample) -> LoadedSample:
    """Read the files of a sample.

    Raises:
        InputError: a file cannot be read, sizes differ, a class is out of range, or the strokes
            are of fewer than two classes.

    Example:
        >>> loaded = load_sample(shared_samples(root, ["thin"]).samples[0])  # doctest: +SKIP
    """
    image = load_image(sample.image)
    shape = (image.shape[0], image.shape[1])
    strokes = read_strokes(sample.strokes, sample.set, shape)
    truth = _read_truth(sample)
    classes = SPECS[sample.set].classes
    for path, labels in ((sample.strokes, strokes), (sample.truth, truth)):
        if labels.shape != image.shape[:2]:
            raise InputError(
                f"{path}: size {labels.shape} (H, W) differs from its image's {image.shape[:2]}"
            )
        known = labels[labels != UNLABELED]
        if known.size and known.max() >= classes:
            raise InputError(
                f"{path}: holds class {known.max()}, expected 0 to {classes - 1} and 255"
            )
    if len(np.setdiff1d(strokes, [UNLABELED])) < 2:
        raise InputError(f"{sample.strokes}: strokes of fewer than two classes")
    return LoadedSample(image, strokes, truth)


def read_strokes(path: Path, name: str, shape: tuple[int, int]) -> Labels:
    """Read the strokes of an image of a set: (H, W) uint8 classes, 255 = unlabelled.

    Args:
        path: XML of ScribbleSup, whose tags may be aliases of the classes, or a label image.
        name: of the set, "voc" or "context" where the file is XML.
        shape: (H, W) of the image.

    Raises:
        InputError: a file that cannot be read, or an unknown tag.
    """
    if path.suffix.lower() != ".xml":
        return read_labels(path)
    if name == "voc":
        return read_scribblesup(path, shape=shape).labels.astype(np.uint8)
    names = (*CONTEXT_CLASSES, *CONTEXT_ALIASES, "background")
    return _context_lookup(names)[read_scribblesup(path, shape=shape, names=names).labels]


def _read_truth(sample: Sample) -> Labels:
    if sample.truth.suffix.lower() == ".mat":
        return _read_context_mat(sample.truth)
    labels = read_labels(sample.truth)
    if sample.set == "camvid":
        labels[labels == CAMVID_VOID] = UNLABELED
    elif sample.set == "context":  # 0 is everything outside of the 59 classes
        labels = np.where(labels == 0, UNLABELED, labels - (labels < UNLABELED))
    return labels.astype(np.uint8)


def read_labels(path: Path) -> Labels:
    """Read a label image (H, W) uint8; a palette image gives its indices.

    Raises:
        InputError: no image, or a colored one.
    """
    found = read_label_image(path)
    labels = found.values
    if found.rgba is not None and (found.rgba[..., :3] == found.rgba[..., :1]).all():
        labels = found.rgba[..., 0]
    if labels is None:
        raise InputError(f"{path}: colored; a label image must be gray or palette")
    if labels.min() < 0 or labels.max() > 255:
        raise InputError(f"{path}: values {labels.min()}..{labels.max()}, expected 0..255")
    return np.ascontiguousarray(labels).astype(np.uint8)


def _read_context_mat(path: Path) -> Labels:
    names = names_file(path.parent)
    if names is None:
        raise InputError(f"{path}: no labels.txt, which names its values")
    return spec_by_names(names, CONTEXT_59).apply(read_mat_mask(path), path)


def _context_lookup(names: tuple[str, ...]) -> Labels:
    """Table (256 or more,) from the index of a name to its class; 255 where it has none."""
    index = {name: i for i, name in enumerate(CONTEXT_CLASSES)}
    index |= {alias: index[name] for alias, name in CONTEXT_ALIASES.items()}
    table = np.full(max(256, len(names)), UNLABELED, np.uint8)
    table[: len(names)] = [index.get(name, UNLABELED) for name in names]
    return table
