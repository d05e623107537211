"""Labels of whole images: which classes are in a picture, not where."""

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from saccade.data.pairing import composed
from saccade.data.sets import LabeledSet
from saccade.data.specs import IGNORE, LabelSpec
from saccade.errors import InputError
from saccade.files import check_readable, one_line, read_text


@dataclass(frozen=True)
class ImageLabels:
    """What a file says of images.

    Attributes:
        classes: class indices of each image that was asked for, ascending.
        remarks: lines on what is not used.
    """

    classes: dict[str, tuple[int, ...]]
    remarks: tuple[str, ...] = ()


def read_image_labels(
    path: Path, names: Sequence[str], spec: LabelSpec
) -> dict[str, tuple[int, ...]]:
    """The classes that `read_label_file` finds."""
    return read_label_file(path, names, spec).classes


def read_label_file(
    path: Path, names: Sequence[str], spec: LabelSpec, *, optional: Collection[str] = ()
) -> ImageLabels:
    """Read a CSV file: the name of an image (its stem), then the names of its classes.

    Lines of the same image are joined, as in files with one label a line.

    Args:
        path: lines like ``0001TP_006690,sky,building``; lines that begin with # are skipped.
        names: of the images that must have labels; lines on others are left out.
        spec: the classes.
        optional: names of images that may have a line.

    Raises:
        InputError: the file is missing or no CSV in UTF-8, an image has no line or no label, or a
            label is no class.
    """
    given: dict[str, tuple[int, ...]] = {}
    seen, several = set[str](), set[str]()
    wanted, others = {*names, *optional}, list[str]()
    for number, row in _rows(path):
        for label in row[1:]:
            if label and label not in spec.names:
                raise InputError(
                    f"{path}: line {number} has the label {label!r}, which no class has; there "
                    f"are {', '.join(spec.names)}"
                )
        stem = _stem(row[0], wanted)
        several |= {stem} & seen
        seen.add(stem)
        if stem in wanted:
            indices = {spec.names.index(label) for label in row[1:] if label}
            given[stem] = tuple(sorted(indices.union(given.get(stem, ()))))
        else:
            others.append(row[0])
    _require_labels(given, [*names, *sorted(given.keys() & set(optional))], str(path), spec)
    remarks = []
    if others:
        remarks.append(f"{path}: {len(others)} lines are of no image here, {others[0]!r} for one")
    if several & wanted:
        remarks.append(
            f"{path}: {len(several & wanted)} images have several lines, whose labels were joined; "
            f"{min(several & wanted)!r} for one"
        )
    return ImageLabels(given, tuple(remarks))


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Number and cells of each line that says something."""
    try:
        for number, row in enumerate(csv.reader(io.StringIO(read_text(path), newline="")), 1):
            cells = [cell.strip() for cell in row]
            if cells and cells[0] and not cells[0].startswith("#"):
                yield number, cells
    except csv.Error as error:
        raise InputError(f"{path}: no CSV ({one_line(error)})") from error


def _stem(cell: str, wanted: Collection[str]) -> str:
    """The name of an image, with or without its suffix; a name may have dots itself."""
    name = composed(cell)
    return name if name in wanted or "." not in name else Path(name).stem


def voc_image_labels(
    root: Path, names: Sequence[str], spec: LabelSpec
) -> dict[str, tuple[int, ...]]:
    """Read ROOT/Annotations/NAME.xml of PASCAL VOC; difficult objects count too.

    Raises:
        InputError: a file is missing or damaged, or has an object of no class.
    """
    given = {}
    for name in names:
        path = check_readable(root / "Annotations" / f"{name}.xml")
        try:
            objects = ElementTree.parse(path).findall("object")
        except ElementTree.ParseError as error:
            raise InputError(f"{path}: no XML ({one_line(error)})") from error
        labels = [element.findtext("name", "").strip() for element in objects]
        given[name] = tuple(sorted({_index(label, spec, path) for label in labels}))
    _require_labels(given, names, str(root / "Annotations"), spec)
    return given


def labels_in_masks(data: LabeledSet) -> dict[str, tuple[int, ...]]:
    """The classes that occur in the masks of a set: image labels as an annotator would give them.

    Raises:
        InputError: a mask cannot be read, or has no class at all.
    """
    labels = {}
    for index, example in enumerate(data.examples):
        values = np.unique(data.labels(index))
        labels[example.name] = tuple(int(value) for value in values if value != IGNORE)
    _require_labels(labels, list(labels), data.title, data.spec)
    return labels


def as_table(
    labels: dict[str, tuple[int, ...]], names: Iterable[str], classes: int
) -> NDArray[np.bool_]:
    """(N, K) bool, True where image N has class K, in the order of `names`."""
    rows = [labels[name] for name in names]
    table = np.zeros((len(rows), classes), bool)
    for number, row in enumerate(rows):
        table[number, list(row)] = True
    return table


def write_image_labels(path: Path, labels: dict[str, tuple[int, ...]], spec: LabelSpec) -> None:
    """Write what `read_image_labels` reads."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        for name, indices in labels.items():
            writer.writerow([name, *(spec.names[index] for index in indices)])


def _require_labels(
    labels: dict[str, tuple[int, ...]], names: Sequence[str], source: str, spec: LabelSpec
) -> None:
    """Raise for images without any label; the background alone is none."""
    bare = [n for n in names if not [i for i in labels.get(n, ()) if not _is_background(i, spec)]]
    if bare:
        more = f" (and {len(bare) - 1} more images)" if len(bare) > 1 else ""
        raise InputError(f"{source}: image {bare[0]!r} has no label{more}, expected at least one")


def _is_background(index: int, spec: LabelSpec) -> bool:
    return spec.names[index] == "background"


def _index(label: str, spec: LabelSpec, path: Path) -> int:
    if label not in spec.names:
        raise InputError(f"{path}: object {label!r} is no class; there are {', '.join(spec.names)}")
    return spec.names.index(label)
