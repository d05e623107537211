"""Data sets that papers use, told from the names of their folders and proved on a few masks."""

from pathlib import Path

import numpy as np

from saccade.data.pascal import voc_folder
from saccade.data.sets import LabeledSet, open_set
from saccade.errors import InputError

_FOLDERS = {
    "folder": ("classes.txt", "images/train", "masks/train", "images/val", "masks/val"),
    "camvid": ("train", "trainannot", "val", "valannot"),
    "cityscapes": ("leftImg8bit/train", "gtFine/train", "leftImg8bit/val", "gtFine/val"),
    "ade20k": ("images/training", "annotations/training", "images/validation"),
    "voc": ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation/val.txt"),
}
_SAMPLE = 5


def known_layout(root: Path) -> tuple[str, LabeledSet, LabeledSet] | None:
    """The layout of a folder with its splits "train" and "val"; None where it is no known one.

    The folders have to be there and a few masks have to have the values of the layout's classes.

    Example:
        >>> known_layout(Path("nowhere")) is None
        True
    """
    for layout, names in _FOLDERS.items():
        base = voc_folder(root) if layout == "voc" else root
        if not all((base / name).exists() for name in names):
            continue
        try:
            sets = open_set(layout, root, "train"), open_set(layout, root, "val")
            for data in sets:
                for index in np.linspace(0, len(data.examples) - 1, _SAMPLE).astype(int):
                    data.labels(int(index))
        except InputError:
            continue
        return layout, *sets
    return None
