"""Localization maps of one image, and of many images on disk (MDC paper, section 3.2)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from saccade.data.sets import LabeledSet
from saccade.errors import InputError
from saccade.evaluation.inference import as_batch
from saccade.files import atomic_write, reading
from saccade.images.arrays import read_npz
from saccade.models.mdc import MultiDilatedNet
from saccade.strict_json import json_text, stored_json
from saccade.weak.fusion import Fusion, fuse_maps


@dataclass(frozen=True)
class LocalizationMaps:
    """Maps of the classes that one image has.

    Attributes:
        maps: (D, K, h, w) float32 in [0, 1], one per dilation and class, at the network's stride.
        classes: the K class indices.
        dilations: of the D blocks.
        size: (H, W) of the image.
    """

    maps: NDArray[np.float32]
    classes: tuple[int, ...]
    dilations: tuple[int, ...]
    size: tuple[int, int]

    def fused(self, fusion: Fusion | int = "anti-noise") -> NDArray[np.float32]:
        """(K, H, W) maps in [0, 1] at the size of the image, upsampled bilinearly.

        Args:
            fusion: as in `saccade.weak.fusion.fuse_maps`, or the index of one block.
        """
        maps = torch.from_numpy(self.maps)
        chosen = maps[fusion] if isinstance(fusion, int) else fuse_maps(maps, fusion)
        large = functional.interpolate(
            chosen[None], self.size, mode="bilinear", align_corners=False
        )[0]
        peak = large.amax((1, 2), keepdim=True).clamp(min=torch.finfo(large.dtype).tiny)
        fused: NDArray[np.float32] = (large / peak).numpy()
        return fused


@torch.no_grad()
def localize_image(
    net: MultiDilatedNet, image: NDArray[np.uint8], classes: Sequence[int], *, flip: bool = True
) -> LocalizationMaps:
    """Class activation maps of one whole image.

    Args:
        net: in eval mode.
        image: (H, W, 3) uint8.
        classes: that the image has; maps of others are left out.
        flip: average with the maps of the mirror image, which costs twice the time.

    Raises:
        InputError: no classes, or one that the network does not know.
    """
    last = net.config.classes - 1
    if not classes or max(classes) > last:
        raise InputError(f"classes are {tuple(classes)}, expected some of 0 to {last}")
    all_maps = net.localization_maps(as_batch(image, net.mean.device), flip=flip)[0]
    maps = all_maps[:, list(classes)].cpu().numpy()
    size = (image.shape[0], image.shape[1])
    return LocalizationMaps(maps, tuple(classes), net.config.dilations, size)


def localize_all(
    net: MultiDilatedNet,
    data: LabeledSet,
    present: NDArray[np.bool_],
    folder: Path,
    *,
    source: str = "",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Write FOLDER/NAME.npz for each image; maps of the same classes and source are kept.

    Args:
        net: in eval mode.
        data: the images; their masks are not read.
        present: (N, K) bool, their labels.
        folder: made if it is missing.
        source: says which network it is, a digest of its file; FOLDER/classifier.json keeps it,
            and maps of another are thrown away.
        progress: told how many of how many images are done.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _forget_others(folder, source)
    for index, example in enumerate(data.examples):
        path = folder / f"{example.name}.npz"
        classes = tuple(int(value) for value in np.flatnonzero(present[index]))
        if not _has_maps(path, classes):
            write_maps(path, localize_image(net, data.image(index), classes))
        progress(index + 1, len(data.examples))


def _forget_others(folder: Path, source: str) -> None:
    """Remove the maps of another network; of a folder that names none nothing is known."""
    record = folder / "classifier.json"
    if not source:
        return
    if record.is_file():
        recorded = stored_json(record)
        if isinstance(recorded, dict) and recorded.get("classifier") == source:
            return
        for path in folder.glob("*.npz"):
            path.unlink()
    with atomic_write(record) as path:
        path.write_text(json_text({"classifier": source}) + "\n", encoding="utf-8")


def _has_maps(path: Path, classes: tuple[int, ...]) -> bool:
    try:
        return path.is_file() and read_maps(path).classes == classes
    except InputError:
        return False  # damaged: made again


def write_maps(path: Path, maps: LocalizationMaps) -> None:
    """Write maps in 256 steps, compressed; the file appears whole or not at all."""
    with atomic_write(path) as temporary:
        np.savez_compressed(
            temporary,
            maps=np.rint(maps.maps * 255).astype(np.uint8),
            classes=np.array(maps.classes, np.int32),
            dilations=np.array(maps.dilations, np.int32),
            size=np.array(maps.size, np.int32),
        )


def read_maps(path: Path) -> LocalizationMaps:
    """Read what `write_maps` wrote.

    Raises:
        InputError: the file is missing, damaged, or holds no maps.
    """
    keys = ("maps", "classes", "dilations", "size")
    given, *lists = read_npz(path, keys, "no localization maps")
    with reading(path, "no localization maps"):
        maps: NDArray[np.float32] = given.astype(np.float32) / np.float32(255)
        parts = [tuple(int(v) for v in values) for values in lists]
    classes, dilations, size = parts
    if maps.ndim != 4 or maps.shape[:2] != (len(dilations), len(classes)) or len(size) != 2:
        raise InputError(f"{path}: maps of shape {maps.shape} for {len(classes)} classes")
    return LocalizationMaps(maps, classes, dilations, (size[0], size[1]))
