"""The images that experiments measure on, with their strokes and ground truth, as paths.

Only names are looked at here, so that a missing file is reported before any work; `load_samples`
reads the files, image by image. Importing this imports neither NumPy nor PyTorch.

PASCAL's data is found as `saccade.data.pascal` says; ScribbleSup's strokes on it are

    scribble_annotation/{pascal_2012,pascal_context}/ID.xml, or ID.png with 255 = unlabelled
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from saccade.data.pascal import voc_folder
from saccade.errors import InputError
from saccade.files import read_names
from saccade.folders import by_stem, list_files, name_key
from saccade.suffixes import IMAGE_SUFFIXES, LABEL_SUFFIXES

UNLABELED = 255
SHARED_SETS = ("thin", "full", "dense", "camvid")


@dataclass(frozen=True)
class SetSpec:
    """What a set is and how it is scored.

    Attributes:
        classes: number of classes.
        pooled: True if its mIoU is that of one confusion matrix over all images, as in the papers;
            False if it is the mean over images of each image's own mIoU.
        text: what it is, for reports.
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
    "voc-simulated": SetSpec(21, True, "a part of VOC 2012 val, 21 classes, simulated strokes"),
    "voc-clicks": SetSpec(
        21, True, "a part of VOC 2012 train, people's clicks on objects, simulated ground strokes"
    ),
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
class SampleList:
    """Samples, and one sentence for each group of images that was left out."""

    samples: tuple[Sample, ...]
    remarks: tuple[str, ...] = ()


def shared_samples(root: Path, names: Sequence[str]) -> SampleList:
    """Samples of the shared sets.

    Args:
        root: the folder with ``iseg/{images,masks,scribbles_thin,...}`` and
            ``camvid/{val,valannot,val_scribbles}``.
        names: of `SHARED_SETS`.

    Raises:
        InputError: an unknown set, a missing folder, or strokes without an image or a mask.

    Example:
        >>> shared_samples(Path("data"), ["thin"]).samples[0].stem  # doctest: +SKIP
        '106024'
    """
    samples: list[Sample] = []
    for name in names:
        image_folder, truth_folder, stroke_folder = _shared_folders(root, name)
        _check_folders([image_folder, truth_folder, stroke_folder], f"set {name!r}")
        images = files_by_stem(image_folder, IMAGE_SUFFIXES)
        truths = files_by_stem(truth_folder, LABEL_SUFFIXES)
        strokes = files_by_stem(stroke_folder, LABEL_SUFFIXES)
        if not strokes:
            raise InputError(f"{stroke_folder}: no strokes there, expected PNG files")
        for stem in sorted(strokes):
            for files, folder in ((images, image_folder), (truths, truth_folder)):
                if stem not in files:
                    raise InputError(f"{folder}: no file for the strokes {strokes[stem].name}")
            samples.append(Sample(name, stem, images[stem], strokes[stem], truths[stem]))
    return SampleList(tuple(samples))


def voc_samples(root: Path, scribbles: Path) -> SampleList:
    """The images of VOC 2012 val that have strokes.

    Raises:
        InputError: a part of the layout is missing.
    """
    root = _with_images(root, "VOC2012", "VOC 2012")
    listed = root / "ImageSets" / "Segmentation" / "val.txt"
    truth = root / "SegmentationClass"
    return _listed_samples("voc", root, listed, truth, strokes_folder(scribbles, "voc"))


def context_samples(root: Path, scribbles: Path) -> SampleList:
    """The images of PASCAL-Context val that have strokes.

    Raises:
        InputError: a part of the layout is missing.
    """
    from saccade.data.sets import open_set

    _with_images(root, "VOC2010", "PASCAL-Context")
    found = open_set("context59", root, "val")
    files = {e.name: (e.image, e.mask) for e in found.examples}
    return _stroked("context", files, strokes_folder(scribbles, "context"), found.remarks)


def strokes_folder(root: Path, name: str) -> Path:
    """Where ScribbleSup's strokes of "voc" or "context" are, in `root` or below it.

    Raises:
        InputError: there is no such folder.
    """
    part = {"voc": "pascal_2012", "context": "pascal_context"}[name]
    return _folder_with(root, ("", "scribble_annotation"), part, "ScribbleSup's strokes") / part


def limit_samples(samples: Sequence[Sample], limit: int | None) -> tuple[Sample, ...]:
    """At most `limit` samples of each set, evenly spread over its sorted stems; None for all."""
    chosen: list[Sample] = []
    for name in dict.fromkeys(sample.set for sample in samples):
        of_set = [sample for sample in samples if sample.set == name]
        count = len(of_set) if limit is None else min(limit, len(of_set))
        chosen += [of_set[i * len(of_set) // count] for i in range(count)]
    return tuple(chosen)


def files_by_stem(folder: Path, suffixes: Collection[str]) -> dict[str, Path]:
    """Stem -> file of a folder, for files with one of the suffixes.

    Raises:
        InputError: two files have one stem.
    """
    return by_stem(folder, list_files(folder, suffixes).files)


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


def _listed_samples(name: str, root: Path, listed: Path, truth: Path, strokes: Path) -> SampleList:
    if not listed.is_file():
        raise InputError(f"{listed}: no such file; it lists the images, one id a line")
    if not truth.is_dir():
        raise InputError(f"{truth}: no such folder; it holds the ground truth")
    stems = [name_key(line.split()[0]) for line in read_names(listed) if line.split()]
    images = files_by_stem(root / "JPEGImages", (".jpg",))
    truths = files_by_stem(truth, (".png", ".mat"))
    for files, folder in ((images, root / "JPEGImages"), (truths, truth)):
        missing = [stem for stem in stems if stem not in files]
        if missing:
            raise InputError(f"{folder}: {len(missing)} files are missing, {missing[0]} for one")
    return _stroked(name, {stem: (images[stem], truths[stem]) for stem in stems}, strokes)


def _stroked(
    name: str,
    files: Mapping[str, tuple[Path, Path]],
    strokes: Path,
    remarks: tuple[str, ...] = (),
) -> SampleList:
    """The images, with their masks, that have strokes."""
    stroke_files = files_by_stem(strokes, (".xml", ".png"))
    stroked = [stem for stem in files if stem in stroke_files]
    if not stroked:
        raise InputError(f"{strokes}: no strokes for any of the {len(files)} images")
    if len(stroked) < len(files):
        remarks += (f"{name}: {len(files) - len(stroked)} of {len(files)} images have no strokes",)
    samples = (Sample(name, s, files[s][0], stroke_files[s], files[s][1]) for s in stroked)
    return SampleList(tuple(samples), remarks)


def _with_images(root: Path, year: str, what: str) -> Path:
    found = voc_folder(root, year)
    if not (found / "JPEGImages").is_dir():
        raise InputError(f"{root}: no folder JPEGImages there, which {what} must have")
    return found


def _folder_with(root: Path, below: tuple[str, ...], inside: str, what: str) -> Path:
    """The first of `root` and the folders `below` it that holds `inside`."""
    for name in below:
        if (root / name / inside).is_dir():
            return root / name
    raise InputError(f"{root}: no folder {inside} there, which {what} must have")
