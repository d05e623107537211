"""Label Studio's tasks read: what their regions cover, drawn one task at a time.

Exports in JSON and in JSON-MIN are read, and files of tasks with predictions. Annotations come
before predictions; of several the first that was not cancelled and has regions is taken. Later
regions are on top.
"""

import os
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from saccade.data.foreign import document_kind, refuse_json
from saccade.data.shapes import (
    OddShapeError,
    ShapeRecord,
    WorkBudget,
    check_size,
    positions_of,
)
from saccade.errors import InputError
from saccade.files import last_part, read_json, remembering
from saccade.formats.canvas import Canvas
from saccade.formats.entries import image_path, pick_entry
from saccade.formats.label_studio import CLASSES_KEY
from saccade.formats.label_studio_shapes import StudioRegion, paint_region, studio_regions
from saccade.formats.labels import AnnotatedImage, ReadOptions, saved_values, values_of_names

LISTS = ("annotations", "completions", "predictions")


@dataclass(frozen=True)
class _Task:
    """A task, its regions, and what was not used."""

    given: dict[str, Any]
    regions: list[StudioRegion]
    record: ShapeRecord

    @property
    def address(self) -> str:
        return task_address(self.given)


def task_address(task: dict[str, Any]) -> str:
    """Return the path or address of the image of a task, or ""."""
    data = task.get("data")
    data = data if isinstance(data, dict) else task
    texts = [v for k, v in data.items() if isinstance(v, str) and ("image" in k or "img" in k)]
    return str((texts or [task.get("file_upload") or ""])[0])


def iter_label_studio(
    path: str | os.PathLike[str], options: ReadOptions
) -> Iterator[AnnotatedImage]:
    """Yield the tasks of a Label Studio file that have regions, decoded one at a time.

    Raises:
        InputError: malformed JSON, another JSON format, not exactly one task with regions where
            `single`, another size than `shape`, an image that was rotated in Label Studio, a label
            that is not among `names`, no region that can be drawn.
    """
    path = Path(path)
    tasks = (_read if options.image_name is None else _read_again)(path)
    labeled = [task for task in tasks if task.regions]
    values = _values(tasks, path) if options.names is None else {}
    if options.image_name is not None:
        chosen = [_picked(tasks, labeled, options.image_name, path)]
    elif options.single and len(labeled) != 1:
        chosen = [_only(tasks, labeled, path)]
    else:
        chosen = labeled
    for task in chosen:
        table = positions_of(options.names, {r.label for r in task.regions} - {""}, path) or values
        record = deepcopy(task.record)  # a task may be drawn again, on a canvas of its own
        size = _size(task, options.shape, path)
        canvas = Canvas(size, options.uncovered, record, WorkBudget(path))
        for region in task.regions:
            _draw(canvas, region, table, path)
        labels = canvas.finished(path, table, alone=len(chosen) == 1)
        known = {value: name for name, value in table.items()}
        name = last_part(image_path(task.address))
        yield AnnotatedImage(name, labels, known, canvas.record.remarks)


def _read(path: Path) -> list[_Task]:
    document = read_json(path)
    if document_kind(document) != "label-studio":
        refuse_json(document, path)
    return [_task(entry) for entry in (document if isinstance(document, list) else [document])]


_read_again = remembering(_read)


def _task(entry: dict[str, Any]) -> _Task:
    """A task with the regions of its first annotation or prediction that has some."""
    record = ShapeRecord()
    found: list[tuple[str, list[Any]]] = []
    cancelled = 0
    for key in LISTS:
        given = entry.get(key)
        for item in given if isinstance(given, list) else []:
            results = item.get("result") if isinstance(item, dict) else None
            if not isinstance(results, list) or not results:
                continue
            if item.get("was_cancelled"):
                cancelled += 1
            else:
                found.append((key, results))
    if not any(key in entry for key in LISTS):  # JSON-MIN
        lists = [value for value in entry.values() if isinstance(value, list)]
        found = [("annotation", [result for value in lists for result in value])]
    for place, (key, results) in enumerate(found):
        trial = ShapeRecord()
        regions = studio_regions(results, trial)
        if regions:
            rest = len(found) - 1 - place
            word = key.removesuffix("s")
            what = f"the first {word} was used" if place == 0 else f"a later {word} was used"
            trial.count(f"{what}, 1 other was not", f"{what}, {{n}} others were not", rest)
            trial.count(
                "1 cancelled annotation was skipped",
                "{n} cancelled annotations were skipped",
                cancelled,
            )
            if key == "predictions":
                trial.count("a prediction was used, as there is no annotation with regions", "")
            return _Task(entry, regions, trial)
        record = trial if trial.skipped else record
    return _Task(entry, [], record)


def _values(tasks: list[_Task], path: Path) -> dict[str, int]:
    values: dict[str, int] = {}
    try:
        for task in tasks:
            meta = task.given.get("meta")
            pairs = meta.get(CLASSES_KEY, []) if isinstance(meta, dict) else []
            values |= saved_values(pairs)
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: its '{CLASSES_KEY}' is damaged") from error
    used = {region.label for task in tasks for region in task.regions} - {""}
    return values if used <= set(values) else values_of_names(used)


def _picked(tasks: list[_Task], labeled: list[_Task], image_name: str, path: Path) -> _Task:
    def address(task: _Task) -> str:
        return task.address

    try:
        return pick_entry(labeled, address, image_name, str(path))
    except InputError:  # a task without regions says more than none
        return pick_entry(tasks, address, image_name, str(path))


def _only(tasks: list[_Task], labeled: list[_Task], path: Path) -> _Task:
    """Raise the InputError that says why there is not one task with regions."""
    if labeled:
        raise InputError(
            f"{path}: has {len(labeled)} tasks with labels, expected one; read "
            "them one by one with saccade.formats.masks.iter_annotations"
        )
    for task in tasks:
        if task.record.skipped:
            task.record.refuse(path)
    what = "its task has" if len(tasks) == 1 else f"none of its {len(tasks)} tasks has"
    raise InputError(f"{path}: {what} labels that were not cancelled, expected one with regions")


def _size(task: _Task, shape: tuple[int, int] | None, path: Path) -> tuple[int, int]:
    for region in task.regions:
        result = region.result
        if result.get("image_rotation"):
            degrees = str(result["image_rotation"])[:20]
            raise InputError(
                f"{path}: an image that was rotated in Label Studio ({degrees} degrees), expected "
                "an upright one"
            )
        if "original_height" in result and "original_width" in result:
            try:
                size = int(result["original_height"]), int(result["original_width"])
            except (TypeError, ValueError, OverflowError) as error:
                raise InputError(f"{path}: original_width and _height are no numbers") from error
            check_size(path, *size, shape)
            return size
    if shape is None:
        raise InputError(f"{path}: a result without original_width and _height")
    return shape


def _draw(canvas: Canvas, region: StudioRegion, values: dict[str, int], path: Path) -> None:
    result = region.result
    try:
        if not region.label:
            raise OddShapeError("no label")
        if result.get("item_index"):
            raise OddShapeError("on another page of its task")
        given = result.get("original_height"), result.get("original_width")
        if None not in given and given != (canvas.height, canvas.width):
            raise OddShapeError("of another size of image")
        paint_region(canvas, region, values[region.label])
    except OddShapeError as error:
        canvas.record.skip(region.kind, error)
