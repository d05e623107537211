"""Photographs cut into tiles, so that image labels say something where every class is everywhere.

Nearly all of CamVid's photographs show nearly all of its classes: labels of whole photographs are
then all the same, and no classifier can learn from them where a class is.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from saccade.data.sets import Example, LabeledSet, read_values
from saccade.data.specs import IGNORE
from saccade.errors import InputError
from saccade.formats.masks import write_mask
from saccade.images import load_image

GRID = (2, 3)
"""Rows and columns of tiles: 180x160 pixels each of CamVid's 360x480."""


def cut_tiles(dataset: LabeledSet, folder: Path, grid: tuple[int, int] = GRID) -> LabeledSet:
    """Write FOLDER/images/NAME-ROW-COLUMN.png and FOLDER/masks/; tiles that exist are kept.

    Tiles without a labelled pixel are left out, as they have no image label.
    """
    images, masks = folder / "images", folder / "masks"
    for made in (images, masks):
        made.mkdir(parents=True, exist_ok=True)
    examples = []
    for index, example in enumerate(dataset.examples):
        labels = dataset.labels(index)
        image = None
        for row, column, area in tile_areas(labels.shape, grid):
            name = f"{example.name}-{row}-{column}"
            tile = Example(name, images / f"{name}.png", masks / f"{name}.png", weak=True)
            if (labels[area] == IGNORE).all():
                continue
            examples.append(tile)
            if not tile.mask.is_file():
                image = load_image(example.image) if image is None else image
                Image.fromarray(image[area]).save(tile.image)
                write_mask(tile.mask, labels[area], "png")
    title = f"{dataset.title} in {grid[0]}x{grid[1]} tiles"
    return replace(dataset, title=title, examples=tuple(examples))


def join_tiles(
    dataset: LabeledSet, tiles: Path, folder: Path, grid: tuple[int, int] = GRID
) -> None:
    """Put the masks of tiles together, FOLDER/NAME.png; a tile that is missing has no class.

    Raises:
        InputError: a mask of a tile has another size.
    """
    colors = {i: (int(r), int(g), int(b)) for i, (r, g, b) in enumerate(dataset.spec.colors)}
    for example in dataset.examples:
        height, width = load_image(example.image).shape[:2]
        whole = np.full((height, width), IGNORE, np.uint8)
        for row, column, area in tile_areas(whole.shape, grid):
            path = tiles / f"{example.name}-{row}-{column}.png"
            if not path.is_file():
                continue
            mask = read_values(path)
            if mask.shape != whole[area].shape:
                raise InputError(f"{path}: {mask.shape}, its tile is {whole[area].shape}")
            whole[area] = mask
        write_mask(folder / f"{example.name}.png", whole, "png", colors=colors)


def tile_areas(
    shape: tuple[int, ...], grid: tuple[int, int]
) -> list[tuple[int, int, tuple[slice, slice]]]:
    """Row, column and slices of each tile."""
    lines, stops = (
        [length * k // parts for k in range(parts + 1)]
        for length, parts in zip(shape, grid, strict=False)
    )
    return [
        (row, column, (slice(*lines[row : row + 2]), slice(*stops[column : column + 2])))
        for row in range(grid[0])
        for column in range(grid[1])
    ]
