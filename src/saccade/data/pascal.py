"""Where PASCAL VOC, SBD and PASCAL-Context lie once their archives are unpacked.

Only names are looked at. The folder given may be the one that holds images and masks, VOCdevkit,
or the one that the archives were unpacked in:

    VOCdevkit/VOC2012/{JPEGImages,SegmentationClass,ImageSets/Segmentation/*.txt}
    benchmark_RELEASE/dataset/{img,cls/*.mat,train.txt,val.txt}                           (SBD)
    VOCdevkit/VOC2010/{JPEGImages,ImageSets/Main/*.txt}
    trainval/*.mat and labels.txt, or trainval_merged.json                                (Context)
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from saccade.errors import InputError

_SBD = ("", "dataset", "benchmark_RELEASE/dataset", "benchmark/dataset", "sbd", "SBD")
MERGED = "trainval_merged.json"


def voc_folder(root: Path, year: str = "VOC2012") -> Path:
    """The folder with JPEGImages: `root`, or one below it; `root` where there is none.

    Example:
        >>> voc_folder(Path("nowhere")).as_posix()
        'nowhere'
    """
    for name in ("", year, f"VOCdevkit/{year}"):
        if (root / name / "JPEGImages").is_dir():
            return root / name
    return root


def near(folder: Path) -> Iterator[Path]:
    """A folder, and those above it that archives are unpacked in.

    Example:
        >>> [path.as_posix() for path in near(Path("a/VOCdevkit/VOC2012"))]
        ['a/VOCdevkit/VOC2012', 'a/VOCdevkit', 'a']
    """
    yield folder
    if folder.name.startswith("VOC2"):
        yield folder.parent
        folder = folder.parent
    if folder.name == "VOCdevkit":
        yield folder.parent


def sbd_folder(*roots: Path) -> Path | None:
    """The folder with SBD's cls/ and img/ in or below one of `roots`, None where there is none.

    Example:
        >>> sbd_folder(Path("nowhere")) is None
        True
    """
    for root in roots:
        for name in _SBD:
            if (root / name / "cls").is_dir():
                return root / name
    return None


@dataclass(frozen=True)
class ContextFiles:
    """What PASCAL-Context consists of on this disk.

    Attributes:
        images: folder of the photographs.
        masks: folder of label images, PNG of 60 values or .mat of 459; None with `merged`.
        names: the file with the names of the 459 values; None where masks are PNG.
        lists: folder of SPLIT.txt.
        merged: ``trainval_merged.json``, where it is all there is; None otherwise.
    """

    images: Path
    masks: Path | None
    names: Path | None
    lists: Path
    merged: Path | None = None


def context_files(root: Path) -> ContextFiles:
    """Find the parts of PASCAL-Context in `root` or next to it.

    Label images come first, then `.mat` files, then the JSON file; lists of its own before those
    of VOC 2010, whose ImageSets/Main/train.txt and val.txt are the split of PASCAL-Context.

    Raises:
        InputError: no ground truth, or no names for the values of `.mat` files; it says where
            they were looked for.
    """
    base = voc_folder(root, "VOC2010")
    places = list(dict.fromkeys((root, *near(base), base)))
    lists = base / "ImageSets" / "SegmentationContext"
    if not lists.is_dir() and (base / "ImageSets" / "Main").is_dir():
        lists = base / "ImageSets" / "Main"
    images = base / "JPEGImages"
    png = _first(places, ("SegmentationClassContext",))
    if png is not None:
        return ContextFiles(images, png, None, lists)
    mats = next(
        (p for p in _folders(places, ("context", "trainval")) if any(p.glob("*.mat"))), None
    )
    if mats is not None:
        names = names_file(mats)
        if names is None:
            raise InputError(
                f"{root}: no labels.txt, which names the 459 values of {mats.name}/*.mat"
            )
        return ContextFiles(images, mats, names, lists)
    merged = next((p / MERGED for p in places if (p / MERGED).is_file()), None)
    if merged is None:
        raise InputError(
            f"{root}: no ground truth, expected SegmentationClassContext/*.png, context/*.mat or "
            f"trainval/*.mat with labels.txt, or {MERGED}, there or beside VOCdevkit"
        )
    return ContextFiles(images, None, None, lists, merged)


def names_file(mats: Path) -> Path | None:
    """The labels.txt of a folder of `.mat` files, in it or above; None where there is none.

    Example:
        >>> names_file(Path("nowhere/trainval")) is None
        True
    """
    folders = (mats.parent, mats, *near(mats.parent))
    return next((p / "labels.txt" for p in folders if (p / "labels.txt").is_file()), None)


def _folders(places: list[Path], names: tuple[str, ...]) -> Iterator[Path]:
    return (place / name for place in places for name in names if (place / name).is_dir())


def _first(places: list[Path], names: tuple[str, ...]) -> Path | None:
    return next(_folders(places, names), None)
