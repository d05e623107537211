"""PASCAL-Context in the three forms in which it is passed on.

Index orders differ between them, so values are mapped by the names of their classes:

    SegmentationClassContext/*.png      0 everything else, 1 to 59 in the order of `CONTEXT_CLASSES`
    trainval/*.mat, context/*.mat       459 values, named by labels.txt
    trainval_merged.json                pieces of those 459 values in run lengths (Detail API)

The last is read as a whole, so it is written out once, as label images beside it.
"""

import os
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from saccade.data import known
from saccade.data.examples import Example, LabeledSet
from saccade.data.pairing import by_stem, composed, pair_listed, require_unique
from saccade.data.pascal import ContextFiles, context_files
from saccade.data.run_lengths import decode_mask
from saccade.data.shapes import OddShapeError
from saccade.data.specs import LabelSpec
from saccade.errors import InputError
from saccade.files import read_json, read_names, read_text, reading

TITLE = "PASCAL-Context"
_ALIASES = {"diningtable": "table"}


def open_context(root: Path, split: str, spec: LabelSpec) -> LabeledSet:
    """The examples of a split, from whatever form is there.

    Raises:
        InputError: a part is missing, or is none of PASCAL-Context.
    """
    files, remarks = context_files(root), tuple[str, ...]()
    if files.merged is not None:
        remarks = (_write_out(files.merged),)
        files = context_files(root)
    assert files.masks is not None
    if files.names is not None:
        spec = spec_by_names(files.names, spec)
    own = files.masks.parent / "ImageSets" / "SegmentationContext" / f"{split}.txt"
    listed = own if own.is_file() else files.lists / f"{split}.txt"
    if files.lists.name == "Main" and listed is not own:
        return _of_main_list(files, listed, spec, remarks)
    base = files.images.parent
    masks = os.path.relpath(files.masks, base)
    examples, missing = pair_listed(listed, base, "JPEGImages", masks)
    return LabeledSet(TITLE, examples, spec, missing, remarks)


def _of_main_list(
    files: ContextFiles, listed: Path, spec: LabelSpec, remarks: tuple[str, ...]
) -> LabeledSet:
    """A list made from VOC 2010's own, of the images that have a mask."""
    assert files.masks is not None
    images, masks = by_stem(files.images), by_stem(files.masks)
    names = [composed(line.split()[0]) for line in read_names(listed) if line.split()]
    require_unique(group[n] for n in names for group in (images, masks) if n in group)
    examples = tuple(
        Example(name, images[name][0], masks[name][0])
        for name in names
        if name in images and name in masks
    )
    missing = tuple(
        f"{files.images / name}.jpg: no such file, but it has a mask"
        for name in names
        if name in masks and name not in images
    )
    if len(names) > len(examples) + len(missing):
        count = len(names) - len(examples) - len(missing)
        remarks += (f"{count} of {len(names)} images of {listed.name} have no mask and are left",)
    return LabeledSet(TITLE, examples, spec, missing, remarks)


def spec_by_names(path: Path, spec: LabelSpec) -> LabelSpec:
    """The spec for 459 values that a file names, in lines ``VALUE: NAME``.

    Raises:
        InputError: a class has no line.
    """
    named = {}
    for line in read_text(path).splitlines():
        value, _, name = line.partition(":")
        if value.strip().isdecimal():
            named[int(value)] = name.strip()
    return replace(spec, mapping=tuple(_mapping(named, spec, path).items()))


def _mapping(named: dict[int, str], spec: LabelSpec, path: Path) -> dict[int, int]:
    """Value -> class index; what has no class is background, or ignored."""
    index = {name: i for i, name in enumerate(spec.names)}
    # An alias counts where the name itself has no line.
    alias = {other: name for other, name in _ALIASES.items() if name not in named.values()}
    found = {v: index.get(alias.get(name, name)) for v, name in named.items()}
    absent = sorted(set(index.values()) - set(found.values()) - {index.get("background")})
    if absent:
        raise InputError(f"{path}: has no line for the class {spec.names[absent[0]]!r}")
    rest = 0 if "background" in spec.names else 255
    return {0: rest, **{v: rest if i is None else i for v, i in found.items()}}


def _write_out(path: Path) -> str:
    """Write SegmentationClassContext/ and its lists beside the JSON file; what to say of it.

    The folder gets its name when all masks are in it.
    """
    with reading(path, "expected trainval_merged.json of PASCAL-Context"):
        content = read_json(path)
        named = {int(one["category_id"]): str(one["name"]) for one in content["categories"]}
        table = np.zeros(max(1, *named) + 1, np.uint8)
        for value, index in _mapping(named, known.CONTEXT_60, path).items():
            table[value] = index
        pieces: dict[Any, list[dict[str, Any]]] = defaultdict(list)
        for piece in content["annos_segmentation"]:
            pieces[piece["image_id"]].append(piece)
        images = [(str(one["file_name"]), str(one["phase"]), one) for one in content["images"]]
    folder = path.parent / "SegmentationClassContext"
    try:
        part = Path(tempfile.mkdtemp(prefix=".", suffix=".part", dir=path.parent))
    except OSError as error:
        raise InputError(
            f"{path.parent}: cannot be written, but {path.name} has to be unpacked into "
            f"{folder.name}/ there ({error.strerror}); copy it to a folder that can"
        ) from error
    try:
        for name, _, image in images:
            with reading(path, f"the pieces of {name} cannot be used"):
                mask = _draw(pieces[image["image_id"]], int(image["height"]), int(image["width"]))
                Image.fromarray(table[mask]).save(part / f"{Path(name).stem}.png")
        _write_lists(path.parent / "ImageSets" / "SegmentationContext", images)
        part.chmod(0o755)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return f"{path.name} was unpacked into {folder}, {len(images)} masks"


def _draw(pieces: Iterable[dict[str, Any]], height: int, width: int) -> NDArray[np.int64]:
    mask = np.zeros((height, width), np.int64)
    for piece in pieces:
        try:
            here = decode_mask(piece["segmentation"]["counts"], height, width)
        except OddShapeError as error:
            raise ValueError(str(error)) from error
        mask[here] = int(piece["category_id"])
    return mask


def _write_lists(folder: Path, images: list[tuple[str, str, Any]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for split in ("train", "val"):
        names = sorted(Path(name).stem for name, phase, _ in images if phase == split)
        path = folder / f"{split}.txt"
        if not path.exists():
            path.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
