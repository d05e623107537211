"""Method names of the command line -> callables `(image, strokes, seed) -> labels`."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import peers
from benchmarks.datasets import SETS
from benchmarks.folds import Folds, unseen
from saccade.errors import InputError

if TYPE_CHECKING:
    from saccade.interactive.presets import Preset

Run = Callable[[NDArray[np.uint8], NDArray[np.uint8], int], NDArray[Any]]
VARIANTS: dict[str, tuple[str, Any]] = {
    "gdc": ("branch", "gdc"),
    "normal": ("branch", "normal"),
    "dilated6": ("dilation", 6),
    "dilated16": ("dilation", 16),
    "dilated24": ("dilation", 24),
    "deformable": ("branch", "deformable"),
    "uniform": ("branch", "uniform"),
    "sigma0.1": ("sigma", 0.1),
    "sigma0.3": ("sigma", 0.3),
    "batch": ("norm", "batch"),
    "random": ("features", "random"),
}
_PIXELS = re.compile(r"pixels([1-9]\d*)")
PARTS = ("nofusion", "norefine", "adam", "paperweight", "nosuperpixels")


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
        for variant in spec.split("+")[1:]:
            known = variant in (*VARIANTS, *PARTS) or _PIXELS.fullmatch(variant)
            if not known and not Path(variant).is_file():
                raise InputError(
                    f"method {name!r}: variant {variant!r} is unknown; choose from "
                    f"{', '.join((*VARIANTS, *PARTS))}, pixelsNUMBER (the largest working size), "
                    "or the file of a mobilenet_v2 checkpoint"
                )

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


def run_saccade(
    spec: str,
    image: NDArray[np.uint8],
    strokes: NDArray[np.uint8],
    seed: int,
    stem: str,
    folds: Folds,
) -> NDArray[Any]:
    """Saccade on one image, on the CPU like its peers.

    Args:
        spec: "fast", "best" or "paper", or a preset with a variant of its network, "paper+gdc".
        image: (H, W, 3) uint8.
        strokes: (H, W), 255 = unlabelled.
        seed: seed of the draws.
        stem: of the image.
        folds: which weights have not seen it.

    Returns:
        (H, W) labels.
    """
    from saccade import segment
    from saccade.interactive.presets import preset_named

    name, *variants = spec.split("+")
    preset = unseen(preset_named(name), stem, folds)
    for variant in variants:
        preset = _vary(preset, variant)
    return segment(image, strokes, preset=preset, seed=seed, device="cpu").labels


def _vary(preset: "Preset", variant: str) -> "Preset":
    """The preset with one thing changed: a branch, a source of features, or a part left out."""
    if variant in ("nofusion", "norefine"):
        return replace(
            preset, **{"nofusion": {"fusion": False}, "norefine": {"refine": None}}[variant]
        )
    if variant in ("adam", "paperweight", "nosuperpixels"):
        change = {
            "adam": {"optimizer": "adam"},
            "paperweight": {"class_weight": "paper"},
            "nosuperpixels": {"superpixels": False},
        }
        return replace(preset, fit=replace(preset.fit, **change[variant]))
    if pixels := _PIXELS.fullmatch(variant):
        return replace(preset, max_pixels=int(pixels[1]))
    key, value = VARIANTS.get(variant, ("features", variant))
    network = replace(preset.network, **{key: value})
    if variant.startswith("dilated"):
        network = replace(network, branch="dilated", dilation=int(variant.removeprefix("dilated")))
    return replace(preset, network=network)


def limit_threads(threads: int, methods: list[Method]) -> None:
    """Limit the libraries that do not read the environment, if the methods use them."""
    if find_spec("cv2") is not None:
        import cv2

        cv2.setNumThreads(threads)
    if any(method.name.startswith("saccade:") for method in methods):
        import torch

        torch.set_num_threads(threads)


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
