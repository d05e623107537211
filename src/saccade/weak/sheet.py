"""A sheet to look localization maps over (MDC paper, figure 5)."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from saccade.data.sets import LabeledSet
from saccade.errors import InputError
from saccade.formats.heat import render_heat
from saccade.formats.sheet import contact_sheet, lettered
from saccade.images import load_image
from saccade.weak.localization import read_maps


def draw_sheet(
    data: LabeledSet,
    folder: Path,
    rows: Sequence[tuple[int, int]],
    *,
    truth: bool = False,
) -> NDArray[np.uint8]:
    """Image, map of each dilation, fused map, a row per image and class, as in figure 5.

    Args:
        data: the images.
        folder: of their maps.
        rows: pairs (index of the image, class).
        truth: add the class's region in the mask as a last column.

    Raises:
        InputError: maps that are missing, or have no such class.
    """
    pictures, columns = [], 0
    for index, value in rows:
        example = data.examples[index]
        image, maps = load_image(example.image), read_maps(folder / f"{example.name}.npz")
        if value not in maps.classes:
            raise InputError(f"{folder / example.name}.npz: has no map of class {value}")
        place = maps.classes.index(value)
        cells = [maps.fused(block)[place] for block in range(len(maps.dilations))]
        cells.append(maps.fused("anti-noise")[place])
        names = [*(f"d = {dilation}" for dilation in maps.dilations), "fusion"]
        if truth:
            cells.append((data.labels(index) == value).astype(np.float32))
            names.append("mask")
        shown = zip(names, (render_heat(image, cell) for cell in cells), strict=True)
        row = [(data.spec.names[value], image), *shown]
        pictures += [lettered(picture, name) for name, picture in row]
        columns = len(row)
    return contact_sheet(pictures, columns=columns)


def example_rows(
    data: LabeledSet, present: NDArray[np.bool_], count: int = 8
) -> list[tuple[int, int]]:
    """Pairs (image, class) for a sheet: every class in turn, rare ones first, from new images."""
    order = np.argsort(present.sum(0), kind="stable")
    classes = [int(c) for c in order if present[:, c].any()]
    rows: list[tuple[int, int]] = []
    used: set[int] = set()
    for turn in range(count):
        value = classes[turn % len(classes)]
        having = [int(i) for i in np.flatnonzero(present[:, value]) if int(i) not in used]
        if having:
            chosen = having[len(having) // 2]
            used.add(chosen)
            rows.append((chosen, value))
    return rows
