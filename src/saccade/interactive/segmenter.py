"""Strokes to mask for one image: fit, update, predict, suggest."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from saccade.devices import pick_device
from saccade.errors import InputError
from saccade.images import ReadImage, read_any
from saccade.interactive.history import History
from saccade.interactive.inputs import (
    UNLABELED,
    encode_strokes,
    provisional_index,
    resolve_strokes,
)
from saccade.interactive.native import segment_at_scale
from saccade.interactive.pipeline import Fitted
from saccade.interactive.prepared import PreparedImage, prepare_image
from saccade.interactive.presets import PaperFitSettings, Preset, preset_named
from saccade.interactive.result import Segmentation, Suggestion
from saccade.interactive.run import Cancel, Preview, Progress, Run, one_thread
from saccade.interactive.suggestions import suggest_regions
from saccade.models.scribble_net import ScribbleNet
from saccade.models.weights import Bundle, shared_bundle

_T = TypeVar("_T")


class ScribbleSegmenter:
    """Segments one image from strokes with a network fitted to that image.

    Args:
        preset: ``"fast"``, ``"best"``, ``"paper"``, ``"paper-literal"``, or a :class:`Preset` of
            your own.
        seed: of everything drawn at random; same seed, same mask, on one device.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ...
        unlabeled: stroke value of pixels where nobody drew; the default says 255 where it occurs,
            else what covers most of the image, see ``Segmentation.remarks``.
        classes: the class values there are; by default those that occur in the strokes. While one
            class alone is drawn another has everything else, see ``Segmentation.provisional``.
        channels: of the image, as indices from 0 or names; by default all.

    Raises:
        InputError: an unknown preset or device, or settings that do not go together.

    >>> image = np.full((64, 96, 3), 40, np.uint8)
    >>> image[20:44, 30:66] = 200
    >>> strokes = np.full((64, 96), 255, np.uint8)
    >>> strokes[5, 10:80], strokes[32, 40:56] = 0, 1
    >>> segmenter = ScribbleSegmenter("fast", seed=0).fit(image, strokes)
    >>> int(segmenter.predict()[25, 60]), segmenter.predict_proba().shape
    (1, (2, 64, 96))
    >>> strokes[60, 10:80] = 0
    >>> segmenter.update(strokes).predict().shape, len(segmenter.suggest(3)) <= 3
    ((64, 96), True)
    """

    def __init__(
        self,
        preset: str | Preset = "fast",
        seed: int = 0,
        device: str = "auto",
        *,
        unlabeled: int = UNLABELED,
        classes: Sequence[int] | None = None,
        channels: Sequence[int | str] | None = None,
    ) -> None:
        self.preset = preset_named(preset) if isinstance(preset, str) else preset
        self.seed = int(seed)
        self.device = pick_device(device)
        self.unlabeled = unlabeled
        self.classes = classes
        self.channels = channels
        self.prepared: PreparedImage | None = None
        self._image_remarks: tuple[str, ...] = ()
        self._last: Fitted | None = None
        self._history = History()

    def fit(
        self,
        image: object,
        strokes: object,
        *,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
        preview: Preview | None = None,
        window: tuple[float, float] | None = None,
    ) -> ScribbleSegmenter:
        """Fit to an image and its strokes.

        Args:
            image: (H, W, 3) uint8; also grey, RGBA, and other integers and floats, which are
                read as `saccade.images.read_array` says; (H, W, C) of other channels, or an
                `saccade.images.Image`, see `saccade.images.read_any`. ``Segmentation.remarks``
                say what was assumed.
            strokes: (H, W) integers, ``unlabeled`` where nobody drew; or
                `saccade.scribbles.strokes.Strokes`, as files are read.
            progress: told the fraction done in [0, 1] and the stage's name.
            cancel: asked between steps. Once it answers True the fit ends with the mask of the
                steps done so far.
            preview: given coarse masks, (H, W) int32 stroke values, before the result is there.
                They change nothing about the result.
            window: the values of the image that become black and white; None: as `read_array`
                says.

        Raises:
            InputError: the image or the strokes cannot be used. What was fitted before stays.
        """
        picture = self._read(image, window)
        rgb = picture.pixels
        classes, stroke_index, remarks = self._encode(strokes, (rgb.shape[0], rgb.shape[1]))
        run = Run(progress, cancel, preview)
        with run.stage("features", 0.0):
            prepared = self._prepare(picture)
        with one_thread(self.device):
            fitted = segment_at_scale(
                prepared, stroke_index, classes, self.preset, seed=self.seed, run=run
            )
        self._image_remarks = picture.remarks
        self.prepared, self._history = prepared, History()
        if fitted is not None and not run.cancelled:
            self._history.add(fitted)
        self._last = self._with_remarks(fitted, remarks)
        run.report(1.0, "done")
        return self

    def prepare(
        self, image: object, *, window: tuple[float, float] | None = None
    ) -> ScribbleSegmenter:
        """Compute what does not depend on strokes, so that the first `update` is fast.

        There is no result before that update; what was fitted before is forgotten.

        Args:
            image: as in `fit`.
            window: as in `fit`.

        Raises:
            InputError: the image cannot be used. What was fitted before stays.
        """
        picture = self._read(image, window)
        prepared = self._prepare(picture)
        with one_thread(self.device):
            prepared.compute_all()
        self._image_remarks = picture.remarks
        self.prepared, self._last, self._history = prepared, None, History()
        return self

    def update(
        self,
        strokes: object,
        *,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
        preview: Preview | None = None,
    ) -> ScribbleSegmenter:
        """Segment the same image with other strokes.

        ``strokes`` (H, W) are all strokes, old and new, so strokes can be removed too. The mask
        that was there without the added strokes is a cue for the new one, with weights that know
        this cue. Strokes as they once were give the mask that they gave then.

        What the prepared image keeps (features, superpixels, encodings, edges) is not computed
        again; the network is fitted anew from the learned start. The paper's optimisation goes on
        from the fitted network, unless the classes have changed.

        Args:
            strokes: (H, W) integers.
            progress: as in `fit`.
            cancel: as in `fit`, but the last good result stays as it is.
            preview: as in `fit`.

        Raises:
            InputError: no image is known yet, or the strokes cannot be used.
        """
        image = self._known(self.prepared)
        classes, stroke_index, remarks = self._encode(strokes, image.size)
        run = Run(progress, cancel, preview)
        before = self._history.same(classes, stroke_index)
        fitted = before or self._correct(image, stroke_index, classes, run)
        if fitted is not None:
            self._history.add(fitted)
            self._last = self._with_remarks(fitted, remarks)
            run.report(1.0, "done")
        return self

    def _correct(
        self,
        image: PreparedImage,
        stroke_index: NDArray[np.int64],
        classes: tuple[int, ...],
        run: Run,
    ) -> Fitted | None:
        """A fit that goes on from the mask that these strokes correct; None if cancelled."""
        corrected = self._history.corrected(classes, stroke_index)
        with one_thread(self.device):
            return segment_at_scale(
                image,
                stroke_index,
                classes,
                self.preset,
                seed=self.seed,
                run=run,
                warm_start=self._warm_start(classes, stroke_index),
                last=None if corrected is None else corrected.half,
                discard_cancelled=True,
            )

    def _encode(
        self, strokes: object, size: tuple[int, int]
    ) -> tuple[tuple[int, ...], NDArray[np.int64], tuple[str, ...]]:
        """Class values and indices of `encode_strokes`, and what was assumed."""
        array, unlabeled, remarks = resolve_strokes(strokes, self.unlabeled)
        return *encode_strokes(array, size, unlabeled=unlabeled, classes=self.classes), remarks

    def _with_remarks(self, fitted: Fitted | None, of_strokes: tuple[str, ...]) -> Fitted | None:
        """A fit whose result says how the image and the strokes were read, too."""
        if fitted is None or not self._image_remarks + of_strokes:
            return fitted
        remarks = self._image_remarks + of_strokes + fitted.result.remarks
        return replace(fitted, result=replace(fitted.result, remarks=remarks))

    def _warm_start(
        self, classes: tuple[int, ...], stroke_index: NDArray[np.int64]
    ) -> ScribbleNet | None:
        """The network that the paper's optimisation goes on from.

        None where a class is or was provisional: nothing of what was assumed may stay.

        A copy, as what is fitted must outlive a cancelled update. From the learned start a few
        steps do better than going on from the last fit does.
        """
        last = self._last
        if last is None or last.strokes.classes != classes:
            return None
        if last.strokes.provisional or provisional_index(stroke_index, classes) is not None:
            return None
        return copy.deepcopy(last.net) if isinstance(self.preset.fit, PaperFitSettings) else None

    def predict(self) -> NDArray[np.int32]:
        """The mask (H, W), stroke values."""
        return self.result.labels

    def predict_proba(self) -> NDArray[np.float32]:
        """Class probabilities (K, H, W) in the order of ``result.classes``."""
        return self.result.probabilities

    def suggest(self, n: int = 3) -> list[Suggestion]:
        """At most ``n`` regions where a stroke would help most, best first."""
        strokes = self._known(self._last).strokes
        return suggest_regions(self.result.uncertainty, strokes.stroke_index < strokes.count, n)

    @property
    def result(self) -> Segmentation:
        """The last good segmentation.

        Raises:
            InputError: nothing is fitted yet.
        """
        return self._known(self._last).result

    @property
    def history_nbytes(self) -> int:
        """Memory that earlier fits take, which are kept for strokes that are taken back."""
        return self._history.nbytes

    @staticmethod
    def _known(value: _T | None) -> _T:
        if value is None:
            raise InputError("nothing is fitted yet: call fit(image, strokes) first")
        return value

    def _read(self, image: object, window: tuple[float, float] | None) -> ReadImage:
        if isinstance(image, ReadImage):  # of a file, whose channels were chosen as it was read
            return image
        return read_any(image, channels=self.channels, window=window)

    def _prepare(self, picture: ReadImage) -> PreparedImage:
        # A copy: updates need the image as it is, whatever becomes of the caller's array.
        rgb = np.array(picture.pixels, order="C")
        with one_thread(self.device):
            return prepare_image(
                rgb,
                features=self.preset.network.features,
                standardize=self.preset.network.standardize,
                max_pixels=self.preset.max_pixels,
                seed=self.seed,
                device=self.device,
                bundle=self._bundle,
                components=picture.components,
            )

    @cached_property
    def _bundle(self) -> Bundle:
        return shared_bundle(self.preset.weights, self.preset.ensemble, self.device)
