"""A trained network on an image that is never in memory as a whole, strip by strip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from saccade.errors import InputError
from saccade.fitted.stack import part_of, untold
from saccade.fitted.trained import WINDOW, TrainedModel
from saccade.images import Image
from saccade.images.network_input import as_colors
from saccade.images.planes import with_one_window
from saccade.interactive.refinement import gini_uncertainty
from saccade.interactive.run import Progress, Run
from saccade.refine.guided import enlarged_rows
from saccade.slides.journal import Arrays, Journal
from saccade.slides.result import SlideSegmentation, StripArray
from saccade.slides.strips import ROWS

HALO = 128
"""Pixels around a part that the network sees too, and of which the mask is not used."""

_ACROSS = WINDOW  # columns of a part
_OVERVIEW_PIXELS = 1_000_000
_READ = 8_000_000  # pixels at once where an image is made smaller


def predict_slide(
    model: TrainedModel,
    image: Image,
    journal: Journal,
    *,
    window: tuple[float, float] | None = None,
    progress: Progress | None = None,
) -> SlideSegmentation:
    """Mask of an image of hundreds of megapixels by a trained network.

    The network sees parts of 512 x 1024 pixels with `HALO` pixels around them; what it says of
    these is not used, so that a mask has no seams of windows' edges. Where it was trained on
    images brought to one size (``resize``), it sees all of this one, brought to that size.

    Args:
        model: of `saccade.load`.
        image: of `saccade.images.open_image`, of one plane.
        journal: where finished strips are kept. One of the same version, left by a call that was
            stopped, is gone on with.
        window: the values that become black and white; None: as the model's images are read.
        progress: told the fraction done in [0, 1] and the stage's name.

    Raises:
        InputError: several planes, or other channels than those of the model's images.

    >>> from pathlib import Path
    >>> from saccade.data.specs import LabelSpec
    >>> from saccade.models.checkpoint import Checkpoint
    >>> from saccade.models.segmentation import SegmentationConfig, SegmentationNet
    >>> net = SegmentationNet(SegmentationConfig(2, pyramid="none", width=8)).eval()
    >>> model = TrainedModel(Checkpoint(net, LabelSpec(("ground", "cell"))))
    >>> image = Image(np.zeros((700, 96, 3), np.uint8), "YXC", colors=True)
    >>> predict_slide(model, image, Journal(Path("parts"), {})).labels.shape
    (700, 96)
    """
    where = image.source or "image"
    if image.count("T") * image.count("Z") > 1:
        raise InputError(f"{where}: has several planes, expected one; see predict_stack")
    run, remarks = Run(progress), image.remarks
    told: tuple[str, ...] = ()
    if window is None and model.reading.each_its_own:
        image, told = with_one_window(image, model.reading.channels)
    source = _Parts(model, image, window, said=bool(told))
    run.report(0.0, "overview")
    overview = journal.recall("overview", lambda: {"pixels": source.overview()})["pixels"]
    strips = PredictedStrips(source, journal)
    for number in range(strips.count):
        run.report(number / strips.count, f"mask, strip {number + 1} of {strips.count}")
        strips.recall(number)
    run.report(1.0, "done")
    return SlideSegmentation(
        StripArray(strips, "labels", image.size, np.dtype(np.uint8)),
        StripArray(strips, "uncertainty", image.size, np.dtype(np.uint8)),
        StripArray(strips, "confidence", image.size, np.dtype(np.uint8)),
        model.classes,
        overview,
        tuple(dict.fromkeys((*remarks, *told, *source.remarks))),
        (),
        journal,
    )


class PredictedStrips:
    """Strips of a mask, kept in a journal.

    Args:
        source: of pixels, and of what the network says of them.
        journal: where strips are kept.
    """

    def __init__(self, source: _Parts, journal: Journal) -> None:
        self._source, self._journal = source, journal
        self.count = -(-source.image.size[0] // ROWS)

    def recall(self, number: int) -> Arrays:
        """``labels``, ``uncertainty`` and ``confidence`` (n, W) of a strip; computed if need be."""
        return self._journal.recall(
            f"strip-{number + 1:04}", lambda: self._strip(number), small=True
        )

    @torch.inference_mode()
    def _strip(self, number: int) -> Arrays:
        height, width = self._source.image.size
        top = number * ROWS
        rows = slice(top, min(top + ROWS, height))
        found = {
            name: np.empty((rows.stop - top, width), np.uint8)
            for name in ("labels", "uncertainty", "confidence")
        }
        for columns, maps in self._source.probabilities(rows):
            most, labels = maps.max(0)
            found["labels"][:, columns] = labels.byte().cpu().numpy()
            for name, values in (("confidence", most), ("uncertainty", gini_uncertainty(maps)[0])):
                found[name][:, columns] = (values * 255).round().byte().cpu().numpy()
        return found


class _Parts:
    """What the network says of rows of the image: part by part, or all of it made smaller."""

    def __init__(
        self,
        model: TrainedModel,
        image: Image,
        window: tuple[float, float] | None,
        *,
        said: bool,
    ) -> None:
        self.image, self.remarks, self._said = image, dict[str, None](), said
        self._model, self._window = model, window
        side, shorter = model.protocol.resize, min(image.size)
        self._whole_side = side if 0 < side < shorter else 0
        scales = tuple(scale * (side or shorter) / shorter for scale in model.protocol.scales)
        self._protocol = replace(model.protocol, resize=0, window=0, scales=scales)
        self._whole: Tensor | None = None

    def probabilities(self, rows: slice) -> Iterator[tuple[slice, Tensor]]:
        """Columns and (K, n, w) of them, until the width is reached."""
        if self._whole_side:
            full = enlarged_rows(
                self._seen_whole()[None], rows.start, rows.stop - rows.start, self.image.size
            )
            yield slice(0, self.image.size[1]), full[0]
            return
        height, width = self.image.size
        band = _around(rows.start, rows.stop, height, ROWS + 2 * HALO)
        pixels = self._read(band)
        for left in range(0, width, _ACROSS):
            right = min(left + _ACROSS, width)
            seen = _around(left, right, width, _ACROSS + 2 * HALO)
            maps = self._model.probabilities(pixels[:, seen], self._protocol)
            here = slice(rows.start - band.start, rows.stop - band.start)
            yield slice(left, right), maps[:, here, left - seen.start : right - seen.start]

    def overview(self) -> NDArray[np.uint8]:
        """(h, w, 3) of about a megapixel."""
        height, width = self.image.size
        return as_colors(self._smaller(int((height * width / _OVERVIEW_PIXELS) ** 0.5)))

    def _seen_whole(self) -> Tensor:
        """(K, h, w) of all of the image, at the size that the network was trained on."""
        if self._whole is None:
            small = self._smaller(min(self.image.size) // self._whole_side)
            model = self._model
            self._whole = model.probabilities(small, model.protocol)
        return self._whole

    def _smaller(self, factor: int) -> NDArray[np.uint8]:
        """All of it, means of squares of so many pixels a side."""
        factor = max(1, factor)
        height, width = self.image.size
        step = max(1, _READ // (factor * width)) * factor
        parts = [
            _means(self._read(slice(top, min(top + step, height))), factor)
            for top in range(0, height, step)
        ]
        return np.concatenate(parts)

    def _read(self, rows: slice) -> NDArray[np.uint8]:
        """Rows of the image (n, W, C), as the network takes them."""
        read = self._model.reading.read(part_of(self.image, rows=rows), window=self._window)
        self.remarks |= dict.fromkeys(untold(read.remarks, said=self._said))
        return read.pixels


def _around(first: int, last: int, length: int, side: int) -> slice:
    """`side` pixels with `first` to `last` among them, as far as there are so many.

    >>> _around(512, 1024, 5000, 768), _around(0, 512, 5000, 768), _around(4608, 5000, 5000, 768)
    (slice(384, 1152, None), slice(0, 768, None), slice(4232, 5000, None))
    """
    begin = min(max(0, first - HALO), max(0, length - side))
    return slice(begin, min(begin + side, length))


def _means(pixels: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Means of squares; what is left at the right and lower end counts for itself."""
    if factor == 1:
        return pixels
    values = torch.from_numpy(np.moveaxis(pixels, 2, 0).astype(np.float32))[None]
    means = functional.avg_pool2d(values, factor, ceil_mode=True, count_include_pad=False)[0]
    return np.moveaxis(means.round().byte().numpy(), 0, 2)
