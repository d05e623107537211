"""PASCAL VOC 2012 and PASCAL-Context with the strokes of ScribbleSup: where their files lie.

Layouts understood, each from the folder named or one of those above it:

    VOCdevkit/VOC2012/{JPEGImages,SegmentationClass,ImageSets/Segmentation/val.txt}
    VOCdevkit/VOC2010/{JPEGImages,SegmentationClassContext,ImageSets/SegmentationContext/val.txt}
        with `context/*.mat` and `labels.txt` (459 names) in place of SegmentationClassContext
    scribble_annotation/{pascal_2012,pascal_context}/ID.xml, or ID.png with 255 = unlabelled
"""

from pathlib import Path

from saccade.errors import InputError
from saccade.experiments.samples import Plan, Sample, by_stem

CONTEXT_ALIASES = {
    "plane": "aeroplane",
    "bike": "bicycle",
    "plant": "pottedplant",
    "monitor": "tvmonitor",
    "diningtable": "table",
}
"""Names that strokes or label lists use for the same classes."""


def voc_samples(root: Path, scribbles: Path) -> Plan:
    """The images of VOC 2012 val that have strokes.

    Raises:
        InputError: what of the layout is missing.
    """
    root = _folder(root, ("", "VOC2012", "VOCdevkit/VOC2012"), "JPEGImages", "VOC 2012")
    listed = root / "ImageSets" / "Segmentation" / "val.txt"
    truth = root / "SegmentationClass"
    return _plan("voc", root, listed, truth, strokes_folder(scribbles, "voc"))


def context_samples(root: Path, scribbles: Path) -> Plan:
    """The images of PASCAL-Context val that have strokes.

    Raises:
        InputError: what of the layout is missing.
    """
    root = _folder(root, ("", "VOC2010", "VOCdevkit/VOC2010"), "JPEGImages", "PASCAL-Context")
    listed = root / "ImageSets" / "SegmentationContext" / "val.txt"
    truth = root / "SegmentationClassContext"
    if not truth.is_dir():
        truth = root / "context"
        if not truth.is_dir():
            raise InputError(
                f"{root}: no ground truth, expected SegmentationClassContext/*.png or "
                "context/*.mat (trainval_merged.json is not read)"
            )
        if not (root / "labels.txt").is_file():
            raise InputError(f"{root}: no labels.txt, which names the 459 values of context/*.mat")
    return _plan("context", root, listed, truth, strokes_folder(scribbles, "context"))


def _plan(name: str, root: Path, listed: Path, truth: Path, strokes: Path) -> Plan:
    if not listed.is_file():
        raise InputError(f"{listed}: no such file; it lists the images, one id a line")
    if not truth.is_dir():
        raise InputError(f"{truth}: no such folder; it holds the ground truth")
    stems = [line.split()[0] for line in listed.read_text().splitlines() if line.split()]
    images = by_stem(root / "JPEGImages", (".jpg",))
    truths, drawn = by_stem(truth, (".png", ".mat")), by_stem(strokes, (".xml", ".png"))
    for found, folder in ((images, root / "JPEGImages"), (truths, truth)):
        lost = [stem for stem in stems if stem not in found]
        if lost:
            raise InputError(f"{folder}: {len(lost)} files are missing, {lost[0]} for one")
    kept = [stem for stem in stems if stem in drawn]
    if not kept:
        raise InputError(f"{strokes}: no strokes for any image of {listed}")
    remarks: tuple[str, ...] = ()
    if len(kept) < len(stems):
        remarks = (f"{name}: {len(stems) - len(kept)} of {len(stems)} images have no strokes",)
    return Plan(tuple(Sample(name, s, images[s], drawn[s], truths[s]) for s in kept), remarks)


def strokes_folder(root: Path, name: str) -> Path:
    """Where ScribbleSup's strokes of "voc" or "context" are, in `root` or below it.

    Raises:
        InputError: there is no such folder.
    """
    part = {"voc": "pascal_2012", "context": "pascal_context"}[name]
    return _folder(root, ("", "scribble_annotation"), part, "ScribbleSup's strokes") / part


def _folder(root: Path, below: tuple[str, ...], inside: str, what: str) -> Path:
    """The first of `root` and the folders `below` it that holds `inside`."""
    for name in below:
        if (root / name / inside).is_dir():
            return root / name
    raise InputError(f"{root}: no folder {inside} there, which {what} must have")
