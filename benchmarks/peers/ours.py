"""Saccade as a method of the benchmarks: a preset, variants of it, or parts left out."""

import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.folds import Folds, unseen
from saccade.errors import InputError

if TYPE_CHECKING:
    from saccade.interactive.presets import Preset

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
LEFT_OUT: dict[str, dict[str, Any]] = {
    "nofusion": {"fusion": False, "objects": False},
    "noobjects": {"objects": False},
    "norefine": {"refine": None},
}
PARTS = (*LEFT_OUT, "nonetwork", "adam", "paperweight", "nosuperpixels")
_NETWORK_CUES = ("network", "spread")


def check_variants(spec: str) -> None:
    """Raise InputError if a variant of "preset+variant+..." is unknown."""
    for variant in spec.split("+")[1:]:
        known = variant in (*VARIANTS, *PARTS) or _PIXELS.fullmatch(variant)
        if not known and not Path(variant).is_file():
            raise InputError(
                f"method 'saccade:{spec}': variant {variant!r} is unknown; choose from "
                f"{', '.join((*VARIANTS, *PARTS))}, pixelsNUMBER (the largest working size), "
                "or the file of a mobilenet_v2 checkpoint"
            )


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

    preset = preset_of(spec, stem, folds)
    return segment(image, strokes, preset=preset, seed=seed, device="cpu").labels


def preset_of(spec: str, stem: str, folds: Folds) -> "Preset":
    """The preset of "preset+variant+..." with weights that have not seen the image."""
    from saccade.interactive.presets import preset_named

    name, *variants = spec.split("+")
    preset = unseen(preset_named(name), stem, folds)
    for variant in variants:
        preset = _vary(preset, variant)
    return preset


@cache
def _without_network(source: str) -> str:
    """A file of weights whose fusion network does not hear the light GDC network."""
    import torch
    from safetensors.torch import load_file, save_file

    from saccade.models import weights
    from saccade.models.fusion_net import CUE

    folder = Path(weights.__file__).parent
    tensors = load_file(folder / "bundled.safetensors" if source == "bundled" else source)
    part = weights.FILE_PARTS["fusion"]
    for name in _NETWORK_CUES:
        tensors[f"{part}.enter.conv.weight"][:, CUE[name]] = 0
    tensors[f"{part}.leave.weight"][1] = 0
    tensors[f"{part}.leave.bias"][1] = -30.0  # the gate of its log odds, before softplus
    path = Path(mkdtemp()) / "without_network.safetensors"
    save_file({name: torch.clone(value) for name, value in tensors.items()}, path)
    return str(path)


def _vary(preset: "Preset", variant: str) -> "Preset":
    """The preset with one thing changed: a branch, a source of features, or a part left out."""
    if variant in LEFT_OUT:
        return replace(preset, **LEFT_OUT[variant])
    if variant == "nonetwork":
        return replace(preset, weights=_without_network(preset.weights))
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
