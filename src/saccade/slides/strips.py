"""From the answers of windows to the mask of a large image, strip by strip."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from saccade.interactive.blending import ramp
from saccade.interactive.prepared import brightness
from saccade.refine.guided import EnlargedRows, enlarged_rows
from saccade.slides.answers import Answer, Answers
from saccade.slides.journal import Arrays

ROWS = 512
"""Rows of a strip, as high as the tiles that are written."""


class Strips:
    """Merges what windows say, follows the image's edges, and keeps strips of labels in a journal.

    Args:
        answers: those of all windows, computed.
    """

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._ready: dict[int, tuple[Answer, EnlargedRows]] = {}
        self.count = -(-answers.image.size[0] // ROWS)

    def recall(self, number: int) -> Arrays:
        """``labels``, ``uncertainty`` and ``confidence`` (n, W) of a strip; computed if need be."""
        return self._answers.journal.recall(
            f"strip-{number + 1:04}", lambda: self._strip(number), small=True
        )

    @torch.no_grad()
    def _strip(self, number: int) -> Arrays:
        answers = self._answers
        top, (height, width) = number * ROWS, answers.image.size
        rows = slice(top, min(top + ROWS, height))
        rgb = answers.image.rgb[rows, slice(0, width)]
        gray, count = brightness(rgb), len(answers.classes)
        total = np.zeros((count + 1, len(gray), width), np.float32)
        weight = np.zeros((len(gray), width), np.float32)
        for answer, enlarged in self._touching(rows):
            box = answer.window.box
            inside = slice(max(rows.start, box.top), min(rows.stop, box.bottom))
            here = slice(inside.start - top, inside.stop - top)
            columns = box.slices[1]
            share = self._share(answer, inside)
            total[:, here, columns] += share * self._maps(answer, enlarged, inside, gray[here])
            weight[here, columns] += share
        total /= weight
        return self._finished(total, rows)

    def _maps(
        self, answer: Answer, enlarged: EnlargedRows, rows: slice, gray: torch.Tensor
    ) -> NDArray[np.float32]:
        """Probabilities and uncertainty (K + 1, n, w) of a window in some rows of the image."""
        box, columns = answer.box, answer.window.box.slices[1]
        first, size = rows.start - box.top, (box.bottom - box.top, box.right - box.left)
        full = enlarged.rows(first, gray[:, box.left : box.right])
        unsure = enlarged_rows(answer.uncertainty[None], first, len(gray), size)[0]
        maps = torch.cat([full, unsure])
        return maps[:, :, columns.start - box.left : columns.stop - box.left].numpy()

    def _share(self, answer: Answer, rows: slice) -> NDArray[np.float32]:
        """How much a window counts in some rows of the image, (n, w)."""
        box, core = answer.window.box.slices, answer.window.core.slices
        down, across = (
            ramp(*spans) for spans in zip(box, core, self._answers.image.size, strict=True)
        )
        share: NDArray[np.float32] = (
            down[rows.start - box[0].start : rows.stop - box[0].start, None] * across
        )
        return share

    def _touching(self, rows: slice) -> Iterator[tuple[Answer, EnlargedRows]]:
        """The windows in some rows; others are forgotten."""
        preset = self._answers.preset
        radius = preset.guided_radius if preset.upsampling == "guided" else 0
        found = [
            number
            for number, window in enumerate(self._answers.all)
            if window.box.top < rows.stop and window.box.bottom > rows.start
        ]
        self._ready = {number: pair for number, pair in self._ready.items() if number in found}
        for number in found:
            if number not in self._ready:
                answer = self._answers.of(number)
                box = answer.box
                size = box.bottom - box.top, box.right - box.left
                enlarged = EnlargedRows(answer.probabilities, answer.guide, size, radius=radius)
                self._ready[number] = answer, enlarged
            yield self._ready[number]

    def _finished(self, maps: NDArray[np.float32], rows: slice) -> Arrays:
        """Labels, as small as they can be, with the strokes in them; and the uncertainty."""
        answers = self._answers
        values = np.asarray(answers.classes)
        kind = np.min_scalar_type(int(values.max()))
        labels = values.astype(kind)[maps[:-1].argmax(0)]
        unsure = np.rint(maps[-1].clip(0, 1) * 255).astype(np.uint8)
        sure = np.rint(maps[:-1].max(0).clip(0, 1) * 255).astype(np.uint8)
        if answers.preset.keep_strokes:
            index = answers.places[rows, slice(0, labels.shape[1])]
            own = index < len(values)
            labels[own], unsure[own], sure[own] = values.astype(kind)[index[own]], 0, 255
        return {"labels": labels, "uncertainty": unsure, "confidence": sure}
