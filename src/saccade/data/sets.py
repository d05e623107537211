"""Data sets on disk: which image belongs to which mask, and what the mask's values mean.

Layouts, each under the root that the caller names:

    folder        images/ + masks/ (or images/SPLIT/ + masks/SPLIT/), classes.txt
    camvid        SPLIT/ + SPLITannot/ (SegNet layout)
    voc           JPEGImages/, SegmentationClass/, ImageSets/Segmentation/SPLIT.txt
    voc-aug       the same with SegmentationClassAug/; SPLIT.txt has ids or two paths a line
    sbd           img/, cls/*.mat, SPLIT.txt
    context59     JPEGImages/, SegmentationClassContext/, ImageSets/SegmentationContext/SPLIT.txt;
    context60     context/*.mat with labels.txt (459 names) in place of the PNGs is read by name
    ade20k        images/ + annotations/, with training/ and validation/ in each
    cityscapes    leftImg8bit/SPLIT/CITY/ + gtFine/SPLIT/CITY/
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.data import known
from saccade.data.specs import IGNORE, LabelSpec, read_classes
from saccade.errors import InputError
from saccade.files import check_readable, one_line, read_text
from saccade.images import read_label_image
from saccade.suffixes import IMAGE_SUFFIXES, LABEL_SUFFIXES

MASK_SUFFIXES = LABEL_SUFFIXES | {".mat"}


@dataclass(frozen=True)
class Example:
    """One image and its mask; the name is unique in its set.

    Attributes:
        name: stem of the image.
        image: its file.
        mask: file of its mask.
        weak: the mask was not drawn by a person: strokes or pseudo labels, whose values are class
            indices already.
    """

    name: str
    image: Path
    mask: Path
    weak: bool = False


@dataclass(frozen=True)
class LabeledSet:
    """The examples of a split and the classes of their masks.

    Attributes:
        title: name for people.
        examples: pairs of image and mask.
        spec: what the masks' values mean.
        missing: a line for each file that is not there; its pair is not among the examples.
        remarks: lines on files that are not used.
    """

    title: str
    examples: tuple[Example, ...]
    spec: LabelSpec
    missing: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    def labels(self, index: int) -> NDArray[np.uint8]:
        """(H, W) uint8 class indices of an example, 255 where there is none.

        Raises:
            InputError: the mask cannot be read or has values of no class.
        """
        example = self.examples[index]
        spec = self.spec
        if example.weak:
            spec = replace(spec, mapping=(), ignored=(IGNORE,))
        return spec.apply(read_values(example.mask), example.mask)


def open_set(layout: str, root: Path, split: str, *, allow_missing: bool = False) -> LabeledSet:
    """Find the examples of a split.

    Args:
        layout: one of `LAYOUTS`.
        root: its folder.
        split: "train", "val", ...; of "folder" also "" for everything.
        allow_missing: go on where images have no mask; `LabeledSet.missing` names them.

    Raises:
        InputError: an unknown layout, folders or lists that are missing, images without masks,
            or a split without images.
    """
    if layout not in LAYOUTS:
        raise InputError(f"data set layout {layout!r}, expected one of {', '.join(LAYOUTS)}")
    if not root.is_dir():
        raise InputError(f"{root}: no such folder")
    data = LAYOUTS[layout](root, split)
    if data.missing and not (allow_missing and data.examples):
        more = f" (and {len(data.missing) - 1} more)" if len(data.missing) > 1 else ""
        raise InputError(data.missing[0] + more)
    if not data.examples:
        raise InputError(f"{root}: split {split!r} has no images")
    return data


def read_values(path: Path) -> NDArray[np.integer[Any]]:
    """The values of a mask file as they stand there: (H, W), or (H, W, 3) of a color image.

    Reads PNG, TIFF and BMP, and the `.mat` files of SBD and PASCAL-Context.

    Raises:
        InputError: the file is missing, damaged, or no mask.
    """
    if path.suffix == ".mat":
        return _read_mat(path)
    found = read_label_image(path)
    if found.rgba is not None:
        return found.rgba[..., :3]
    return np.asarray(found.values)


def pair_up(title: str, images: Path, masks: Path, spec: LabelSpec) -> LabeledSet:
    """Examples of two folders, matched by stem, in the order of their names.

    Raises:
        InputError: a folder is missing.
    """
    image_of, mask_of = _by_stem(images, IMAGE_SUFFIXES), _by_stem(masks, MASK_SUFFIXES)
    examples = [Example(s, path, mask_of[s]) for s, path in image_of.items() if s in mask_of]
    missing = [f"{p}: no mask {s}.png in {masks}" for s, p in image_of.items() if s not in mask_of]
    unused = sorted(set(mask_of) - set(image_of))
    remarks = (
        [f"{len(unused)} masks have no image, {mask_of[unused[0]].name} for one"] if unused else []
    )
    return LabeledSet(title, tuple(examples), spec, tuple(missing), tuple(remarks))


def _by_stem(folder: Path, suffixes: Collection[str]) -> dict[str, Path]:
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in suffixes and p.is_file())
    return {path.stem: path for path in files}


def _folder(root: Path, split: str) -> LabeledSet:
    spec = read_classes(root / "classes.txt")
    return pair_up(root.name, root / "images" / split, root / "masks" / split, spec)


def _camvid(root: Path, split: str) -> LabeledSet:
    return pair_up("CamVid", root / split, root / f"{split}annot", known.CAMVID)


def _voc(root: Path, split: str, masks: str = "SegmentationClass") -> LabeledSet:
    listed = root / "ImageSets" / "Segmentation" / f"{split}.txt"
    examples, missing = _listed(listed, root, "JPEGImages", masks)
    return LabeledSet("PASCAL VOC 2012", examples, known.VOC, missing)


def _voc_aug(root: Path, split: str) -> LabeledSet:
    return replace(_voc(root, split, "SegmentationClassAug"), title="PASCAL VOC 2012 + SBD")


def _sbd(root: Path, split: str) -> LabeledSet:
    root = root / "dataset" if (root / "dataset").is_dir() else root
    examples, missing = _listed(root / f"{split}.txt", root, "img", "cls")
    return LabeledSet("SBD", examples, known.VOC, missing)


def _context(root: Path, split: str, spec: LabelSpec) -> LabeledSet:
    listed = root / "ImageSets" / "SegmentationContext" / f"{split}.txt"
    if (root / "SegmentationClassContext").is_dir():
        masks = "SegmentationClassContext"
    else:
        masks, spec = "context", _by_names(root / "labels.txt", spec)
    examples, missing = _listed(listed, root, "JPEGImages", masks)
    return LabeledSet("PASCAL-Context", examples, spec, missing)


def _by_names(path: Path, spec: LabelSpec) -> LabelSpec:
    """The spec for the 459 values of `context/*.mat`, from lines ``VALUE: NAME``."""
    named = {}
    for line in read_text(path).splitlines():
        value, _, name = line.partition(":")
        if value.strip().isdecimal():
            named[name.strip()] = int(value)
    absent = [n for n in spec.names if n != "background" and _alias(n, named) is None]
    if absent:
        raise InputError(f"{path}: has no line for the class {absent[0]!r}")
    mapping = {_alias(n, named): i for i, n in enumerate(spec.names) if n != "background"}
    rest = 0 if "background" in spec.names else 255
    everything = {value: mapping.get(value, rest) for value in (0, *named.values())}
    return replace(spec, mapping=tuple(everything.items()))


def _alias(name: str, named: dict[str, int]) -> int | None:
    return named.get(name, named.get({"table": "diningtable"}.get(name, name)))


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
    images = sorted((root / "leftImg8bit" / split).glob("*/*_leftImg8bit.png"))
    examples, missing = [], []
    for path in images:
        stem = path.name.removesuffix("_leftImg8bit.png")
        folder = root / "gtFine" / split / path.parent.name
        mask = folder / f"{stem}_gtFine_labelIds.png"
        if mask.is_file():
            examples.append(Example(stem, path, mask))
        else:
            missing.append(f"{mask}: no such file, the mask of {path.name}")
    return LabeledSet("Cityscapes", tuple(examples), known.CITYSCAPES, tuple(missing))


def _listed(
    listed: Path, root: Path, images: str, masks: str
) -> tuple[tuple[Example, ...], tuple[str, ...]]:
    """Examples of a list file, an id a line or the paths of image and mask; what is missing."""
    image_of, mask_of = None, None
    examples, missing = [], []
    for line in read_text(listed).splitlines():
        words = line.split()
        if not words:
            continue
        if len(words) == 2:
            image, mask = (root / word.lstrip("/") for word in words)
        else:
            image_of = image_of or _by_stem(root / images, IMAGE_SUFFIXES)
            mask_of = mask_of or _by_stem(root / masks, MASK_SUFFIXES)
            image = image_of.get(words[0], root / images / f"{words[0]}.jpg")
            mask = mask_of.get(words[0], root / masks / f"{words[0]}.png")
        absent = [path for path in (image, mask) if not path.is_file()]
        missing += [f"{path}: no such file, but {listed.name} lists it" for path in absent]
        if not absent:
            examples.append(Example(image.stem, image, mask))
    return tuple(examples), tuple(missing)


def _read_mat(path: Path) -> NDArray[np.integer[Any]]:
    from scipy.io import loadmat

    try:
        content = loadmat(check_readable(path))
        if "GTcls" in content:
            return np.asarray(content["GTcls"][0]["Segmentation"][0])
        return np.asarray(content["LabelMap"])
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"{path}: expected a .mat file with GTcls (SBD) or LabelMap (PASCAL-Context); "
            f"{one_line(error)}"
        ) from error


LAYOUTS: dict[str, Callable[[Path, str], LabeledSet]] = {
    "folder": _folder,
    "camvid": _camvid,
    "voc": _voc,
    "voc-aug": _voc_aug,
    "sbd": _sbd,
    "context59": lambda root, split: _context(root, split, known.CONTEXT_59),
    "context60": lambda root, split: _context(root, split, known.CONTEXT_60),
    "ade20k": _ade20k,
    "cityscapes": _cityscapes,
}
"""How to find the examples of a split, by layout."""
