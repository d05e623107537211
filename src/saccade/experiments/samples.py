"""What the experiments measure on: images, strokes and ground truth, as files of known sets.

Planning looks at names only, so that what is missing is told before any work; reading comes later,
image by image. Importing this imports no PyTorch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from saccade.errors import InputError

UNLABELED = 255
SHARED_SETS = ("thin", "full", "dense", "camvid")
LABEL_SUFFIXES = (".png", ".bmp")
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp")


@dataclass(frozen=True)
class SetSpec:
    """How a set is scored and what it is.

    ``pooled``: its mIoU comes from one confusion matrix over all images, as the paper's does;
    else it is the mean over images of each image's own mIoU.
    """

    classes: int
    pooled: bool
    text: str


_OBJECTS = "photographs with one object each, 2 classes, "
SPECS = {
    "thin": SetSpec(2, False, _OBJECTS + "a few short human strokes"),
    "full": SetSpec(2, False, _OBJECTS + "fuller human strokes"),
    "dense": SetSpec(2, False, _OBJECTS + "dense human hatching"),
    "camvid": SetSpec(11, True, "CamVid val, street scenes, 11 classes, simulated strokes"),
    "voc": SetSpec(21, True, "PASCAL VOC 2012 val, 21 classes, ScribbleSup's strokes"),
    "context": SetSpec(59, True, "PASCAL-Context val, 59 classes, ScribbleSup's strokes"),
}


@dataclass(frozen=True)
class Sample:
    """The files of one image; ``set`` is a key of `SPECS` and says how to read them."""

    set: str
    stem: str
    image: Path
    strokes: Path
    truth: Path


@dataclass(frozen=True)
class Plan:
    """The samples of the sets, in the order in which they are measured, and what was left out."""

    samples: tuple[Sample, ...]
    remarks: tuple[str, ...] = ()


def shared_samples(root: Path, names: Sequence[str]) -> Plan:
    """Samples of the shared sets.

    Args:
        root: the folder with ``iseg/{images,masks,scribbles_thin,...}`` and
            ``camvid/{val,valannot,val_scribbles}``.
        names: of `SHARED_SETS`.

    Raises:
        InputError: an unknown set, a folder that is missing, or strokes without image or mask.
    """
    samples: list[Sample] = []
    for name in names:
        images, truths, strokes = _shared_folders(root, name)
        _check_folders([images, truths, strokes], f"set {name!r}")
        found = by_stem(images, IMAGE_SUFFIXES), by_stem(truths, LABEL_SUFFIXES)
        drawn = by_stem(strokes, LABEL_SUFFIXES)
        if not drawn:
            raise InputError(f"{strokes}: no strokes there, expected PNG files")
        for stem in sorted(drawn):
            for files, folder in zip(found, (images, truths), strict=True):
                if stem not in files:
                    raise InputError(f"{folder}: no file for the strokes {drawn[stem].name}")
            samples.append(Sample(name, stem, found[0][stem], drawn[stem], found[1][stem]))
    return Plan(tuple(samples))


def thinned(samples: Sequence[Sample], limit: int | None) -> tuple[Sample, ...]:
    """At most `limit` samples of each set, evenly spread over its sorted stems."""
    kept: list[Sample] = []
    for name in dict.fromkeys(s.set for s in samples):
        mine = [s for s in samples if s.set == name]
        count = len(mine) if limit is None else min(limit, len(mine))
        kept += [mine[i * len(mine) // count] for i in range(count)]
    return tuple(kept)


def by_stem(folder: Path, suffixes: Sequence[str]) -> dict[str, Path]:
    """Stem -> file of a folder, for files with one of the suffixes."""
    paths = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    return {p.stem: p for p in paths if p.suffix.lower() in suffixes}


def _shared_folders(root: Path, name: str) -> tuple[Path, Path, Path]:
    if name not in SHARED_SETS:
        raise InputError(f"set {name!r} is unknown; choose from {', '.join(SHARED_SETS)}")
    if name == "camvid":
        base = root / "camvid"
        return base / "val", base / "valannot", base / "val_scribbles"
    base = root / "iseg"
    return base / "images", base / "masks", base / f"scribbles_{name}"


def _check_folders(folders: Sequence[Path], what: str) -> None:
    missing = [str(folder) for folder in folders if not folder.is_dir()]
    if missing:
        raise InputError(f"{what}: no folder {', '.join(missing)}")
