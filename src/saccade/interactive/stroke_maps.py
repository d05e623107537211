"""Strokes and what they mean: labels that grow from them, and the things that they are on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from saccade.interactive.inputs import provisional_index
from saccade.interactive.object_scores import object_scores
from saccade.interactive.prepared import PreparedImage
from saccade.interactive.presets import LearnedFitSettings, PaperFitSettings
from saccade.interactive.provisional import provisional_ground
from saccade.scribbles.shrink import shrink_strokes
from saccade.scribbles.superpixels import expand_strokes, superpixels


@dataclass(frozen=True)
class StrokeMaps:
    """Strokes and labels of one image as class indices 0 to K - 1, and K where there is none.

    Attributes:
        classes: the K class values that the indices stand for, ascending.
        stroke_index: (H, W) the strokes at the size of the image.
        strokes_half: (h / 2, w / 2) the same at half the working size, where networks work; no
            stroke is lost.
        labels_half: (h / 2, w / 2) what the network is fitted to: the strokes expanded to
            superpixels, and the provisional ground.
        working_size: (h, w).
        ground: index of the class that is provisional, as one class alone was drawn; else None.
        ground_half: (h / 2, w / 2) bool, where the provisional ground is; None where there is none.
        objects: (P, h / 2, w / 2) log odds by the object network of the classes `stroked`; None
            where it is not asked.
        last: (P, h / 2, w / 2) their probabilities in the mask that the strokes correct; None
            where there was none.
    """

    classes: tuple[int, ...]
    stroke_index: NDArray[np.int64]
    strokes_half: Tensor
    labels_half: Tensor
    working_size: tuple[int, int]
    ground: int | None = None
    ground_half: Tensor | None = None
    objects: Tensor | None = None
    last: Tensor | None = None

    @property
    def provisional(self) -> tuple[int, ...]:
        """The class values that nobody drew and that were assumed."""
        return () if self.ground is None else (self.classes[self.ground],)

    @property
    def count(self) -> int:
        """K."""
        return len(self.classes)

    @cached_property
    def stroked(self) -> Tensor:
        """Indices (P,) of the classes that have seeds; `classes` may name more."""
        present = torch.stack([(self.seeds_half == k).any() for k in range(self.count)])
        return present.nonzero()[:, 0]

    @cached_property
    def seeds_half(self) -> Tensor:
        """(h / 2, w / 2) what cues begin at: the strokes and the provisional ground."""
        if self.ground is None or self.ground_half is None:
            return self.strokes_half
        return self.strokes_half.masked_fill(self.ground_half, self.ground)

    @cached_property
    def strokes_working(self) -> Tensor:
        """(h, w) the strokes at the working size."""
        small = shrink_strokes(self.stroke_index, self.count, self.working_size)
        return torch.from_numpy(small).to(self.strokes_half.device)


def stroke_maps(
    image: PreparedImage,
    stroke_index: NDArray[np.int64],
    classes: tuple[int, ...],
    settings: LearnedFitSettings | PaperFitSettings,
    *,
    objects: bool = False,
    last: Tensor | None = None,
    assume_ground: bool = True,
    grow: bool = True,
) -> StrokeMaps:
    """Bring strokes to the sizes that the stages need, and expand them to labels.

    Args:
        image: the prepared image.
        stroke_index: (H, W) class index, K where nobody drew, of `encode_strokes`.
        classes: the K class values.
        settings: of the fit; the paper's has superpixels of its own.
        objects: whether the object network is asked.
        last: (K, h / 2, w / 2) probabilities of the mask that the strokes correct.
        assume_ground: whether there is a provisional ground where one class alone is drawn.
        grow: whether strokes are expanded to labels, which a fit needs and nothing after it.

    >>> rgb = np.zeros((64, 96, 3), np.uint8)
    >>> index = np.full((64, 96), 2)
    >>> index[10, 5:20], index[50, 5:20] = 0, 1
    >>> from saccade.interactive.prepared import prepare_image
    >>> maps = stroke_maps(prepare_image(rgb), index, (0, 1), LearnedFitSettings())
    >>> maps.strokes_half.shape, (maps.labels_half < 2).sum() >= (maps.strokes_half < 2).sum()
    (torch.Size([32, 48]), tensor(True))
    """
    count = len(classes)
    small = shrink_strokes(stroke_index, count, image.half_size)
    if not grow or not (small < count).any():
        labels = small  # superpixels take time
    elif isinstance(settings, PaperFitSettings):
        labels = paper_labels(image.working_rgb, stroke_index, count, image.half_size, settings)
    else:
        labels = expand_strokes(small, image.segments, count)
    strokes_half, labels_half = (torch.from_numpy(x).to(image.device) for x in (small, labels))
    maps = StrokeMaps(classes, stroke_index, strokes_half, labels_half, image.working_size)
    ground = provisional_index(stroke_index, classes) if assume_ground else None
    own = torch.stack([strokes_half == k for k in range(count)])
    rows = [k for k in range(count) if k == ground or bool(own[k].any())]
    before = None if last is None else last[rows]
    scores = object_scores(image, own[rows], before) if objects else None
    maps = replace(maps, objects=scores, last=before)
    if ground is None:
        return maps
    return _with_ground(maps, image, ground, None if scores is None else scores[rows.index(ground)])


def _with_ground(
    maps: StrokeMaps, image: PreparedImage, ground: int, odds: Tensor | None
) -> StrokeMaps:
    """Maps of one class with the provisional ground; no stroke and no label of theirs changes."""
    found = provisional_ground(image, maps.strokes_half < maps.count, odds)
    if not found.any():  # strokes are everywhere
        return replace(maps, ground=ground, ground_half=found, objects=None, last=None)
    free = found & (maps.labels_half == maps.count)
    labels = maps.labels_half.masked_fill(free, ground)
    return replace(maps, labels_half=labels, ground=ground, ground_half=found)


def paper_labels(
    working_rgb: NDArray[np.uint8],
    stroke_index: NDArray[np.integer],
    classes: int,
    half_size: tuple[int, int],
    settings: PaperFitSettings,
) -> NDArray[np.int64]:
    """Labels as the GDC paper has them (section IV-B): superpixels of the image, then half size.

    Args:
        working_rgb: (h, w, 3).
        stroke_index: (H, W) class index, other values where nobody drew.
        classes: K.
        half_size: (h / 2, w / 2).
        settings: whether there are superpixels, and how large.

    Returns:
        (h / 2, w / 2) class index, K where there is no label.
    """
    if not settings.superpixels:
        return shrink_strokes(stroke_index, classes, half_size)
    segments = superpixels(
        working_rgb,
        pixels_per_segment=settings.pixels_per_superpixel,
        compactness=settings.compactness,
    )
    small = shrink_strokes(stroke_index, classes, (segments.shape[0], segments.shape[1]))
    labels = expand_strokes(small, segments, classes, conflict=settings.conflict)
    return shrink_strokes(labels, classes, half_size)
