"""Data sets of Hugging Face's `datasets` on disk: their images and masks as files.

What is read is a folder of `Dataset.save_to_disk` or `DatasetDict.save_to_disk`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from saccade.errors import InputError
from saccade.files import reading
from saccade.formats.masks import write_mask
from saccade.images.extras import require_module

MASK_COLUMNS = ("mask", "label", "annotation", "segmentation", "labels", "masks")
"""Names of a column with masks; what they begin with counts, capitals do not."""
_MARKS = ("dataset_dict.json", "dataset_info.json")
_SPLITS = {"validation": "val", "valid": "val", "dev": "val"}


def is_hugging_face(root: Path) -> bool:
    """Whether a folder is a data set of `datasets`.

    Example:
        >>> is_hugging_face(Path("nowhere"))
        False
    """
    return any((root / name).is_file() for name in _MARKS)


def unpack(
    root: Path, output: Path, progress: Callable[[float, str], None] = lambda done, text: None
) -> Path:
    """Write images and masks of a data set as OUTPUT/images/SPLIT/ and OUTPUT/masks/SPLIT/.

    Files that are there are written anew.

    Args:
        root: the data set.
        output: folder for the files; made if it is missing.
        progress: told the share that is done, and of what.

    Returns:
        `output`.

    Raises:
        InputError: `datasets` is not installed, the folder is damaged, or no column has images, or
            none has masks.
    """
    datasets: Any = require_module(root, "a data set of Hugging Face", "datasets", "hugging")
    with reading(root, "no data set of Hugging Face that can be read"):
        found = datasets.load_from_disk(str(root))
        splits = found if isinstance(found, datasets.DatasetDict) else {"": found}
    image, mask = _columns(root, datasets, next(iter(splits.values())).features)
    total, done = sum(map(len, splits.values())), 0
    for name, split in splits.items():
        folder = _SPLITS.get(str(name), str(name))
        for kind in ("images", "masks"):
            (output / kind / folder).mkdir(parents=True, exist_ok=True)
        for number, row in enumerate(split):
            stem = f"{number:06d}.png"
            row[image].convert("RGB").save(output / "images" / folder / stem)
            _write_mask(output / "masks" / folder / stem, row[mask])
            done += 1
            progress(done / total, "unpacking")
    return output


def _columns(root: Path, datasets: Any, features: Any) -> tuple[str, str]:
    """The columns with images and with masks.

    Raises:
        InputError: one is missing.
    """
    names = [name for name, kind in features.items() if isinstance(kind, datasets.Image)]
    masks = [n for m in MASK_COLUMNS for n in names if n.lower().startswith(m)]
    images = [name for name in names if name not in masks]
    if not masks or not images:
        raise InputError(
            f"{root}: columns of images are {', '.join(names) or 'none'}; expected one with images "
            f"and one with masks, called {', '.join(MASK_COLUMNS[:-1])} or {MASK_COLUMNS[-1]}"
        )
    return images[0], masks[0]


def _write_mask(path: Path, mask: Any) -> None:
    values = np.asarray(mask)
    if values.ndim == 2 and values.dtype != bool:
        write_mask(path, values.astype(np.int32), "png")
    else:
        mask.convert("RGB" if values.ndim == 3 else "L").save(path)
