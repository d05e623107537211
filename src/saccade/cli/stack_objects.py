"""Objects of stacks in ``saccade segment``: numbers in a file like the stack's, and rows."""

from typing import TYPE_CHECKING, Any

from saccade.cli.object_files import ObjectOptions, put_document
from saccade.cli.outputs import Wanted, planned
from saccade.cli.pairs import Pair

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from saccade.images import Image
    from saccade.stacks import StackSegmentation


class PlanesOfTime:
    """The numbers (Z, H, W, C) of one time, or (H, W, C); a channel is read when indexed."""

    def __init__(self, image: "Image", t: int) -> None:
        self._image, self._t = image, t
        slices = (image.count("Z"),) if "Z" in image.axes else ()
        self.shape = (*slices, *image.size, image.count("C"))

    def __getitem__(self, index: Any) -> "NDArray[Any]":
        """All pixels of channel `index[-1]`."""
        import numpy as np

        planes = [
            self._image.plane(t=self._t, z=z)[..., index[-1]] for z in range(self._image.count("Z"))
        ]
        values = np.stack(planes) if "Z" in self._image.axes else planes[0]
        if self._image.nodata is not None:
            values = np.where(values == self._image.nodata, np.nan, values)
        return values


def write_stack_objects(
    pair: Pair,
    found: "StackSegmentation",
    image: "Image",
    options: ObjectOptions,
    wanted: Wanted,
    *,
    names: "dict[int, str]",
) -> "NDArray[Any]":
    """Write what is known of the objects of a stack, and return their numbers (T, Z, Y, X).

    Objects go through the slices of a time; without slices each time has its own. Numbers go on
    from time to time. Axes that the stack has not are left out of what is returned.
    """
    import numpy as np

    from saccade.objects import measure_objects, summarize_objects
    from saccade.objects.measurements import name_of

    known = {value: name_of(value, names) for value in sorted({*names, *found.classes})}
    classes = [value for value in known if value]
    times = range(image.count("T"))
    several, count = "T" in image.axes, 0
    rows: list[dict[str, Any]] = []
    summary: list[dict[str, Any]] = []
    numbers = []
    for t in times:
        objects = found.objects(
            t,
            separate=options.mode == "separate",
            min_area=options.min_area,
            pixel_size=image.pixel_size,
        )
        common: dict[str, Any] = {
            "names": known,
            "file": pair.image.name,
            "pixel_size": dict(image.pixel_size),
            "unit": image.unit,
        }
        planes: Any = PlanesOfTime(image, t)
        own = measure_objects(objects, planes, channels=image.channel_titles, **common)
        rows += [_placed(row, t if several else None, count) for row in own]
        own = summarize_objects(objects, classes=classes, **common)
        summary += [_placed(row, t if several else None) for row in own]
        labels = objects.labels.astype(np.uint32)
        numbers.append(np.where(labels, labels + np.uint32(count), 0))
        count += objects.count
    put_document(planned(pair, wanted)["objects"], options, (0,), known, rows, summary)
    return np.stack(numbers) if several else numbers[0]


def _placed(row: dict[str, Any], t: int | None, before: int = 0) -> dict[str, Any]:
    """A row with its time, and with the number of its object in the whole stack."""
    if "object" in row:
        row["object"] += before
    if t is None:
        return row
    return {"file": row["file"], "time": t, **{k: v for k, v in row.items() if k != "file"}}
