"""Weights that have not seen an image, for images that the bundled ones were trained on.

The bundled weights were trained on the photographs of `iseg` too, so their scores there say
nothing. FOLDER holds one file for each fold of a cross-validation, trained in the same way without
its photographs (`make weights`); the JSON beside it names these under "without".
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from saccade.errors import InputError

if TYPE_CHECKING:
    from saccade.interactive.presets import Preset

FOLDER = Path(__file__).resolve().parents[1] / "folds"
Folds = dict[str, str]
"""Stem of an image -> file of the weights that have not seen it."""


def read_folds(folder: Path = FOLDER) -> Folds:
    """The weights of a folder by the images that they have not seen; none without the folder.

    Raises:
        InputError: a file of weights is missing, or an image belongs to two folds.
    """
    folds: Folds = {}
    for path in sorted(folder.glob("*.json")):
        weights = path.with_suffix(".safetensors")
        if not weights.is_file():
            raise InputError(f"{weights}: no such file, but {path.name} describes it")
        for stem in json.loads(path.read_text())["without"]:
            if stem in folds:
                raise InputError(f"{path}: {stem} is in another fold too; folds may not overlap")
            folds[stem] = str(weights)
    return folds


def unseen(preset: "Preset", stem: str, folds: Folds) -> "Preset":
    """The preset with weights that have not seen the image; as it is where all have not."""
    return replace(preset, weights=folds.get(stem, preset.weights))
