"""Objects of ``saccade segment``: label images, annotations, and one table of a whole run.

What is known of the objects of an image lies in objects/NAME.json beside the masks, written once
for each image. The table is put together from these files at the end of each run, so a run that
goes on has the rows of all images, each once.
"""

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saccade.cli.own_container import georeference_of_file
from saccade.files import atomic_write
from saccade.formats.names import OBJECT_FORMATS, OBJECTS_TOO
from saccade.stores import is_remote
from saccade.strict_json import json_text, stored_json

if TYPE_CHECKING:
    from saccade.interactive import Segmentation
    from saccade.objects import Objects

MODES = ("connected", "separate")
FIRST_COLUMNS = ("file", "slice", "object", "class", "class_name", "mean_confidence")
_SUMMARY = ("file", "slice", "class", "class_name", "count", "area", "share")


@dataclass(frozen=True)
class ObjectOptions:
    """How objects are found: `mode` is one of `MODES`, objects of fewer pixels are left out."""

    mode: str = "separate"
    min_area: int = 1

    def record(self) -> dict[str, Any]:
        """What decides on the objects besides the mask."""
        return {"instances": self.mode, "min_area": self.min_area}


@dataclass(frozen=True)
class FoundObjects:
    """The objects of an image, with what their files need."""

    objects: "Objects"
    background: tuple[int, ...]
    names: dict[int, str]


def find(
    result: "Segmentation",
    options: ObjectOptions,
    names: Mapping[int, str] | tuple[str, ...] | None,
) -> FoundObjects:
    """Find the objects of a segmentation; what nobody drew and was assumed is no object."""
    from saccade.objects import find_objects
    from saccade.objects.measurements import name_of

    background = tuple({0, *result.provisional})
    objects = find_objects(
        result.labels,
        result.probabilities,
        result.classes,
        separate=options.mode == "separate",
        min_area=options.min_area,
        background=background,
    )
    given = dict(enumerate(names)) if isinstance(names, tuple) else dict(names or {})
    values = sorted({*given, *result.classes})
    return FoundObjects(objects, background, {value: name_of(value, given) for value in values})


def write_label_image(path: Path, found: FoundObjects) -> None:
    """Write the numbers of the objects: PNG of 16 bits, or TIFF of 32 where they do not fit."""
    import numpy as np
    from PIL import Image

    labels = found.objects.labels
    wide = labels.dtype != np.uint16
    target, other = (path.with_suffix(".tif"), path) if wide else (path, path.with_suffix(".tif"))
    with atomic_write(target) as temporary:
        if wide:
            import tifffile

            tifffile.imwrite(temporary, labels, compression="zlib")
        else:
            Image.fromarray(labels).save(temporary, format="PNG")
    other.unlink(missing_ok=True)


def is_written(path: Path) -> bool:
    """Whether an output is there; a label image may have become a TIFF."""
    return path.exists() or (path.parent.name == "instances" and path.with_suffix(".tif").exists())


def write_annotations(
    path: Path, fmt: str, found: FoundObjects, image_path: Path, *, linked: bool = True
) -> None:
    """Write one annotation for each object, and beside YOLO's labels the image.

    `linked`: whether labelme's files have the way to the image, instead of its name.
    """
    from saccade.formats.instances import encode_instances

    image: str | os.PathLike[str] = image_path.name
    if fmt == "labelme" and linked and not is_remote(path):
        with suppress(ValueError):  # on another drive no path leads there, so its name must do
            image = Path(os.path.relpath(image_path, path.parent)).as_posix()
    place = georeference_of_file(image_path) if fmt in ("geojson", "gpkg") else None
    data = encode_instances(
        found.objects.labels,
        found.objects.classes,
        fmt,
        classes=found.names,
        names=found.names,
        background=found.background,
        image_path=image,
        transform=None if place is None else place.transform,
        crs="" if place is None else place.crs,
    )
    if fmt == "yolo":
        _put_image(image_path, yolo_image(path, image_path))
    with atomic_write(path) as temporary:
        temporary.write_bytes(data)


def yolo_image(labels: Path, image: Path) -> Path:
    """Where YOLO looks for the image of a file of labels: images/ beside labels/."""
    return labels.parent.parent / "images" / image.name


def _put_image(image: Path, target: Path) -> None:
    with atomic_write(target, follow=False) as temporary:
        temporary.unlink()
        try:
            os.link(os.path.realpath(image), temporary)  # takes no space
        except OSError:
            shutil.copyfile(image, temporary)


def write_objects(
    path: Path, found: FoundObjects, options: ObjectOptions, colors: Any, file: Path
) -> tuple[str, ...]:
    """Write what is known of the objects of an image: rows of the table, and the summary.

    Returns remarks, where other numbers than those of the file were measured.

    Args:
        path: to write.
        found: the objects.
        options: how they were found.
        colors: (H, W, 3), the image as colours.
        file: of the image, whose own numbers are measured.
    """
    from saccade.objects import measure_objects, summarize_objects

    image, channels, scale, remarks = _intensities(colors, file)
    classes = [value for value in found.names if value not in found.background]
    common: dict[str, Any] = {"names": found.names, "file": file.name, **scale}
    rows = measure_objects(found.objects, image, channels=channels, **common)
    summary = summarize_objects(found.objects, classes=classes, **common)
    put_document(path, options, found.background, found.names, rows, summary)
    return remarks


def put_document(
    path: Path,
    options: ObjectOptions,
    background: Sequence[int],
    names: Mapping[int, str],
    rows: Sequence[Mapping[str, Any]],
    summary: Sequence[Mapping[str, Any]],
) -> None:
    """Write what is known of the objects of a file, as `stored_objects` reads it."""
    content = {
        "made_by": options.record(),
        "background": list(background),
        "names": [[value, name] for value, name in names.items()],
        "rows": rows,
        "summary": summary,
    }
    with atomic_write(path) as temporary:
        temporary.write_text(json_text(content, ensure_ascii=False) + "\n", encoding="utf-8")


def _intensities(
    colors: Any, file: Path
) -> tuple[Any, tuple[str, ...], dict[str, Any], tuple[str, ...]]:
    """Numbers (H, W, C) to measure, names of the channels, the size of a pixel, and remarks.

    They are those of the file, of every bit, where they lie as the colours do; else the colours.
    """
    import numpy as np

    from saccade.errors import InputError
    from saccade.images import Image, open_image

    shown = Image(colors, "YXC", colors=True)
    remarks: tuple[str, ...] = ()
    try:
        opened = open_image(file)
        plane = opened.plane()
    except InputError:  # a kind that is read as colours alone
        opened, plane = shown, colors
        remarks = ("objects are measured in 8-bit colours, as the image was segmented",)
    if plane.shape[:2] != colors.shape[:2]:
        height, width = plane.shape[:2]
        opened, plane = shown, colors
        remarks = (
            "objects are measured in 8-bit colours, as the image was segmented: in the file it is "
            f"{height} x {width} pixels (height x width)",
        )
    scale = {"pixel_size": dict(opened.pixel_size), "unit": opened.unit}
    if opened.nodata is not None:
        plane = np.where(plane == opened.nodata, np.nan, plane)
    if plane.shape[2] == 1 or (opened.colors and (plane == plane[..., :1]).all()):
        return plane[..., :1], opened.channels[:1] or ("grey",), scale, remarks
    named = ("red", "green", "blue") if opened.colors else ()
    return plane, named if named else opened.channels, scale, remarks


def stored_objects(path: Path) -> dict[str, Any] | None:
    """What `write_objects` wrote; None where it is damaged, or not there."""
    content = stored_json(path)
    keys = {"made_by", "background", "names", "rows", "summary"}
    return content if isinstance(content, dict) and keys <= set(content) else None


def needs_objects(formats: Iterable[str]) -> bool:
    """Whether a format holds objects and nothing else."""
    return any(fmt in OBJECT_FORMATS for fmt in formats)


def has_objects(fmt: str) -> bool:
    """Whether a format has an annotation for each object where objects are wanted."""
    return fmt in OBJECT_FORMATS or fmt in OBJECTS_TOO


def summary_path(table: Path) -> Path:
    """Where the summary of a table is.

    >>> summary_path(Path("out/cells.csv")).name
    'cells.summary.csv'
    """
    return table.with_name(f"{table.stem}.summary{table.suffix}")


def write_tables(table: Path, parts: Sequence[Path]) -> int:
    """Put together the table of all images, and its summary; returns the number of rows."""
    from saccade.objects import write_table

    stored = [part for part in map(stored_objects, parts) if part is not None]
    rows = [row for part in stored for row in part["rows"]]
    write_table(table, rows, _columns(FIRST_COLUMNS, rows))
    summary = [row for part in stored for row in part["summary"]]
    write_table(summary_path(table), summary, _columns(_SUMMARY, summary))
    return len(rows)


def _columns(first: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The columns that stand first; time where there is one, area where something has one."""
    names = [name for name in first if name != "area" or not rows or any(name in r for r in rows)]
    return [names[0], "time", *names[1:]] if any("time" in row for row in rows) else names


def write_yolo_data(folder: Path, parts: Sequence[Path]) -> None:
    """Write data.yaml for the labels of all images."""
    from saccade.formats.instances import yolo_data

    stored = [part for part in map(stored_objects, parts) if part is not None]
    if not stored:
        return
    names = {value: name for part in stored for value, name in part["names"]}
    background = {value for part in stored for value in part["background"]}
    with atomic_write(folder / "data.yaml") as temporary:
        temporary.write_text(yolo_data(names, background), encoding="utf-8")


def count_line(parts: Sequence[Path]) -> str:
    """How many objects of each class there are, for people."""
    counts: dict[str, int] = {}
    for part in map(stored_objects, parts):
        for row in [] if part is None else part["summary"]:
            counts[row["class_name"]] = counts.get(row["class_name"], 0) + row["count"]
    each = ", ".join(f"{name} {count}" for name, count in counts.items())
    return f"{sum(counts.values())} objects" + (f" ({each})" if each else "")
