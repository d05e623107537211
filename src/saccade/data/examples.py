"""Images with their masks: what a split is, and how the values of a mask file are read."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.data.mat import read_mat_mask
from saccade.data.specs import IGNORE, LabelSpec
from saccade.errors import InputError
from saccade.images import Reading, exif_orientation, open_unlimited, read_label_image


@dataclass(frozen=True)
class Example:
    """One image and its mask; the name is unique in its set.

    Attributes:
        name: stem of the image.
        image: its file.
        mask: file of its mask.
        weak: the mask was not drawn by a person: strokes or pseudo labels, whose values are class
            indices already.
        labels_alone: class indices of an image of which nothing else is known: it has no mask, and
            is weak too. () where there is a mask.
    """

    name: str
    image: Path
    mask: Path
    weak: bool = False
    labels_alone: tuple[int, ...] = ()


@dataclass(frozen=True)
class LabeledSet:
    """The examples of a split and the classes of their masks.

    Attributes:
        title: name for people.
        examples: pairs of image and mask.
        spec: what the masks' values mean.
        missing: a line for each file that is not there; its pair is not among the examples.
        unmasked: images without a mask, in the order of their lines in `missing`, where a layout
            gives them.
        remarks: lines on files that are not used.
        classes_file: where the classes were read; None where the layout knows them.
        reading: how images are read.
    """

    title: str
    examples: tuple[Example, ...]
    spec: LabelSpec
    missing: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    classes_file: Path | None = None
    reading: Reading = field(default_factory=Reading)
    unmasked: tuple[Example, ...] = ()

    def image(self, index: int) -> NDArray[np.uint8]:
        """(H, W, C) uint8, the image of an example: RGB, unless it is read with other channels.

        Raises:
            InputError: it cannot be read.
        """
        return self.reading.read(self.examples[index].image).pixels

    def labels(self, index: int, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
        """(H, W) uint8 class indices of an example, 255 where there is none.

        Args:
            index: of the example.
            size: (H, W) of its image where that is known: without a mask it need not be read again.

        Raises:
            InputError: the mask cannot be read or has values of no class.
        """
        if self.examples[index].labels_alone:
            return np.full(size or self.image(index).shape[:2], IGNORE, np.uint8)
        return self.classes_of(index, read_values(self.examples[index].mask))

    def classes_of(self, index: int, values: NDArray[np.integer[Any]]) -> NDArray[np.uint8]:
        """The class indices of what `read_values` read from the mask of an example.

        Raises:
            InputError: values of no class.
        """
        example = self.examples[index]
        spec = self.spec
        if example.weak:
            spec = replace(spec, mapping=(), ignored=(IGNORE,))
        return spec.apply(values, example.mask)


def read_values(path: Path) -> NDArray[np.integer[Any]]:
    """The values of a mask file as they stand there: (H, W), or (H, W, 3) of a color image.

    Reads label images, and the `.mat` files of SBD and PASCAL-Context. A mask with an EXIF
    orientation is turned by it, as an image is.

    Raises:
        InputError: the file is missing, damaged, or no mask.
    """
    return read_values_and_remarks(path)[0]


def read_values_and_remarks(path: Path) -> tuple[NDArray[np.integer[Any]], tuple[str, ...]]:
    """What `read_values` returns, and what its reader assumed, converted or left out."""
    if path.suffix.lower() == ".mat":
        return read_mat_mask(path), ()
    found = read_label_image(path)
    if found.rgba is not None:
        return found.rgba[..., :3], found.remarks
    return np.asarray(found.values), found.remarks


def orientation_of(path: Path) -> int:
    """The EXIF orientation 1..8 in the header of a file; 1 where there is none."""
    try:
        with open(path, "rb") as file, open_unlimited(file) as image:
            return exif_orientation(image)
    except (OSError, ValueError, SyntaxError):  # what Pillow does not read has none
        return 1


def size_problem(example: Example, mask: tuple[int, ...], image: tuple[int, ...]) -> str:
    """What is wrong where a mask is not as large as its image; "" where it is.

    Args:
        example: both files.
        mask: (H, W) of the mask, upright.
        image: (H, W) of the image, upright.
    """
    if mask == image:
        return ""
    hint = _turned(example) if mask == image[::-1] else ""
    return (
        f"{example.mask}: {mask[1]} x {mask[0]} pixels (width x height), its image has "
        f"{image[1]} x {image[0]}{hint}"
    )


def require_same_size(example: Example, mask: tuple[int, ...], image: tuple[int, ...]) -> None:
    """Raise InputError with `size_problem`, where there is one."""
    problem = size_problem(example, mask, image)
    if problem:
        raise InputError(problem)


def _turned(example: Example) -> str:
    """Why width and height are exchanged, and what helps."""
    image, mask = orientation_of(example.image), orientation_of(example.mask)
    if image >= 5 and mask < 5:
        return f": EXIF turns the image (orientation {image}) but not the mask; turn the mask too"
    if mask >= 5 and image < 5:
        return f": EXIF turns the mask (orientation {mask}) but not the image; turn the image too"
    return ": one of them lies on its side"
