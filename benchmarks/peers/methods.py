"""Method names of the command line -> callables `(image, strokes, seed) -> labels`."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import peers
from benchmarks.harness.datasets import SETS
from benchmarks.harness.folds import Folds
from benchmarks.peers.ours import check_variants, run_saccade
from saccade.errors import InputError

Run = Callable[[NDArray[np.uint8], NDArray[np.uint8], int], NDArray[Any]]


@dataclass(frozen=True)
class Method:
    """One way to get from strokes to labels."""

    name: str
    run: Run  # (H, W, 3) image, (H, W) strokes with 255 = unlabelled, seed -> (H, W) labels
    run_on: Callable[[str], Run] | None = None  # the same for the image of this stem
    seeded: bool = False  # whether the result depends on the seed
    two_classes: bool = False  # whether it cannot do more than two
    needs: tuple[str, ...] = ()  # modules that may be missing
    only: tuple[str, ...] = SETS  # the sets it is meant for

    def on(self, stem: str) -> Run:
        """What to run on the image of this stem."""
        return self.run if self.run_on is None else self.run_on(stem)

    def missing(self) -> str | None:
        """The first module it needs that is not installed."""
        return next((module for module in self.needs if find_spec(module) is None), None)


def resolve(name: str, folds: Folds | None = None) -> Method:
    """The method of a name, InputError for an unknown one.

    With `folds` Saccade takes weights that have not seen the image at hand.
    """
    if "@" in name:
        name, suffix = name.rsplit("@", 1)
        only = tuple(suffix.split("/"))
        for one in only:
            if one not in SETS:
                raise InputError(f"method {name}@{suffix}: no set {one!r}; use {', '.join(SETS)}")
        return replace(resolve(name, folds), only=only)
    if name.startswith("saccade:"):
        spec = name.removeprefix("saccade:")
        check_variants(spec)

        def on(stem: str) -> Run:
            return lambda image, strokes, seed: run_saccade(
                spec, image, strokes, seed, stem, folds or {}
            )

        return Method(name, on(""), on, seeded=True)
    known = {method.name: method for method in _peers()}
    if name not in known:
        raise InputError(
            f"method {name!r} is unknown; choose from saccade:PRESET, {', '.join(known)}"
        )
    return known[name]


def _peers() -> list[Method]:
    def plain(function: Callable[..., NDArray[Any]]) -> Run:
        return lambda image, strokes, seed: function(image, strokes)

    return [
        Method("nearest", plain(peers.nearest)),
        Method("geodesic", plain(peers.geodesic)),
        Method(
            "forest",
            lambda image, strokes, seed: peers.random_forest(image, strokes, seed=seed),
            seeded=True,
            needs=("sklearn",),
        ),
        Method("convpaint", plain(peers.convpaint), needs=("napari_convpaint",)),
        Method("walker", plain(peers.random_walker)),
        Method("grabcut", plain(peers.grabcut), two_classes=True, needs=("cv2",)),
        Method("cut-histogram", plain(peers.cut_histogram), two_classes=True, needs=("maxflow",)),
        Method("cut-gmm", plain(peers.cut_gmm), two_classes=True, needs=("maxflow", "sklearn")),
    ]
