"""Files of annotation tools below a folder: COCO, labelme, CVAT and Label Studio, as masks."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from saccade.data.specs import MAX_CLASSES
from saccade.discovery.class_files import Named
from saccade.discovery.meaning import Meaning
from saccade.discovery.pairs import image_files
from saccade.discovery.words import split_of
from saccade.errors import InputError
from saccade.folders import name_key
from saccade.formats.labels import AnnotatedImage
from saccade.formats.listing import entry_names
from saccade.formats.masks import iter_annotations, mask_format, write_mask
from saccade.images import image_size
from saccade.suffixes import IMAGE_SUFFIXES

_TITLES = {
    "coco": "COCO",
    "labelme": "labelme",
    "cvat": "CVAT",
    "label-studio": "Label Studio",
}
_BACKGROUND = ("background", "_background_", "__background__")
_UNCOVERED = -1


@dataclass(frozen=True)
class Annotations:
    """Images that files of annotation tools have shapes for.

    Attributes:
        files: with the images of their entries, None for an entry that is not used.
        images: all images that are used, in the order of the files.
        splits: of each image, "" where no name says so.
        kinds: titles of the tools.
        names: of the classes, in the order of their first occurrence, without the background.
        remarks: lines on what is not used.
    """

    files: tuple[tuple[Path, tuple[Path | None, ...]], ...]
    images: tuple[Path, ...]
    splits: tuple[str, ...]
    kinds: tuple[str, ...]
    names: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def meaning(self) -> Meaning:
        """The classes of the masks that are written."""
        classes = [Named(n, k) for k, n in enumerate(("background", *self.names))]
        line = f"classes are named by {self.files[0][0].name}; what nobody drew on is 'background'"
        return Meaning(tuple(classes), (), False, (line,), "shapes")


def find_annotations(
    root: Path, without: Path | None, progress: Callable[[float], None]
) -> Annotations | None:
    """Files of annotation tools below a folder whose images are there too; None where none are.

    Args:
        root: the folder.
        without: a folder below it that is not looked at.
        progress: told the share of the files that is read.

    Raises:
        InputError: more than 254 classes.
    """
    candidates = image_files(root, (".json", ".xml"))
    files = [f for f in candidates if (without is None or without not in f.parents) and _kind(f)]
    if not files:
        return None
    places = _Places(root)
    used: dict[Path, str] = {}
    names: dict[str, None] = {}
    kinds, remarks, kept = dict[str, None](), list[str](), []
    for number, path in enumerate(files):
        progress(number / len(files))
        try:
            entries = list(_entries(path))
        except InputError as error:
            remarks.append(f"left out: {error}")
            continue
        images: list[Path | None] = []
        for name, annotated in entries:
            image, why = places.of(path, name), ""
            if image is None:
                why = f"{name or path.name}, which {path.name} names, is not there"
            elif image in used:
                why = f"{image.name} is annotated twice; the first time counts"
            elif not (annotated.labels != _UNCOVERED).any():
                why = f"nothing is drawn on {image.name}"
            elif image_size(image) != annotated.labels.shape:
                why = f"{image.name} has another size than {path.name} says"
            if why:
                remarks.append(f"left out: {why}")
            images.append(None if why else image)
            if image is not None and not why:
                used[image] = split_of(image, root) or split_of(root / path.stem / "x", root)
                names.update(dict.fromkeys(n for _, n in sorted(annotated.names.items())))
        kinds[_TITLES[_kind(path)]] = None
        kept.append((path, tuple(images)))
    if not used:
        return None
    real = tuple(name for name in names if name not in _BACKGROUND)
    if len(real) >= MAX_CLASSES:
        raise InputError(f"{root}: {len(real)} classes, expected at most {MAX_CLASSES - 1}")
    return Annotations(
        tuple(kept), tuple(used), tuple(used.values()), tuple(kinds), real, _shortened(remarks)
    )


def write_masks(found: Annotations, target_of: dict[Path, Path]) -> None:
    """Draw the shapes of all images and write their masks.

    Args:
        found: what `find_annotations` returned.
        target_of: image -> file of its mask.

    Raises:
        InputError: a file changed since it was looked at.
    """
    index_of = {name: k for k, name in enumerate(found.names, 1)}
    for path, images in found.files:
        entries = list(_entries(path)) if any(images) else []
        for image, (_, annotated) in zip(images, entries, strict=False):
            if image is not None:
                write_mask(target_of[image], _by_name(annotated, index_of), "png")


def _by_name(annotated: AnnotatedImage, index_of: dict[str, int]) -> NDArray[np.uint8]:
    """Class indices by the names of the values; 0 where nothing is drawn."""
    labels = np.zeros(annotated.labels.shape, np.uint8)
    for value, name in annotated.names.items():
        labels[annotated.labels == value] = index_of.get(name, 0)
    return labels


def _entries(path: Path) -> Iterator[tuple[str, AnnotatedImage]]:
    """Each image of a file by the name that it has there."""
    names = entry_names(path)
    found = list(iter_annotations(path, uncovered=_UNCOVERED))
    whole = names if len(names) == len(found) else [item.file_name for item in found]
    yield from zip(whole, found, strict=True)


def _kind(path: Path) -> str:
    """The tool that wrote a file; "" where it is none that is read."""
    try:
        kind = mask_format(path)
        if kind == "cvat":
            return kind if entry_names(path) else ""
    except InputError:
        return ""
    return kind if kind in _TITLES else ""


class _Places:
    """Where images lie, by what files of annotations call them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.by_name: dict[str, list[Path]] = defaultdict(list)
        self.by_stem: dict[str, list[Path]] = defaultdict(list)
        for path in image_files(root, IMAGE_SUFFIXES):
            self.by_name[name_key(path.name)].append(path)
            self.by_stem[name_key(path.stem)].append(path)

    def of(self, path: Path, name: str) -> Path | None:
        """The image of an entry called `name` in the file `path`; None where it is not there."""
        parts = name.replace("\\", "/").split("?")[0].strip("/")
        for place in (path.parent / parts, self.root / parts):
            if parts and place.is_file():
                return place
        named = self.by_name[name_key(parts.rpartition("/")[2])]
        beside = [p for p in self.by_stem[name_key(path.stem)] if p.parent == path.parent]
        found = named or beside
        return found[0] if len(found) == 1 else None


def _shortened(remarks: list[str], shown: int = 5) -> tuple[str, ...]:
    more = [f"and {len(remarks) - shown} more are left out"] if len(remarks) > shown else []
    return (*remarks[:shown], *more)
