"""An image of class values on which the shapes of annotation tools are drawn, later ones on top.

Coordinates are (x, y) in pixels with (0, 0) at the upper left corner of the first pixel; angles are
in degrees, clockwise as the image is seen.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from saccade.data.shapes import OddShapeError, ShapeRecord, WorkBudget
from saccade.formats.filling import (
    Ellipse,
    Floats,
    Ints,
    Spans,
    ellipse_spans,
    in_order,
    paint_spans,
    polygon_spans,
    ranges,
    rows_crossed,
    spans_of_parts,
)
from saccade.formats.geometry import FAR, checked_points, turned
from saccade.formats.label_array import LabelArray
from saccade.formats.labels import present_classes

LINE_WIDTH = 10
"""Width in pixels of lines, and of points without a size, as usual for strokes."""

_MOST_NAMED = 5  # classes
_MASK_WORK = 10  # what a pixel of a mask costs, painted or not
_FEW = 8  # runs in less than this part of the columns are painted without turning the image
_MOST_WAITING = 400_000  # rows; shapes wait until there are so many, as together they are faster


class Canvas:
    """Class values (H, W) of one image while its shapes are drawn.

    Args:
        size: (H, W).
        uncovered: value of pixels that no shape covers.
        record: counts what is not drawn.
        budget: of the work of the file.
    """

    def __init__(
        self, size: tuple[int, int], uncovered: int, record: ShapeRecord, budget: WorkBudget
    ) -> None:
        self.height, self.width = size
        self.record = record
        self._labels = LabelArray(size, uncovered, budget)
        self._budget = budget
        self._values: list[int] = []
        self._rings: list[Floats] = []
        self._ring_shapes: list[int] = []
        self._ellipses: list[Ellipse] = []
        self._ellipse_shapes: list[int] = []
        self._ready: list[Spans] = []
        self._waiting = 0
        self._drawn = 0
        self._painted: set[int] = set()

    @property
    def drawn(self) -> int:
        """Number of shapes that were drawn."""
        return self._drawn

    def polygons(self, value: int, rings: list[Floats]) -> None:
        """Fill polygons (N, 2), each by even-odd, as one shape."""
        self._add_rings(rings, sum(rows_crossed(ring, self.height) for ring in rings))
        self._finish_shape(value)

    def box(
        self, value: int, corner: tuple[float, float], size: tuple[float, float], degrees: float = 0
    ) -> None:
        """Fill a rectangle: its upper left corner, (width, height), turned about its centre.

        Raises:
            OddShapeError: a number that is not finite.
        """
        (x, y), (w, h) = corner, size
        ring = checked_points([[x, y], [x + w, y], [x + w, y + h], [x, y + h]])
        centre = x + w / 2, y + h / 2
        self.polygons(value, [turned(ring, degrees, centre)])

    def ellipse(
        self,
        value: int,
        centre: tuple[float, float],
        radii: tuple[float, float],
        degrees: float = 0,
    ) -> None:
        """Fill an ellipse, turned about its centre.

        Raises:
            OddShapeError: a number that is not finite, or a radius that is not above 0.
        """
        numbers = (*centre, *radii, degrees)
        if not np.isfinite(numbers).all() or max(map(abs, numbers)) > FAR:
            raise OddShapeError("a number that is not finite")
        if min(radii) <= 0:
            raise OddShapeError("a radius that is not above 0")
        self._add_ellipses([numbers])
        self._finish_shape(value)

    def line(self, value: int, points: Floats, width: float = LINE_WIDTH) -> None:
        """Draw a polyline (N, 2) with round ends and joints; a dot where there is one point."""
        steps = np.diff(points, axis=0)
        lengths = np.hypot(*steps.T)
        long = lengths > 0
        across = steps[long][:, ::-1] * [-1, 1] * (width / 2 / lengths[long])[:, None]
        start, stop = points[:-1][long], points[1:][long]
        sides = np.stack([start - across, start + across, stop + across, stop - across], axis=1)
        rows = np.abs(np.diff(sides[..., 1].clip(0, self.height), axis=1)).sum()
        self._add_rings(list(sides), int(2 * rows) + 4 * len(sides))
        self.dots(value, points, width)

    def dots(self, value: int, points: Floats, width: float = LINE_WIDTH) -> None:
        """Draw a disc `width` pixels wide at each of the points (N, 2)."""
        self._add_ellipses([(x, y, width / 2, width / 2, 0.0) for x, y in points.tolist()])
        self._finish_shape(value)

    def mask(self, value: int, y: int, x: int, mask: NDArray[np.bool_]) -> None:
        """Paint a mask (h, w) whose upper left pixel is (y, x) of the image, inside of it."""
        self._flush()
        self._budget.spend(_MASK_WORK * mask.size)
        height, width = mask.shape
        target = self._labels.as_it_lies()[y : y + height, x : x + width]
        np.copyto(target, value, where=mask)
        self._drawn += 1
        if mask.any():
            self._painted.add(value)

    def row_runs(
        self, value: int, starts: Ints, stops: Ints, box: tuple[int, int, int, int] | None = None
    ) -> None:
        """Paint runs of pixels, counted row after row.

        Args:
            value: class value.
            starts: (N,) first pixel of each run, ascending.
            stops: (N,) pixel after its last.
            box: (y, x, height, width) of the part of the image in which they are counted; None:
                in the whole image.
        """
        y, x, _, width = box or (0, 0, self.height, self.width)
        first, last = starts // width, (stops - 1) // width
        run, row = ranges(first, last + 1)
        begin = np.maximum(starts[run] - row * width, 0)
        end = np.minimum(stops[run] - row * width, width)
        self._add_spans(row + y, begin + x, end + x)
        self._finish_shape(value)

    def column_runs(self, value: int, starts: Ints, stops: Ints) -> None:
        """Paint runs of pixels, counted column after column through the whole image."""
        first, last = 0, 0
        if len(starts):
            first, last = int(starts[0]) // self.height, int(stops[-1] - 1) // self.height + 1
        if (last - first) * _FEW < self.width:
            self._add_columns(starts, stops, first, last)
            self._finish_shape(value)
            return
        self._flush()
        self._drawn += 1
        self._painted.add(value)
        self._budget.spend(int((stops - starts).sum()), len(starts))
        flat = self._labels.by_columns().reshape(-1)
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
            flat[start:stop] = value

    def spend(self, pixels: float, rows: float = 0) -> None:
        """Count work that is about to be done for this image, such as decoding.

        Raises:
            InputError: it is more than the file may take.
        """
        self._budget.spend(pixels, rows)

    def finished(
        self, source: object, names: Mapping[str, int], *, alone: bool
    ) -> NDArray[np.int32]:
        """Return the class values (H, W), all shapes drawn; say which classes others cover.

        Args:
            source: the file, for messages.
            names: class name -> value.
            alone: whether nothing else is read from the file, so that it is refused where shapes
                were skipped and none was drawn.

        Raises:
            InputError: nothing is left, or the work is more than the file may take.
        """
        if alone and self.record.skipped and not self._drawn:
            self.record.refuse(source)
        self._flush()
        labels = self._labels.by_rows()
        hidden = self._painted.difference(present_classes(labels) if self._painted else ())
        for name in [name for name, value in names.items() if value in hidden][:_MOST_NAMED]:
            self.record.count(f"class '{name}' is covered by later shapes altogether", "")
        return labels

    def _add_columns(self, starts: Ints, stops: Ints, first: int, last: int) -> None:
        """Add runs that lie in few columns as spans of rows."""
        inside = np.zeros((last - first) * self.height + 1, dtype=np.int8)
        self._budget.spend(_MASK_WORK * inside.size)
        inside[starts - first * self.height] += 1
        inside[stops - first * self.height] -= 1
        columns = inside[:-1].cumsum(dtype=np.int8).reshape(-1, self.height)
        top, bottom = 0, self.height
        if (starts // self.height == (stops - 1) // self.height).all():
            top = int((starts % self.height).min(initial=bottom))
            bottom = int(((stops - 1) % self.height).max(initial=top - 1)) + 1
        edges = np.diff(columns[:, top:bottom].T, axis=1, prepend=0, append=0)
        rows, begin = np.nonzero(edges > 0)
        _, end = np.nonzero(edges < 0)
        self._add_spans(rows + top, begin + first, end + first)

    def _add_spans(self, rows: Ints, starts: Ints, stops: Ints) -> None:
        shapes = np.full(len(rows), len(self._values))
        self._ready.append(Spans(shapes, rows, starts, stops))
        self._waiting += len(rows) + 1

    def _add_rings(self, rings: Sequence[Floats], rows: int) -> None:
        self._rings.extend(rings)
        self._ring_shapes += [len(self._values)] * len(rings)
        self._waiting += rows

    def _add_ellipses(self, ellipses: Sequence[Ellipse]) -> None:
        self._ellipses.extend(ellipses)
        self._ellipse_shapes += [len(self._values)] * len(ellipses)
        reach = (4 * max(first, second) for _, _, first, second, _ in ellipses)
        self._waiting += sum(1 + int(min(rows, 2 * self.height)) for rows in reach)

    def _finish_shape(self, value: int) -> None:
        self._values.append(value)
        self._drawn += 1
        if self._waiting > _MOST_WAITING:
            self._flush()

    def _flush(self) -> None:
        """Draw what waits."""
        if not self._values:
            return
        self._budget.spend(0, self._waiting)
        values = np.array(self._values)
        seen = np.zeros(len(values), dtype=bool)
        for spans in self._spans():
            self._budget.spend(int((spans.stops - spans.starts).sum()))
            paint_spans(self._labels.by_rows(), spans, values)
            seen[spans.shapes] = True
        self._painted.update(values[seen].tolist())
        self.record.count(
            "1 shape covers no pixel of the image",
            "{n} shapes cover no pixel of the image",
            int((~seen).sum()),
        )
        self._values, self._waiting = [], 0
        self._rings, self._ring_shapes = [], []
        self._ellipses, self._ellipse_shapes, self._ready = [], [], []

    def _spans(self) -> Iterable[Spans]:
        """The spans of what waits, in the order of the shapes."""
        size = self.height, self.width
        found: list[Iterable[Spans]] = [self._ready] if self._ready else []
        if self._rings:
            found.append(spans_of_parts(polygon_spans(self._rings, *size), self._ring_shapes))
        if self._ellipses:
            found.append(spans_of_parts(ellipse_spans(self._ellipses, *size), self._ellipse_shapes))
        return found[0] if len(found) == 1 else in_order(chain(*found))
