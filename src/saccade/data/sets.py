"""Data sets on disk: which image belongs to which mask, and what the mask's values mean.

Layouts, each under the root that the caller names:

    folder        images/ + masks/ (or images/SPLIT/ + masks/SPLIT/), classes.txt
    lists         SPLIT.txt, a line an image and its mask, and classes.txt; `saccade.data.listed`
    camvid        SPLIT/ + SPLITannot/ (SegNet layout)
    voc           JPEGImages/, SegmentationClass/, ImageSets/Segmentation/SPLIT.txt; the root may
                  also be VOCdevkit, or the folder that it is in
    voc-aug       split trainaug: trainaug.txt with SegmentationClassAug/, or, where these are not
                  there, SBD and VOC joined; see `saccade.data.augmented`
    sbd           img/, cls/*.mat, SPLIT.txt; the root may be the folder of benchmark_RELEASE
    context59     JPEGImages/ of VOC2010 with SegmentationClassContext/, trainval/*.mat or
    context60     trainval_merged.json; see `saccade.data.context`
    ade20k        images/ + annotations/, with training/ and validation/ in each
    cityscapes    leftImg8bit/SPLIT/CITY/ + gtFine/SPLIT/CITY/
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from saccade.data import known
from saccade.data.augmented import open_augmented
from saccade.data.context import open_context
from saccade.data.examples import Example, LabeledSet, read_values
from saccade.data.listed import open_listed
from saccade.data.pairing import (
    MASK_SUFFIXES,
    by_stem,
    pair_listed,
    pair_up,
    require_names,
    require_unique,
)
from saccade.data.pascal import sbd_folder, voc_folder
from saccade.data.specs import read_classes
from saccade.errors import InputError
from saccade.files import read_text
from saccade.suffixes import IMAGE_SUFFIXES

__all__ = [
    "IMAGE_SUFFIXES",
    "LAYOUTS",
    "MASK_SUFFIXES",
    "Example",
    "LabeledSet",
    "open_set",
    "pair_up",
    "read_values",
]


def open_set(layout: str, root: Path, split: str, *, allow_missing: bool = False) -> LabeledSet:
    """Find the examples of a split.

    Args:
        layout: one of `LAYOUTS`.
        root: its folder.
        split: "train", "val", ...; of "folder" also "" for everything.
        allow_missing: go on where images have no mask; `LabeledSet.missing` names them.

    Raises:
        InputError: an unknown layout, folders or lists that are missing, images without masks,
            two files of one name, or a split without images.
    """
    data = find_set(layout, root, split)
    if not (allow_missing and data.examples):
        require_complete(data, root, split)
    return data


def find_set(layout: str, root: Path, split: str) -> LabeledSet:
    """What `open_set` finds, whatever is missing.

    Raises:
        InputError: an unknown layout, folders or lists that are missing, or two files of one name.
    """
    if layout not in LAYOUTS:
        raise InputError(f"data set layout {layout!r}, expected one of {', '.join(LAYOUTS)}")
    if not root.is_dir():
        raise InputError(f"{root}: no such folder")
    data = LAYOUTS[layout](root, split)
    require_names(data.examples)
    return data


def require_complete(data: LabeledSet, root: Path, split: str) -> None:
    """Raise InputError where a split has no images, or images without masks."""
    if data.missing:
        more = f" (and {len(data.missing) - 1} more)" if len(data.missing) > 1 else ""
        raise InputError(data.missing[0] + more)
    if not data.examples:
        raise InputError(f"{root}: split {split!r} has no images")


def _folder(root: Path, split: str) -> LabeledSet:
    spec = read_classes(root / "classes.txt")
    found = pair_up(root.resolve().name, root / "images" / split, root / "masks" / split, spec)
    return replace(found, classes_file=root / "classes.txt")


def _camvid(root: Path, split: str) -> LabeledSet:
    return pair_up("CamVid", root / split, root / f"{split}annot", known.CAMVID)


_NO_MASKS = (
    "{}: VOC gives no masks of its test images, expected another split than 'test'; "
    "saccade predict --list takes test.txt"
)


def _voc(root: Path, split: str, masks: str = "SegmentationClass") -> LabeledSet:
    root = voc_folder(root)
    listed = root / "ImageSets" / "Segmentation" / f"{split}.txt"
    if split == "test" and listed.is_file() and not (root / masks).is_dir():
        raise InputError(_NO_MASKS.format(root))
    examples, missing = pair_listed(listed, root, "JPEGImages", masks)
    if split == "test" and missing and not examples:
        raise InputError(_NO_MASKS.format(root))
    return LabeledSet("PASCAL VOC 2012", examples, known.VOC, missing)


def _sbd(root: Path, split: str) -> LabeledSet:
    root = sbd_folder(root) or root
    examples, missing = pair_listed(root / f"{split}.txt", root, "img", "cls")
    return LabeledSet("SBD", examples, known.VOC, missing)


def _ade20k(root: Path, split: str) -> LabeledSet:
    part = {"train": "training", "val": "validation"}.get(split, split)
    spec = known.ADE20K
    names = root / "objectInfo150.txt"
    if names.is_file():
        rows = [line.split("\t") for line in read_text(names).splitlines()[1:] if line]
        first = [row[-1].split(",")[0].strip() for row in rows]
        # Two of the 150 share their first word; the number tells them apart.
        unique = [n if first.count(n) == 1 else f"{n} {i + 1}" for i, n in enumerate(first)]
        if len(unique) != 150:
            raise InputError(f"{names}: {len(unique)} classes, expected 150")
        spec = replace(spec, names=tuple(unique))
    return pair_up("ADE20K", root / "images" / part, root / "annotations" / part, spec)


def _cityscapes(root: Path, split: str) -> LabeledSet:
    examples, missing = [], []
    for city in sorted(p for p in (root / "leftImg8bit" / split).glob("*") if p.is_dir()):
        masks = root / "gtFine" / split / city.name
        mask_of = by_stem(masks, "_gtFine_labelIds") if masks.is_dir() else {}
        for stem, found in by_stem(city, "_leftImg8bit").items():
            require_unique([found, mask_of.get(stem, [])])
            mask = (*mask_of.get(stem, []), masks / f"{stem}_gtFine_labelIds.png")[0]
            if mask.is_file():
                examples.append(Example(stem, found[0], mask))
            else:
                missing.append(f"{mask}: no such file, the mask of {found[0].name}")
    return LabeledSet("Cityscapes", tuple(examples), known.CITYSCAPES, tuple(missing))


LAYOUTS: dict[str, Callable[[Path, str], LabeledSet]] = {
    "folder": _folder,
    "lists": open_listed,
    "camvid": _camvid,
    "voc": _voc,
    "voc-aug": open_augmented,
    "sbd": _sbd,
    "context59": lambda root, split: open_context(root, split, known.CONTEXT_59),
    "context60": lambda root, split: open_context(root, split, known.CONTEXT_60),
    "ade20k": _ade20k,
    "cityscapes": _cityscapes,
}
"""How to find the examples of a split, by layout."""
