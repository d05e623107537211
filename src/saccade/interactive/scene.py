"""What is computed once per image: its working size and its features."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from saccade.interactive.evidence import normalised_lab
from saccade.models.evidence import Guides
from saccade.models.features import half_size_features
from saccade.models.weights import Bundle, load_bundle, load_head
from saccade.refine.potts import edge_weights
from saccade.scribbles.superpixels import superpixels

_SMALL_SIDE = 64


@dataclass(frozen=True)
class Scene:
    """An image ready for fitting.

    ``rgb`` (H, W, 3) uint8 is the full image; ``work`` (h, w) the size at which it is segmented;
    ``maps`` (1, 43, h / 2, w / 2) the standardised features, 40 of the frozen network and Lab;
    ``lab`` (3, h / 2, w / 2) the colours as they are, CIE Lab over 50.
    """

    rgb: NDArray[np.uint8]
    small: NDArray[np.uint8]
    maps: Tensor
    lab: Tensor
    bundle: Bundle

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of the full image."""
        return self.rgb.shape[0], self.rgb.shape[1]

    @property
    def work(self) -> tuple[int, int]:
        """(h, w) of the image at working size."""
        return self.small.shape[0], self.small.shape[1]

    @property
    def half(self) -> tuple[int, int]:
        """Size of the feature maps."""
        return self.maps.shape[2], self.maps.shape[3]

    @cached_property
    def segments(self) -> NDArray[np.int64]:
        """SLIC superpixels at the size of the feature maps, ids from 0."""
        size = self.half[::-1]
        image = np.asarray(Image.fromarray(self.small).resize(size, Image.Resampling.BOX))
        # Five rounds: what they move after that changes no mask.
        return superpixels(image, pixels_per_segment=100, rounds=5)

    @cached_property
    def fused(self) -> Tensor:
        """The bundled fusion of the maps (1, C, h, w), channels last; no fit changes it."""
        with torch.no_grad():
            fused: Tensor = self.bundle.fuse.to(self.maps.device)(self.maps)
        return fused.contiguous(memory_format=torch.channels_last)

    @cached_property
    def _guides(self) -> dict[int, Guides]:
        return {}

    def guides(self, judge: int = 0) -> Guides:
        """What a judge of the bundle may know of the image; computed once."""
        if judge not in self._guides:
            network = self.bundle.judges[judge].guide.to(self.maps.device)
            with torch.no_grad():
                self._guides[judge] = network(self.maps)
        return self._guides[judge]

    @cached_property
    def grey(self) -> Tensor:
        """Brightness (h, w) uint8 at the working size."""
        return brightness(self.small).to(self.maps.device)

    @cached_property
    def half_grey(self) -> Tensor:
        """Brightness (1, h / 2, w / 2) in [0, 1] at the size of the feature maps."""
        return F.interpolate(self.grey[None, None].float() / 255, self.half, mode="area")[0]

    @cached_property
    def _work_edges(self) -> tuple[Tensor, Tensor]:
        lab = normalised_lab(torch.tensor(self.small, device=self.maps.device)[None])[0]
        return edge_weights(lab * torch.rsqrt(lab.var((1, 2), keepdim=True, correction=0) + 1e-5))

    def work_edges(self, contrast: float) -> tuple[Tensor, Tensor]:
        """Prices of borders at the working size, of `saccade.refine.potts.edge_weights`."""
        down, right = self._work_edges
        return (down, right) if contrast == 1 else (down**contrast, right**contrast)


def brightness(rgb: NDArray[np.uint8]) -> Tensor:
    """Luma (H, W) uint8 of an RGB image (H, W, 3), ITU-R 601."""
    return torch.from_numpy(np.array(Image.fromarray(rgb).convert("L")))


def working_size(size: tuple[int, int], max_pixels: int) -> tuple[int, int]:
    """Size (h, w) to work at for an image (H, W): at most about ``max_pixels``.

    Tiny images are doubled, so that halving the features keeps every pixel apart.
    """
    height, width = size
    if min(size) < _SMALL_SIDE and 4 * height * width <= max_pixels:
        return 2 * height, 2 * width
    scale = min(1.0, math.sqrt(max_pixels / (height * width)))
    return max(1, round(height * scale)), max(1, round(width * scale))


def describe(
    rgb: NDArray[np.uint8],
    *,
    features: str = "bundled",
    max_pixels: int = 640_000,
    seed: int = 0,
    device: torch.device | None = None,
    bundle: Bundle | None = None,
) -> Scene:
    """Shrink where needed and run the frozen extractor, once.

    Args:
        rgb: (H, W, 3).
        features: as in :func:`saccade.models.weights.load_head`.
        max_pixels: bound of the working size.
        seed: of the weights of ``"random"`` features.
        device: where the maps go, by default the CPU.
        bundle: weights instead of the bundled ones.
    """
    bundle = bundle or load_bundle()
    head = bundle.head
    if features != "bundled":
        head = load_head(features, generator=torch.Generator().manual_seed(seed))
    height, width = working_size((rgb.shape[0], rgb.shape[1]), max_pixels)
    small = rgb
    if (height, width) != rgb.shape[:2]:
        small = np.asarray(Image.fromarray(rgb).resize((width, height), Image.Resampling.BOX))
    image = torch.tensor(small, device=device)[None]
    with torch.no_grad():
        lab = normalised_lab(image)
        maps = half_size_features(head.to(device), image.movedim(3, 1).float() / 127.5 - 1, lab)
        colours = F.interpolate(lab, maps.shape[2:], mode="area")[0]
    return Scene(rgb, small, maps, colours, bundle)


def shrink_strokes(
    strokes: NDArray[np.integer], classes: int, size: tuple[int, int]
) -> NDArray[np.int64]:
    """Strokes (H, W) at another size (h, w), with no stroke lost.

    Every pixel that holds a stroke keeps one; where two classes meet in a pixel, the one with
    fewer stroke pixels in the image wins, as it can afford the loss less. A class that would be
    lost by that gets the nearest free pixel, if there is one.

    Returns:
        (h, w) class index, K where nobody drew.
    """
    y, x = np.nonzero((strokes >= 0) & (strokes < classes))
    values = strokes[y, x].astype(np.int64)
    out = np.full(size, classes, np.int64)
    if size[0] > strokes.shape[0]:  # enlarged: each pixel becomes a block
        grown = np.kron(
            np.where((strokes >= 0) & (strokes < classes), strokes, classes),
            np.ones((size[0] // strokes.shape[0], size[1] // strokes.shape[1]), np.int64),
        )
        return grown.astype(np.int64)
    rows, columns = y * size[0] // strokes.shape[0], x * size[1] // strokes.shape[1]
    for k in np.argsort(-np.bincount(values, minlength=classes)):
        mine = values == k
        out[rows[mine], columns[mine]] = k
    for k in np.setdiff1d(values, out[rows, columns]):  # all its pixels went to rarer classes
        free = np.argwhere(out == classes)
        if len(free):
            centre = np.array([y[values == k].mean(), x[values == k].mean()])
            places = (free + 0.5) * np.divide(strokes.shape, size) - 0.5
            out[tuple(free[np.square(places - centre).sum(1).argmin()])] = k
    return out
