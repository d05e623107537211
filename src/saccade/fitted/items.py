"""Images and strokes as callers hand them in: arrays, paths, nothing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.files import check_readable
from saccade.images import Image, Reading
from saccade.interactive.inputs import UNLABELED, encode_strokes, resolve_strokes


@dataclass(frozen=True)
class Picture:
    """An image as it was read.

    Attributes:
        name: of its file, or "image 3" of the third array.
        pixels: (H, W, 3) uint8.
        digest: SHA-256 of size and pixels, by which it is known again.
        remarks: what was assumed when it was read.
        components: (H, W, D) of other channels than colors, see `saccade.images.components`.
        channels: (H, W, C) uint8, what a trained network sees where it sees no colors.
    """

    name: str
    pixels: NDArray[np.uint8]
    digest: str
    remarks: tuple[str, ...] = ()
    components: NDArray[np.float32] | None = None
    channels: NDArray[np.uint8] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(H, W)."""
        return self.pixels.shape[0], self.pixels.shape[1]


@dataclass(frozen=True)
class Source:
    """An image without strokes, read only when somebody asks about it.

    Attributes:
        image: an array or a path.
        number: counted from 1, by which an array is called.
    """

    image: object
    number: int

    @property
    def key(self) -> object:
        """What is equal of one array or file given twice."""
        return str(self.image) if isinstance(self.image, str | os.PathLike) else id(self.image)

    def check(self) -> None:
        """Refuse a file that is not there.

        Raises:
            InputError: it is missing, empty or no file.
        """
        if isinstance(self.image, str | os.PathLike):
            check_readable(self.image)

    def read(self, how: Reading) -> Picture:
        """The image."""
        return read_picture(self.image, self.number, how)


def read_picture(
    image: object,
    number: int = 1,
    how: Reading | None = None,
    *,
    window: tuple[float, float] | None = None,
) -> Picture:
    """An image from an array or a path.

    Args:
        image: (H, W, 3) and what else `saccade.images.read_any` takes, or the path of a file; a
            `Picture` stays as it is.
        number: counted from 1, by which an array is called.
        how: images of the kind are read; None: as pictures.
        window: the values that become black and white; None: as images of the kind are read.

    Raises:
        InputError: it cannot be read; the line says which one.

    >>> read_picture(np.zeros((4, 6, 3), np.uint8), 2).name
    'image 2'
    """
    if isinstance(image, Picture):
        return image
    how = how or Reading()
    path = image.source if isinstance(image, Image) else image
    if isinstance(path, str | os.PathLike):
        found, name = how.read(image, window=window), Path(path).name
    else:
        name = f"image {number}"
        try:
            found = how.read(image, window=window)
        except InputError as error:
            raise InputError(f"{name}: {error}") from error
    pixels = np.array(found.pixels, order="C")  # a copy: the caller may change the array
    digest = digest_of(pixels if found.components is None else found.components)
    return Picture(name, pixels, digest, found.remarks, found.components)


def digest_of(array: NDArray[np.generic]) -> str:
    """SHA-256 of an array's shape, type and values."""
    head = f"{array.shape} {array.dtype.str}".encode()
    return hashlib.sha256(head + np.ascontiguousarray(array).tobytes()).hexdigest()


def paired(images: object, strokes: object) -> list[tuple[object, object]]:
    """Images with their strokes, one for one.

    Args:
        images: a sequence of arrays and paths, or one array whose first axis counts images.
        strokes: as many, None where nobody drew.

    Raises:
        InputError: one alone was given, or there are more of the one than of the other.

    >>> paired(np.zeros((2, 4, 6, 3), np.uint8), [None, None])[1][1] is None
    True
    """
    lists = []
    for what, given in (("images", images), ("strokes", strokes)):
        if isinstance(given, str | os.PathLike) or not isinstance(given, Iterable):
            raise InputError(f"{what}: is {type(given).__name__}, must be a list, one for an image")
        if isinstance(given, np.ndarray) and given.ndim < 3:
            raise InputError(
                f"{what}: one array of shape {given.shape}, must be a list of arrays, or an array "
                "whose first axis counts them"
            )
        lists.append(list(given))
    if len(lists[0]) != len(lists[1]):
        raise InputError(
            f"{len(lists[0])} images and {len(lists[1])} strokes, must be as many; None stands "
            "for an image without strokes"
        )
    if not lists[0]:
        raise InputError("images: there are none, must be at least one")
    return list(zip(*lists, strict=True))


@dataclass(frozen=True)
class Drawn:
    """Strokes of one image as class values, before all classes are known.

    Attributes:
        image: name of the image.
        values: (H, W), ``unlabeled`` where nobody drew.
        unlabeled: that value.
        classes: those that occur.
        remarks: what was assumed.
    """

    image: str
    values: NDArray[np.integer]
    unlabeled: int
    classes: tuple[int, ...]
    remarks: tuple[str, ...] = ()

    def index(self, classes: Sequence[int]) -> NDArray[np.int64]:
        """(H, W) index into ``classes``, K where nobody drew.

        Raises:
            InputError: a class was drawn that is none of these.
        """
        if unknown := set(self.classes) - set(classes):
            raise InputError(
                f"strokes of {self.image} hold label {min(unknown)}, the model's classes are "
                f"{', '.join(map(str, classes))}; update() adds a class"
            )
        size = self.values.shape[0], self.values.shape[1]
        return encode_strokes(self.values, size, unlabeled=self.unlabeled, classes=classes)[1]


def read_drawn(strokes: object, picture: Picture, unlabeled: int = UNLABELED) -> Drawn | None:
    """Strokes from an array, `Strokes` or a path; None where nobody drew.

    Raises:
        InputError: they cannot be read or do not fit the image; the line says of which one.
    """
    if strokes is None:
        return None
    if isinstance(strokes, str | os.PathLike):
        from saccade.annotations import read_any_strokes

        strokes = read_any_strokes(strokes, shape=picture.size, image_name=picture.name)
    try:
        array, value, remarks = resolve_strokes(strokes, unlabeled)
        values = np.asarray(array)
        if (
            values.shape == picture.size
            and values.dtype.kind in "iu"
            and bool((values == value).all())
        ):
            return None
        encode_strokes(array, picture.size, unlabeled=value)
    except InputError as error:
        raise InputError(f"strokes of {picture.name}: {error}") from error
    drawn = tuple(int(one) for one in np.unique(values[values != value]))
    return Drawn(picture.name, np.array(values), value, drawn, tuple(remarks))
