"""What is wrong with a data set, and what is in it, before hours of training are spent on it."""

import hashlib
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.data.examples import orientation_of, read_values_and_remarks, size_problem
from saccade.data.sets import LabeledSet
from saccade.data.specs import IGNORE
from saccade.errors import InputError
from saccade.images import Reading, decoded_size
from saccade.images.network_input import NetworkReading
from saccade.remarks import Remarks


@dataclass(frozen=True)
class Findings:
    """What `inspect` found in a data set.

    Attributes:
        problems: one line each, naming file, what is wrong and what would be right.
        pixels: (K,) int64 labelled pixels per class.
        images: (K,) int64 images in which the class occurs.
        ignored: pixels without a class.
        sizes: (N, 2) heights and widths of the images that could be read.
        digest: hexadecimal digits that change with the class of any pixel of any mask, be it by
            another file or by another mapping of its values.
        remarks: lines on what is odd and may be meant so.
        absent: names of the classes that never occur, where others do.
        hint: what to write where 255 was meant to be one of these; "" where it does not occur.
        untrainable: why nothing can be learned from these masks; "" where something can.
    """

    problems: tuple[str, ...]
    pixels: NDArray[np.int64]
    images: NDArray[np.int64]
    ignored: int
    sizes: NDArray[np.int64]
    digest: str
    remarks: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    hint: str = ""
    untrainable: str = ""


@dataclass(frozen=True)
class _One:
    """One example: what is wrong, pixels of the 256 labels, size of the image, its digest.

    `white` is "value" or "color" where 255, or white, is in the mask and stands for no class;
    `turned` says whether image and mask have an EXIF orientation; `remarks` has the name of each
    of the two and how it was read.
    """

    problem: str = ""
    counts: NDArray[np.int64] | None = None
    size: tuple[int, int] | None = None
    digest: bytes = b""
    white: str = ""
    turned: tuple[bool, bool] = (False, False)
    remarks: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass
class _Oddities:
    """Names of examples that are sound and may be not what somebody thinks, by what is odd."""

    bare: list[str] = field(default_factory=list)
    image_turned: list[str] = field(default_factory=list)
    mask_turned: list[str] = field(default_factory=list)
    white: str = ""
    by_readers: Remarks = field(default_factory=Remarks)

    def add(self, name: str, one: _One) -> None:
        """Take note of an example."""
        if one.counts is not None and not one.counts[:IGNORE].any():
            self.bare.append(name)
        self.white = self.white or one.white
        for file, lines in one.remarks:
            self.by_readers.add(file, lines)
        if not one.problem and one.turned[0] != one.turned[1]:
            (self.image_turned if one.turned[0] else self.mask_turned).append(name)

    def remarks(self, total: int) -> tuple[str, ...]:
        """One line for each kind, of a set of `total` examples."""
        kinds = (
            (
                self.bare if len(self.bare) < total else [],  # all is said elsewhere
                "no pixel with a class; nothing is learned from them",
            ),
            (
                self.image_turned,
                "an EXIF orientation that their masks have not; these are taken to be drawn on "
                "the turned image",
            ),
            (
                self.mask_turned,
                "a mask with an EXIF orientation that they have not; it is turned by that",
            ),
        )
        lines = [
            f"{len(names)} of {total} images, {names[0]} for one, have {what}"
            for names, what in kinds
            if names
        ]
        return (*lines, *self.by_readers.summary)


def inspect(
    data: LabeledSet, progress: Callable[[int, int], None] | None = None, *, threads: int = 4
) -> Findings:
    """Decode every mask and every image: the header of half a file is as good as a whole one's.

    Args:
        data: the set.
        progress: told how many of how many examples are done.
        threads: that read.
    """
    classes = len(data.spec.names)
    pixels, images = np.zeros(classes, np.int64), np.zeros(classes, np.int64)
    ignored, problems, sizes = 0, list[str](), list[tuple[int, int]]()
    digest, odd = hashlib.sha256(), _Oddities()
    for done, one in enumerate(_inspect_all(data, threads)):
        digest.update(one.digest)
        odd.add(data.examples[done].name, one)
        if one.problem:
            problems.append(one.problem)
        images[list(data.examples[done].labels_alone)] += 1
        if one.counts is not None:
            pixels += one.counts[:classes]
            images += one.counts[:classes] > 0
            ignored += int(one.counts[IGNORE])
        if one.size is not None:
            sizes.append(one.size)
        if progress is not None:
            progress(done + 1, len(data.examples))
    found = np.array(sizes, np.int64).reshape(-1, 2)
    absent = [data.spec.names[i] for i in np.flatnonzero(images == 0)]
    hint = _white_is(data, absent[-1], odd.white) if absent else ""
    return Findings(
        tuple(problems),
        *(pixels, images, ignored, found, digest.hexdigest()),
        remarks=odd.remarks(len(data.examples)),
        absent=tuple(absent),
        hint=hint,
        untrainable="" if problems else _untrainable(data, images, hint),
    )


def require_sound(findings: Findings) -> None:
    """Raise InputError with the first problem and their number, if there is any."""
    if not findings.problems:
        return
    others = len(findings.problems) - 1
    more = f" (and {others} more files; saccade check-data lists them)" if others else ""
    raise InputError(findings.problems[0] + more)


def require_labels(findings: Findings) -> None:
    """Raise InputError where masks are damaged, or no pixel has a class: nothing can be scored."""
    require_sound(findings)
    if not findings.pixels.any():
        raise InputError(findings.untrainable)


def require_trainable(findings: Findings) -> None:
    """Raise InputError where masks are damaged, or nothing can be learned from them."""
    require_sound(findings)
    if findings.untrainable:
        raise InputError(findings.untrainable)


def what_is_odd(findings: Findings, known: Collection[str] = ()) -> tuple[str, ...]:
    """Lines on what is in masks to score, and may be not what somebody thinks.

    Args:
        findings: of these masks.
        known: classes that need not be spoken of.
    """
    lines = findings.remarks
    absent = [name for name in findings.absent if name not in known]
    if absent:
        names = ", ".join(absent)
        lines += (f"no mask has the class {names}; it counts where it is predicted{findings.hint}",)
    return lines


def _untrainable(data: LabeledSet, images: NDArray[np.int64], hint: str) -> str:
    where = data.examples[0].mask.parent
    present = np.flatnonzero(images)
    if len(present) > 1:
        return ""
    if not len(present):
        return f"{where}: no pixel of the {len(data.examples)} masks has a class{hint}"
    name = data.spec.names[present[0]]
    return f"{where}: all pixels with a class are {name!r}, expected two classes or more{hint}"


def _white_is(data: LabeledSet, name: str, white: str) -> str:
    """What 255 or white means, where it may have been meant as a class, and how to make it one."""
    strokes = any(example.weak for example in data.examples)
    if not white or strokes or data.classes_file is None:  # there 255 is known to be no label
        return ""
    what, line = ("255", f"255 {name}") if white == "value" else ("white", f"{name} 255 255 255")
    order = "its value before" if white == "value" else "its color after"
    return (
        f"; {what} there means 'no class': the line `{line}` in {data.classes_file.name} makes it "
        f"one (each class then has {order} its name)"
    )


def _inspect_all(data: LabeledSet, threads: int) -> Iterator[_One]:
    """What is in each example, in order."""
    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(lambda index: _inspect_one(data, index), range(len(data.examples)))


def _inspect_one(data: LabeledSet, index: int) -> _One:
    example = data.examples[index]
    size = None
    try:
        size, image_remarks = _read_size(data.reading, example.image)
        if example.labels_alone:
            known = np.array([*size, *example.labels_alone], np.int64).tobytes()
            said = ((example.image.name, image_remarks),)
            return _One(size=size, digest=hashlib.sha256(known).digest(), remarks=said)
        values, mask_remarks = read_values_and_remarks(example.mask)
        labels = data.classes_of(index, values)
    except InputError as error:
        return _One(str(error), size=size)
    shape = np.array(labels.shape, np.int64).tobytes()
    turned = orientation_of(example.image) > 1, orientation_of(example.mask) > 1
    return _One(
        size_problem(example, labels.shape, size),
        np.bincount(labels.ravel(), minlength=256),
        size,
        hashlib.sha256(shape + labels.tobytes()).digest(),
        _white_in(values, labels),
        turned,
        ((example.image.name, image_remarks), (example.mask.name, mask_remarks)),
    )


def _read_size(how: Reading, path: Path) -> tuple[tuple[int, int], tuple[str, ...]]:
    """(H, W) of an image that was decoded, and what its reader says of it."""
    plain = how in (Reading(), NetworkReading())
    if plain and path.suffix.lower() in (".jpg", ".jpeg"):  # a part is decoded, in half the time
        return decoded_size(path), ()
    found = how.read(path)
    return (found.pixels.shape[0], found.pixels.shape[1]), found.remarks


def _white_in(values: NDArray[np.integer[Any]], labels: NDArray[np.uint8]) -> str:
    white = (values == IGNORE).reshape(*labels.shape, -1).all(2)
    if not (white & (labels == IGNORE)).any():
        return ""
    return "value" if values.ndim == 2 else "color"


def image_remarks(
    data: LabeledSet, progress: Callable[[int, int], None] | None = None, *, threads: int = 4
) -> tuple[str, ...]:
    """Decode every image of a set whose masks nobody reads, and return how they were read.

    Raises:
        InputError: an image cannot be read.
    """
    remarks = Remarks()
    with ThreadPoolExecutor(threads) as pool:
        read = pool.map(lambda example: data.reading.read(example.image).remarks, data.examples)
        for done, (example, lines) in enumerate(zip(data.examples, read, strict=True), 1):
            remarks.add(example.image.name, lines)
            if progress is not None:
                progress(done, len(data.examples))
    return remarks.summary
