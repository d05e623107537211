"""What became of the shapes of an annotation file: counted for remarks, and bounded in work.

One odd shape never refuses a file: it is skipped, and counted. A file in which nothing is left is
refused. And a small file cannot ask for hours: the work of drawing is counted before it is done.
"""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from saccade.errors import InputError, shorten
from saccade.images.header import ALWAYS_COLORED, MAX_PIXELS, check_pixels

ROW_WORK = 400
"""What a row of a region costs beside its pixels, in pixels."""

_MOST_WORK = 3_000_000_000  # in pixels; a second or two
_FILE_SIZE = 1_000_000  # bytes; a larger file may have more work by its size
_MOST_KINDS = 8
_KIND_LENGTH = 40
_LINE_LENGTH = 250


class OddShapeError(InputError):
    """A shape that cannot be drawn; the message says why, in a few words."""


def check_size(
    path: str | os.PathLike[str], height: int, width: int, shape: tuple[int, int] | None = None
) -> None:
    """Raise InputError where an annotation file cannot be that of an image of its size.

    Args:
        path: of the file.
        height: of the image, as the file says.
        width: of the image, as the file says.
        shape: (H, W) that the image has, if it is known; else a small file is not believed that
            its image is huge.
    """
    check_pixels(path, height, width, shape, always=MAX_PIXELS)
    if shape is None and height * width > ALWAYS_COLORED and Path(path).stat().st_size < _FILE_SIZE:
        raise InputError(
            f"{path}: a file of under {_FILE_SIZE // 10**6} MB for an image of {width} x {height} "
            f"pixels, above {ALWAYS_COLORED // 10**6} megapixels, is read with its image only; "
            "give the size of the image (shape)"
        )


class WorkBudget:
    """The work that the shapes of one file may take, counted in pixels that are painted.

    Args:
        path: of the file; a larger one may take more.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        try:
            size = self._path.stat().st_size
        except (OSError, ValueError):
            size = 0
        self._left = _MOST_WORK * max(1.0, size / _FILE_SIZE)

    def spend(self, pixels: float, rows: float = 0) -> None:
        """Count work that is about to be done.

        Args:
            pixels: that will be painted.
            rows: of regions, or sides of a polygon in them.

        Raises:
            InputError: it is more than is left.
        """
        self._left -= pixels + ROW_WORK * rows
        if self._left < 0:
            raise InputError(
                f"{self._path}: its shapes overlap too much to be drawn in reasonable time, over "
                f"{_MOST_WORK // 10**9} billion pixels in all; expected shapes that cover the "
                "image a few times, or a label image"
            )


class ShapeRecord:
    """What became of the shapes of one image.

    Example:
        >>> record = ShapeRecord()
        >>> record.skip("cuboid", "has no region in the image")
        >>> record.count("1 box was filled", "{n} boxes were filled", 3)
        >>> record.remarks
        ("1 shape of kind 'cuboid' was skipped (has no region in the image)", '3 boxes were filled')
    """

    def __init__(self) -> None:
        self._skipped: Counter[str] = Counter()
        self._reasons: dict[str, str] = {}
        self._counts: Counter[tuple[str, str]] = Counter()

    def skip(self, kind: object, reason: object) -> None:
        """Count a shape of a kind that is left out, and why."""
        name = shorten(str(kind), _KIND_LENGTH)
        if name not in self._skipped and len(self._skipped) >= _MOST_KINDS:
            name = "..."
        self._skipped[name] += 1
        self._reasons.setdefault(name, shorten(str(reason), 3 * _KIND_LENGTH))

    def count(self, one: str, many: str, number: int = 1) -> None:
        """Count what was done: a remark for one, and one with "{n}" for several."""
        if number:
            self._counts[one, many] += number

    @property
    def remarks(self) -> tuple[str, ...]:
        """One line for each kind that was skipped and for each thing that was counted."""
        lines = [self._skip_line(kind, number) for kind, number in self._skipped.items()]
        for (one, many), number in self._counts.items():
            lines.append(one if number == 1 else many.replace("{n}", str(number)))
        return tuple(shorten(line, _LINE_LENGTH) for line in lines)

    @property
    def skipped(self) -> int:
        """Number of shapes that were left out."""
        return sum(self._skipped.values())

    def refuse(self, source: object) -> None:
        """Raise an InputError that says why nothing is left of a file's shapes."""
        lines = [self._skip_line(kind, number) for kind, number in self._skipped.items()]
        raise InputError(f"{source}: no shape is left to be drawn; {'; '.join(lines)}")

    def _skip_line(self, kind: str, number: int) -> str:
        reason = self._reasons[kind]
        if number == 1:
            return f"1 shape of kind '{kind}' was skipped ({reason})"
        return f"{number} shapes of kind '{kind}' were skipped (the first: {reason})"


def positions_of(
    names: Sequence[str] | None, labels: Iterable[str], source: object
) -> dict[str, int] | None:
    """Return name -> class value for class names in the order of their values; None without them.

    Args:
        names: given by the user.
        labels: that are drawn in a file.
        source: the file, for messages.

    Raises:
        InputError: a label is none of the names.

    Example:
        >>> positions_of(["background", "dog", "cat"], ["cat"], "a.json")
        {'background': 0, 'dog': 1, 'cat': 2}
    """
    if names is None:
        return None
    table = {str(name): value for value, name in reversed(list(enumerate(names)))}
    unknown = sorted(set(labels) - set(table))
    if unknown:
        raise InputError(
            f"{source}: unknown label '{unknown[0]}', expected one of {', '.join(map(str, names))}"
        )
    return dict(sorted(table.items(), key=lambda entry: entry[1]))
