"""What a model is made of, as tensors of its file and back."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from saccade.images import open_unlimited
from saccade.interactive.color import ColorModel, Mixtures
from saccade.interactive.cues import KnownClasses
from saccade.interactive.fit_learned import bundled_net
from saccade.interactive.inputs import provisional_index
from saccade.interactive.likeness import Likeness
from saccade.interactive.prepared import prepare_image
from saccade.interactive.presets import Preset
from saccade.interactive.regression import Regression
from saccade.interactive.shared import SharedFit
from saccade.interactive.stroke_maps import StrokeMaps
from saccade.interactive.stroked import Stroked
from saccade.models.scribble_net.batched import load_weights, weights_of
from saccade.models.weights import Bundle
from saccade.scribbles.shrink import shrink_strokes

_NET, _COLORS, _ELSEWHERE, _REGRESSION = "net.", "colors.", "elsewhere.", "regression."
_LIKENESS = "likeness."
Tensors = dict[str, Tensor]


def pack_shared(fit: SharedFit) -> Tensors:
    """The tensors of what was fitted, on the CPU."""
    assert fit.regression is not None  # a model is for images without strokes
    mixtures = fit.known.colors.mixtures
    tensors = {f"{_NET}{name}": value for name, value in weights_of(fit.net).items()}
    tensors |= {
        f"{_COLORS}means": mixtures.means,
        f"{_COLORS}whiten": mixtures.whiten,
        f"{_COLORS}log_weights": mixtures.log_weights,
        "stroked": fit.known.stroked,
        "amounts": fit.known.amounts,
        f"{_REGRESSION}weights": fit.regression.weights,
        f"{_REGRESSION}bias": fit.regression.bias,
        "thin": torch.tensor(fit.thin),
    }
    if fit.likeness is not None:
        tensors |= {
            f"{_LIKENESS}means": fit.likeness.means,
            f"{_LIKENESS}spread": fit.likeness.spread,
            f"{_LIKENESS}limit": torch.tensor(fit.likeness.limit),
        }
    for member, vectors in enumerate(fit.elsewhere):
        for row, one in enumerate(vectors):
            tensors[f"{_ELSEWHERE}{member}.{row}"] = one
    return {name: value.detach().cpu().contiguous() for name, value in tensors.items()}


def unpack_shared(
    tensors: Mapping[str, Tensor], classes: tuple[int, ...], bundle: Bundle, preset: Preset
) -> SharedFit:
    """Inverse of `pack_shared`.

    Raises:
        KeyError, RuntimeError, ValueError: tensors are missing or of other shapes.
    """
    net = bundled_net(bundle, len(classes), preset.network.sigma)
    load_weights(net, {name: tensors[f"{_NET}{name}"] for name in weights_of(net)})
    means, whiten, weights = (tensors[f"{_COLORS}{n}"] for n in ("means", "whiten", "log_weights"))
    # In memory by columns, as a fit leaves it: products depend on that in their last bits.
    mixtures = Mixtures(means, whiten.mT.contiguous().mT, weights)
    stroked = tensors["stroked"]
    colors = ColorModel(mixtures, tuple(stroked.tolist()), len(classes))
    elsewhere = tuple(
        tuple(tensors[f"{_ELSEWHERE}{member}.{row}"] for row in range(len(stroked)))
        for member in range(len(bundle.of_kinds(preset.ensemble)))
    )
    net.to(stroked.device)
    known = KnownClasses(stroked, colors, tensors["amounts"])
    regression = Regression(tensors[f"{_REGRESSION}weights"], tensors[f"{_REGRESSION}bias"])
    thin = bool(tensors["thin"])
    return SharedFit(classes, net, known, elsewhere, regression, thin, _likeness(tensors))


def _likeness(tensors: Mapping[str, Tensor]) -> Likeness | None:
    """How the images look; the first files do not say."""
    if f"{_LIKENESS}limit" not in tensors:
        return None
    means, spread, limit = (tensors[f"{_LIKENESS}{name}"] for name in ("means", "spread", "limit"))
    if means.ndim != 2 or spread.shape != means.shape[1:]:
        raise ValueError("what is known of how images look is damaged")
    return Likeness(means, spread, float(limit))


def pack_image(number: int, one: Stroked) -> Tensors:
    """An image at the size at which it is worked on, and its strokes and labels, as PNG files."""
    image, maps = one.image, one.strokes
    large = image.working_rgb.size < image.rgb.size  # tiny ones are worked on enlarged
    index = maps.stroke_index
    if large:
        index = shrink_strokes(index, maps.count, image.working_size)
    pictures: dict[str, NDArray[np.generic]] = {
        "rgb": image.working_rgb if large else image.rgb,
        "strokes": index,
        "strokes_half": maps.strokes_half.cpu().numpy(),
        "labels_half": maps.labels_half.cpu().numpy(),
    }
    tensors = {f"image.{number}.{name}": _png(array) for name, array in pictures.items()}
    if image.components is not None:
        parts = image.components.cpu()
        tensors[f"image.{number}.components"] = parts if large else _own_size(parts, image.size)
    return tensors


def _own_size(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Components (D, H, W) of an image that is worked on enlarged: every pixel twice."""
    step = maps.shape[1] // size[0]
    return maps[:, ::step, ::step].contiguous()


@dataclass(frozen=True)
class StoredImage:
    """An image with strokes as a file has it.

    Attributes:
        rgb: (h, w, 3), at the size at which it is worked on, or smaller.
        strokes: (h, w) class index, K where nobody drew.
        strokes_half: the same at half size.
        labels_half: what is fitted to, at half size.
        components: (h, w, D) of other channels than colors.
    """

    rgb: NDArray[np.uint8]
    strokes: NDArray[np.int64]
    strokes_half: NDArray[np.int64]
    labels_half: NDArray[np.int64]
    components: NDArray[np.float32] | None = None

    def prepared(
        self,
        classes: tuple[int, ...],
        preset: Preset,
        bundle: Bundle,
        device: torch.device,
        *,
        provisional: bool,
    ) -> Stroked:
        """Ready for a fit."""
        image = prepare_image(
            self.rgb,
            max_pixels=preset.max_pixels,
            device=device,
            bundle=bundle,
            components=self.components,
        )
        half = torch.from_numpy(self.strokes_half).to(device)
        labels = torch.from_numpy(self.labels_half).to(device)
        ground = provisional_index(self.strokes, classes) if provisional else None
        maps = StrokeMaps(classes, self.strokes, half, labels, image.working_size, ground)
        return Stroked(image, maps)


def unpack_image(tensors: Mapping[str, Tensor], number: int) -> StoredImage:
    """Inverse of `pack_image`.

    Raises:
        KeyError, OSError, ValueError: pictures are missing or damaged.
    """
    found = {
        name: _array(tensors[f"image.{number}.{name}"])
        for name in ("rgb", "strokes", "strokes_half", "labels_half")
    }
    if found["rgb"].ndim != 3 or found["strokes"].shape != found["rgb"].shape[:2]:
        raise ValueError("an image and its strokes differ in size")
    maps = {name: found[name].astype(np.int64) for name in found if name != "rgb"}
    components = None
    if f"image.{number}.components" in tensors:
        components = tensors[f"image.{number}.components"].movedim(0, 2).numpy()
        if components.shape[:2] != found["rgb"].shape[:2]:
            raise ValueError("an image and its components differ in size")
    return StoredImage(found["rgb"].astype(np.uint8), components=components, **maps)


def _png(array: NDArray[np.generic]) -> Tensor:
    """The bytes (n,) uint8 of a PNG file: RGB, or whole numbers below 65536."""
    if array.ndim == 2:
        array = array.astype(np.uint16 if array.max() > 255 else np.uint8)
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return torch.frombuffer(bytearray(stream.getvalue()), dtype=torch.uint8)


def _array(png: Tensor) -> NDArray[np.generic]:
    return np.asarray(open_unlimited(io.BytesIO(png.numpy().tobytes())))
