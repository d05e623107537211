"""Images of a kind: some with strokes, others that are scored."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from saccade.errors import InputError
from saccade.scribbles.simulate import CLASSES, simulate_strokes
from saccade.suffixes import IMAGE_SUFFIXES

FIELDS = ("membranes", "nuclei-fluo", "nuclei-plate", "nuclei-tissue", "roads", "vessels")
STREET = "camvid"
KINDS = (*FIELDS, STREET)
UNKNOWN = 255
_STREET_STROKED = 6  # training frames with simulated strokes
_STREET_CLASSES = 11


@dataclass(frozen=True)
class Example:
    """An image of a kind.

    Attributes:
        stem: its name.
        image: (H, W, 3) uint8.
        truth: (H, W) class, 255 = unknown.
        strokes: (H, W) class, 255 = nobody drew; None where nobody drew at all.
    """

    stem: str
    image: NDArray[np.uint8]
    truth: NDArray[np.uint8]
    strokes: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class KindOfImages:
    """Its images with strokes, and those that are scored."""

    name: str
    classes: int
    stroked: list[Example]
    scored: list[Example]


def load_kind(root: Path, name: str, *, every: int = 1, limit: int | None = None) -> KindOfImages:
    """Images of a kind; scored are those without strokes that the bundled weights have not seen.

    Args:
        root: folder of `fields` and `camvid`.
        name: one of `KINDS`.
        every: only every n-th image is scored.
        limit: at most so many are.

    Raises:
        InputError: files are missing.
    """
    found = _street(root, every) if name == STREET else _field(root / "fields" / name, name, every)
    if not found.stroked or not found.scored:
        raise InputError(
            f"{root}: no images of {name}, expected some with strokes and some without"
        )
    return KindOfImages(name, found.classes, found.stroked, found.scored[:limit])


def seen_by_weights(name: str, stems: Iterable[str]) -> frozenset[str]:
    """Those of a set that the bundled weights have seen, as the file beside them says."""
    known = json.loads((files("saccade.models") / "bundled.json").read_text("utf-8"))
    sets = {one["set"] for one in known["data"] if isinstance(one, dict)}  # else older than fields
    return frozenset(stems) - frozenset(known["without"]) if name in sets else frozenset()


def _field(folder: Path, name: str, every: int) -> KindOfImages:
    pictures = _pictures(folder / "images")
    seen = seen_by_weights(name, [path.stem for path in pictures])
    stroked, scored = [], []
    for path in pictures:
        strokes = folder / "scribbles" / f"{path.stem}.png"
        truth = (_values(next((folder / "masks").glob(f"{path.stem}.*"))) > 0).astype(np.uint8)
        image = np.asarray(Image.open(path).convert("RGB"))
        if strokes.is_file():
            stroked.append(Example(path.stem, image, truth, _values(strokes)))
        elif path.stem not in seen:
            scored.append(Example(path.stem, image, truth))
    return KindOfImages(name, 2, stroked, scored[::every])


def _street(root: Path, every: int) -> KindOfImages:
    folder = root / STREET
    frames = _pictures(folder / "train")
    chosen = frames[:: max(1, len(frames) // _STREET_STROKED)][:_STREET_STROKED]
    stroked = []
    for number, path in enumerate(chosen):
        one = _frame(path, folder / "trainannot")
        rng = np.random.default_rng(number)
        strokes = simulate_strokes(one.truth, rng, styles=CLASSES, by_component=True, min_area=120)
        stroked.append(Example(one.stem, one.image, one.truth, strokes))
    scored = [_frame(path, folder / "valannot") for path in _pictures(folder / "val")[::every]]
    return KindOfImages(STREET, _STREET_CLASSES, stroked, scored)


def _frame(path: Path, labels: Path) -> Example:
    truth = _values(labels / f"{path.stem}.png")
    known = np.where(truth < _STREET_CLASSES, truth, UNKNOWN).astype(np.uint8)
    return Example(path.stem, np.asarray(Image.open(path).convert("RGB")), known)


def _values(path: Path) -> NDArray[np.uint8]:
    return np.asarray(Image.open(path))


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)


def own_strokes(example: Example) -> NDArray[np.uint8]:
    """Simulated strokes (H, W) of an image, for methods that are fitted to it alone."""
    rng = np.random.default_rng(0)
    return simulate_strokes(example.truth, rng, styles=CLASSES, by_component=False, min_area=64)
