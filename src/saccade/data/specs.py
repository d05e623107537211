"""What the values of a mask mean: class names, colors, values to ignore, a mapping."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from saccade.data.palette import pack_rgb, voc_palette
from saccade.errors import InputError
from saccade.files import read_text

IGNORE = 255
"""The class index of pixels without ground truth, after the mapping, in all of Saccade."""

MAX_CLASSES = 255


@dataclass(frozen=True)
class LabelSpec:
    """Classes of a data set, and how its mask files name them.

    Attributes:
        names: of the K classes, in the order of their indices.
        palette: K colors (r, g, b) in 0..255, for pictures; empty takes the VOC palette. Masks
            that are color images are read by it; black, white and (224, 224, 192), VOC's border,
            are pixels without a class there unless a class has the color.
        mapping: pairs (value in the file, class index or 255); empty means that the values are
            the indices already.
        ignored: values in the file that have no class. 255 is always one of them.
    """

    names: tuple[str, ...]
    palette: tuple[tuple[int, int, int], ...] = ()
    mapping: tuple[tuple[int, int], ...] = ()
    ignored: tuple[int, ...] = (IGNORE,)

    def __post_init__(self) -> None:
        """Raises InputError where names, colors and mapping do not fit each other."""
        if not 2 <= len(self.names) <= MAX_CLASSES:
            raise InputError(f"classes: {len(self.names)} of them, expected 2 to {MAX_CLASSES}")
        twice = sorted({name for name in self.names if self.names.count(name) > 1})
        if twice:
            raise InputError(f"classes: {twice[0]!r} stands there more than once")
        if self.palette and len(self.palette) != len(self.names):
            raise InputError(f"classes: {len(self.palette)} colors for {len(self.names)} names")
        for value, index in self.mapping:
            if index != IGNORE and not 0 <= index < len(self.names):
                raise InputError(
                    f"classes: value {value} is mapped to {index}, expected 0 to "
                    f"{len(self.names) - 1} or {IGNORE}"
                )

    @property
    def colors(self) -> NDArray[np.uint8]:
        """(K, 3) uint8 RGB."""
        if self.palette:
            return np.array(self.palette, np.uint8)
        return voc_palette(len(self.names))

    def apply(self, values: NDArray[np.integer], path: Path | str) -> NDArray[np.uint8]:
        """Turn what a mask file holds into class indices.

        Args:
            values: (H, W) values, or (H, W, 3) colors of the palette.
            path: of the file, for messages.

        Returns:
            (H, W) uint8, classes 0 to K - 1, 255 where there is none.

        Raises:
            InputError: a value that no class has; it names file, value and number of pixels.
        """
        if values.ndim == 3:
            return self._from_colors(values, path)
        return self._from_values(values, path)

    def _from_colors(self, colors: NDArray[np.integer], path: Path | str) -> NDArray[np.uint8]:
        packed = pack_rgb(np.asarray(colors, np.uint8))
        labels = np.full(packed.shape, IGNORE, np.uint8)
        matched = np.zeros(packed.shape, bool)
        for index, color in enumerate(pack_rgb(self.colors)):
            here = packed == color
            labels[here], matched = index, matched | here
        # Void is painted so by those who use colors; a class may have one of these.
        matched |= (packed == 0) | (packed == 0xE0E0C0) | (packed == 0xFFFFFF)
        if not matched.all():
            value = int(packed[~matched][0])
            count = int((packed == value).sum())
            raise InputError(
                f"{path}: color ({value >> 16}, {value >> 8 & 255}, {value & 255}) at {count} "
                f"pixels belongs to no class{_and_others(packed[~matched], 'color')}"
            )
        return labels

    def _from_values(self, values: NDArray[np.integer], path: Path | str) -> NDArray[np.uint8]:
        low, high = int(values.min()), int(values.max())
        if low < 0 or high > 65535:
            raise InputError(f"{path}: value {low if low < 0 else high}, expected 0 to 65535")
        table = np.full(65536, -1, np.int16)
        if self.mapping:
            for value, index in self.mapping:
                table[value] = index
        else:
            table[: len(self.names)] = np.arange(len(self.names))
        for value in self.ignored:
            if table[value] < 0:
                table[value] = IGNORE
        table[IGNORE] = IGNORE if table[IGNORE] < 0 else table[IGNORE]
        labels = table[values]
        if labels.min() < 0:
            wrong = values[labels < 0]
            value = int(wrong[0])
            raise InputError(
                f"{path}: value {value} at {int((wrong == value).sum())} pixels belongs to no "
                f"class{_and_others(wrong, 'value')}; there are {len(self.names)} classes, "
                f"{self._known_values()}, and {_ranges(self.ignored)} for pixels without one"
            )
        return np.asarray(labels, np.uint8)

    def _known_values(self) -> str:
        if self.mapping:
            return _ranges(v for v, index in self.mapping if index != IGNORE)
        return f"0 to {len(self.names) - 1}"


def _and_others(wrong: NDArray[np.integer], what: str) -> str:
    """How many more there are, of values or colors that stand for nothing."""
    others = len(np.unique(wrong)) - 1
    return f" (and {others} more {what}{'s' if others > 1 else ''})" if others else ""


def _ranges(values: Iterable[int]) -> str:
    """Whole numbers in words: those that follow each other by the first and the last."""
    numbers = sorted(set(values))
    parts: list[list[int]] = []
    for value in numbers:
        if parts and parts[-1][-1] == value - 1:
            parts[-1].append(value)
        else:
            parts.append([value])
    words = [f"{p[0]} to {p[-1]}" if len(p) > 1 else str(p[0]) for p in parts]
    return ", ".join(words if len(words) < 8 else [*words[:6], "...", words[-1]])


def class_difference(ours: tuple[str, ...], theirs: tuple[str, ...], where: str) -> str:
    """What to say of classes that are not those of a checkpoint; "" where all agree.

    Args:
        ours: names that the checkpoint knows.
        theirs: names of the data.
        where: what has `theirs`, for the message.
    """
    if ours == theirs:
        return ""
    pairs = enumerate(zip_longest(ours, theirs))
    first, one, other = next((i, a, b) for i, (a, b) in pairs if a != b)
    words = (f"is {one!r}" if one else "is missing", repr(other) if other else "missing")
    return (
        f"knows {len(ours)} classes, {where} has {len(theirs)}; class {first} {words[0]} there "
        f"and {words[1]} in the data"
    )


def read_classes(path: Path) -> LabelSpec:
    """Read `classes.txt`: a class a line, as NAME, or VALUE NAME, or VALUE NAME R G B.

    Without values the first line is class 0. Empty lines and lines that begin with # are skipped.
    The line ``ignore VALUE`` names a value without a class.

    Raises:
        InputError: the file is missing or no UTF-8, a line cannot be read, or values occur twice.
    """
    entries, ignored = [], [IGNORE]
    for number, line in enumerate(read_text(path).splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if any(word.isdecimal() and len(word) > 9 for word in words):
            raise InputError(f"{path}: line {number} has a number of more than nine digits")
        if words[0] == "ignore" and len(words) == 2 and words[1].isdecimal():
            ignored.append(int(words[1]))
            if ignored[-1] > 65535:
                raise InputError(f"{path}: line {number} ignores {words[1]}, expected 0 to 65535")
            continue
        value = int(words.pop(0)) if words[0].isdecimal() else None
        color: tuple[int, ...] = ()
        if len(words) > 3 and all(word.isdecimal() and int(word) < 256 for word in words[-3:]):
            color, words = tuple(map(int, words[-3:])), words[:-3]
        if not words:
            raise InputError(f"{path}: line {number} has no name; expected [VALUE] NAME [R G B]")
        entries.append((value, " ".join(words), color))
    values = [value for value, _, _ in entries]
    if any(value is None for value in values) and any(value is not None for value in values):
        raise InputError(f"{path}: some classes have a value and some have none")
    known = [value for value in values if value is not None]
    if len(set(known)) < len(known):
        raise InputError(f"{path}: a value stands there more than once")
    palette = tuple(color for _, _, color in entries if color)
    if palette and len(palette) < len(entries):
        raise InputError(f"{path}: some classes have a color and some have none")
    if len(known) > 0 and max(known) > 65535:
        raise InputError(f"{path}: value {max(known)}, expected 0 to 65535")
    return LabelSpec(
        tuple(name for _, name, _ in entries),
        tuple((r, g, b) for r, g, b in palette),
        tuple((value, index) for index, value in enumerate(known)),
        tuple(ignored),
    )
