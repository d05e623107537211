"""PASCAL VOC 2012 with SBD's masks: the 10,582 training images of most papers, ``trainaug``.

The split is all of SBD (train and val) and VOC's train without VOC's val. It is read from
trainaug.txt and SegmentationClassAug/, as passed on, or joined here from both as downloaded,
where VOC's own mask, with its border of 255, comes before SBD's of the same image.

Evaluation is on VOC's own masks: those of SegmentationClassAug have no border.
"""

from pathlib import Path

from saccade.data import known
from saccade.data.examples import Example, LabeledSet
from saccade.data.pairing import Files, by_stem, composed, pair_listed, require_unique
from saccade.data.pascal import near, sbd_folder, voc_folder
from saccade.errors import InputError
from saccade.files import read_names

TITLE = "PASCAL VOC 2012 + SBD"
TRAINAUG = "trainaug"
_LISTS = ("trainaug", "train_aug")


def open_augmented(root: Path, split: str) -> LabeledSet:
    """The examples of "trainaug", or of a split of VOC.

    Raises:
        InputError: neither trainaug.txt nor SBD is there, or a list or a folder is missing.
    """
    base = voc_folder(root)
    lists = base / "ImageSets" / "Segmentation"
    masks = base / "SegmentationClassAug"
    if split == TRAINAUG:
        listed = [lists / f"{name}.txt" for name in _LISTS if (lists / f"{name}.txt").is_file()]
        if listed and masks.is_dir():
            examples, missing = pair_listed(listed[0], base, "JPEGImages", masks.name)
            return LabeledSet(TITLE, examples, known.VOC, missing)
        sbd = sbd_folder(root, *near(base))
        if sbd is None:
            raise InputError(
                f"{base}: no split {TRAINAUG!r}: expected ImageSets/Segmentation/trainaug.txt with "
                "SegmentationClassAug/, or SBD's benchmark_RELEASE/ there or beside VOCdevkit"
            )
        return _joined(base, sbd)
    if split == "train":
        examples, missing = pair_listed(
            lists / "train.txt", base, "JPEGImages", _folder_of(base, masks)
        )
        remarks = (
            f"{len(examples)} images of VOC's list train; the augmented list is {TRAINAUG!r}",
        )
        return LabeledSet(TITLE, examples, known.VOC, missing, remarks)
    return _with_border(base, lists / f"{split}.txt", masks)


def _folder_of(base: Path, masks: Path) -> str:
    return masks.name if masks.is_dir() else "SegmentationClass"


def _with_border(base: Path, listed: Path, augmented: Path) -> LabeledSet:
    """A split that is evaluated on, with VOC's own masks wherever these are there."""
    own = base / "SegmentationClass"
    if not own.is_dir():
        examples, missing = pair_listed(listed, base, "JPEGImages", augmented.name)
        remarks = (f"no {own.name}/ there: masks of {augmented.name}/, which may have no border",)
        return LabeledSet(TITLE, examples, known.VOC, missing, remarks)
    names = [composed(Path(line.split()[0]).stem) for line in read_names(listed) if line.split()]
    images, masks = by_stem(base / "JPEGImages"), by_stem(own)
    return _found(names, (images,), (masks,), base)


def _joined(base: Path, sbd: Path) -> LabeledSet:
    """All of SBD and VOC's train, without VOC's val."""
    theirs = [name for part in ("train", "val") for name in _names(sbd / f"{part}.txt")]
    lists = base / "ImageSets" / "Segmentation"
    ours = _names(lists / "train.txt")
    left = set(_names(lists / "val.txt"))
    names = sorted({*theirs, *ours} - left)
    pictures = [by_stem(path) for path in (base / "JPEGImages", sbd / "img") if path.is_dir()]
    own, cls = by_stem(base / "SegmentationClass"), by_stem(sbd / "cls")
    # VOC has masks of its train and val only, and val is left out.
    found = _found(names, tuple(pictures), (own, cls), base)
    count = sum(example.mask.suffix == ".mat" for example in found.examples)
    remark = f"{count} masks of SBD and {len(found.examples) - count} of VOC, joined"
    return LabeledSet(TITLE, found.examples, known.VOC, found.missing, (remark,))


def _found(
    names: list[str], images: tuple[Files, ...], masks: tuple[Files, ...], base: Path
) -> LabeledSet:
    """Examples by name; the first of the groups that has a name gives its file."""
    examples, missing = [], []
    for name in names:
        image = next((group[name] for group in images if name in group), [])
        mask = next((group[name] for group in masks if name in group), [])
        require_unique([image, mask])
        if image and mask:
            examples.append(Example(name, image[0], mask[0]))
        else:
            missing.append(f"{base}: no {'mask' if image else 'image'} of {name}, which is listed")
    return LabeledSet(TITLE, tuple(examples), known.VOC, tuple(missing))


def _names(path: Path) -> list[str]:
    return [composed(line.split()[0]) for line in read_names(path) if line.split()]
