"""What is computed once per image, before any stroke: its working size and its features."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from saccade.interactive.objects import Box, ObjectView, alike, look
from saccade.interactive.regression import RichMaps, rich_maps
from saccade.models.features import (
    FEATURE_CHANNELS,
    Statistics,
    half_size_features,
    normalized_lab,
    raw_half_size_features,
)
from saccade.models.fusion_net import ImageEncoding
from saccade.models.weights import Bundle, EnsembleMember, load_head, shared_bundle
from saccade.refine.potts import edge_weights
from saccade.scribbles.superpixels import superpixels

_SMALL_SIDE = 64
_COMPONENT_SCALE = 0.4  # lightness over 50 has this standard deviation in photographs
_PARTS_KEPT = 16  # of an image that is worked on in windows: about 60 MB each
_SEGMENT_PIXELS = 100  # of a superpixel, at half size


@dataclass(frozen=True)
class PreparedImage:
    """An image ready for strokes.

    There are three sizes: the image's own (H, W); the working size, at most `Preset.max_pixels`;
    and half of that, at which networks see it. What depends on the image alone is computed when
    first asked for, and kept.

    Attributes:
        rgb: (H, W, 3) uint8, the full image.
        working_rgb: (h, w, 3) uint8, the image at the working size.
        inputs: (1, 43, h / 2, w / 2), what networks see: features and Lab, each channel with mean 0
            and variance 1.
        lab: (D, h / 2, w / 2), what color models are fitted to: CIE Lab over 50, not standardized,
            or the components of other channels at the same scale.
        bundle: the trained weights that belong to it.
        components: (D, h, w) of an image of other channels than colors at the working size, see
            `saccade.images.components`; None for pictures.
        all_components: (H, W, D) the same of the full image.
    """

    rgb: NDArray[np.uint8]
    working_rgb: NDArray[np.uint8]
    inputs: Tensor
    lab: Tensor
    bundle: Bundle
    components: Tensor | None = None
    all_components: NDArray[np.float32] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of the full image."""
        return self.rgb.shape[0], self.rgb.shape[1]

    @property
    def working_size(self) -> tuple[int, int]:
        """(h, w) of the image at the working size."""
        return self.working_rgb.shape[0], self.working_rgb.shape[1]

    @property
    def half_size(self) -> tuple[int, int]:
        """(h / 2, w / 2), rounded up: the size of all feature maps."""
        return self.inputs.shape[2], self.inputs.shape[3]

    @property
    def device(self) -> torch.device:
        """Where the maps are."""
        return self.inputs.device

    @property
    def features(self) -> Tensor:
        """The frozen features alone (1, 40, h / 2, w / 2): what the GDC paper's network sees."""
        return self.inputs[:, :FEATURE_CHANNELS]

    @property
    def standardized_lab(self) -> Tensor:
        """What borders follow (D, h / 2, w / 2).

        Lab, each channel with mean 0 and variance 1, or components, of which noise has less.
        """
        if self.components is not None:
            return self.lab / _COMPONENT_SCALE
        return self.inputs[0, FEATURE_CHANNELS:]

    @cached_property
    def segments(self) -> NDArray[np.int64]:
        """SLIC superpixels at half size, ids from 0."""
        size = self.half_size[::-1]
        image = np.asarray(Image.fromarray(self.working_rgb).resize(size, Image.Resampling.BOX))
        # Five rounds: what they move after that changes no mask.
        return superpixels(image, pixels_per_segment=_SEGMENT_PIXELS, rounds=5)

    @cached_property
    def fused_inputs(self) -> Tensor:
        """`inputs` after the bundled 1x1 convolution (1, C, h / 2, w / 2); no fit changes it."""
        with torch.no_grad():
            fused: Tensor = self.bundle.fuse.to(self.device)(self.inputs)
        return fused.contiguous(memory_format=torch.channels_last)

    @cached_property
    def _encodings(self) -> dict[EnsembleMember, ImageEncoding]:
        return {}

    def encoding(self, member: EnsembleMember) -> ImageEncoding:
        """What a fusion network knows of the image; computed once."""
        if member not in self._encodings:
            encoder = member.encoder.to(self.device)
            with torch.no_grad():
                self._encodings[member] = encoder(self.inputs)
        return self._encodings[member]

    @cached_property
    def rich(self) -> RichMaps:
        """What the regression of images of a kind sees."""
        net = self.bundle.objects
        encoder = None if net is None else net.encoder.to(self.device)
        return rich_maps(self.inputs, self.working_rgb, encoder, self.bundle.more)

    @cached_property
    def object_view(self) -> ObjectView | None:
        """The whole image as the object network sees it; None where the weights have none."""
        net = self.bundle.objects
        if net is None:
            return None
        height, width = self.working_size
        seen = look(net, self.working_rgb, Box(0, 0, height, width), self.device)
        return replace(seen, box=Box(0, 0, *self.size))

    @cached_property
    def _closer(self) -> list[ObjectView]:
        return []

    def closer_view(self, box: Box) -> ObjectView:
        """A box of the full image, or the box looked at before where that is much the same."""
        net = self.bundle.objects
        assert net is not None  # there was a view of the whole
        if not self._closer or not alike(self._closer[0].box, box):
            self._closer[:] = [look(net, self.rgb, box, self.device)]
        return self._closer[0]

    @cached_property
    def _parts(self) -> dict[tuple[Box, int], PreparedImage]:
        return {}

    def part(self, box: Box, max_pixels: int, statistics: Statistics | None) -> PreparedImage:
        """A box of the full image as an image of its own; the last few are kept.

        Args:
            box: the part.
            max_pixels: bound of its working size.
            statistics: of the features of the whole image at that scale.
        """
        key, several = (box, max_pixels), self.all_components
        if key not in self._parts:
            while len(self._parts) >= _PARTS_KEPT:
                del self._parts[next(iter(self._parts))]
            self._parts[key] = prepare_image(
                np.ascontiguousarray(self.rgb[box.slices]),
                max_pixels=max_pixels,
                device=self.device,
                bundle=self.bundle,
                statistics=statistics,
                components=None if several is None else several[box.slices],
            )
        return self._parts[key]

    @cached_property
    def working_gray(self) -> Tensor:
        """Brightness (h, w) uint8 at the working size."""
        return brightness(self.working_rgb).to(self.device)

    @cached_property
    def half_gray(self) -> Tensor:
        """Brightness (1, h / 2, w / 2) in [0, 1]."""
        gray = self.working_gray[None, None].float() / 255
        return F.interpolate(gray, self.half_size, mode="area")[0]

    @cached_property
    def _working_edges(self) -> tuple[Tensor, Tensor]:
        if self.components is not None:
            return edge_weights(self.components)
        lab = self._working_lab
        return edge_weights(lab * torch.rsqrt(lab.var((1, 2), keepdim=True, correction=0) + 1e-5))

    @cached_property
    def _working_lab(self) -> Tensor:
        return normalized_lab(torch.tensor(self.working_rgb, device=self.device)[None])[0]

    def working_edges(self, contrast: float) -> tuple[Tensor, Tensor]:
        """Prices of borders at the working size, of `saccade.refine.potts.edge_weights`."""
        down, right = self._working_edges
        return (down, right) if contrast == 1 else (down**contrast, right**contrast)

    def compute_all(self) -> None:
        """Compute everything that is kept, so that the first mask is fast."""
        _ = self.segments, self.fused_inputs, self.working_edges(1.0), self.object_view
        for member in self.bundle.ensemble:
            self.encoding(member)


def prepare_image(
    rgb: NDArray[np.uint8],
    *,
    features: str = "bundled",
    max_pixels: int = 640_000,
    seed: int = 0,
    device: torch.device | None = None,
    bundle: Bundle | None = None,
    statistics: Statistics | None = None,
    standardize: bool = True,
    components: NDArray[np.float32] | None = None,
) -> PreparedImage:
    """Shrink where needed and run the frozen extractor, once.

    Args:
        rgb: (H, W, 3).
        features: as in :func:`saccade.models.weights.load_head`.
        max_pixels: bound of the working size.
        seed: of the weights of ``"random"`` features.
        device: where the maps go, by default the CPU.
        bundle: weights instead of the bundled ones.
        statistics: of the larger image that this is a tile of; by default its own.
        standardize: whether the features have mean 0 and variance 1; Lab has them always.
        components: (H, W, D) of an image of other channels, for which ``rgb`` stands.

    >>> image = prepare_image(np.zeros((300, 401, 3), np.uint8), max_pixels=40_000)
    >>> image.size, image.working_size, image.half_size
    ((300, 401), (173, 231), (87, 116))
    """
    bundle = bundle or shared_bundle(device=device)
    head = bundle.head
    if features != "bundled":
        head = load_head(features, generator=torch.Generator().manual_seed(seed))
    height, width = working_size((rgb.shape[0], rgb.shape[1]), max_pixels)
    working = rgb
    if (height, width) != rgb.shape[:2]:
        working = np.asarray(Image.fromarray(rgb).resize((width, height), Image.Resampling.BOX))
    image = torch.tensor(working, device=device)[None]
    with torch.no_grad():
        lab = normalized_lab(image)
        signed = image.movedim(3, 1).float() / 127.5 - 1
        inputs = half_size_features(head.to(device), signed, lab, statistics)
        if not standardize:
            inputs[:, :FEATURE_CHANNELS] = raw_half_size_features(head, signed)
        half_lab = F.interpolate(lab, inputs.shape[2:], mode="area")[0]
        parts = None if components is None else _resized(components, (height, width), device)
        if parts is not None:
            half_lab = F.interpolate(parts[None], inputs.shape[2:], mode="area")[0]
            half_lab = half_lab * _COMPONENT_SCALE
    prepared = PreparedImage(rgb, working, inputs, half_lab, bundle, parts, components)
    vars(prepared)["_working_lab"] = lab[0]  # known already: the cached property need not run
    return prepared


def _resized(
    components: NDArray[np.float32], size: tuple[int, int], device: torch.device | None
) -> Tensor:
    """Components (H, W, D) as (D, h, w)."""
    maps = torch.from_numpy(np.ascontiguousarray(components.transpose(2, 0, 1))).to(device)
    return F.interpolate(maps[None], size, mode="area")[0] if maps.shape[1:] != size else maps


def brightness(rgb: NDArray[np.uint8]) -> Tensor:
    """Luma (H, W) uint8 of an RGB image (H, W, 3), ITU-R 601."""
    return torch.from_numpy(np.array(Image.fromarray(rgb).convert("L")))


def working_size(size: tuple[int, int], max_pixels: int) -> tuple[int, int]:
    """Size (h, w) to work at for an image (H, W): at most about ``max_pixels``.

    Tiny images are doubled, so that halving the features keeps every pixel apart.

    >>> working_size((2000, 3000), 60_000), working_size((20, 30), 60_000)
    ((200, 300), (40, 60))
    """
    height, width = size
    if min(size) < _SMALL_SIDE and 4 * height * width <= max_pixels:
        return 2 * height, 2 * width
    scale = min(1.0, math.sqrt(max_pixels / (height * width)))
    return max(1, round(height * scale)), max(1, round(width * scale))
