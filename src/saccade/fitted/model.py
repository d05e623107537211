"""A model of images of a kind: fitted to the strokes of some, it gives masks of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from saccade.devices import pick_device
from saccade.errors import InputError
from saccade.fitted.file import Header
from saccade.fitted.items import Picture, Source, read_drawn, read_picture
from saccade.fitted.predicting import prepare_stroked, segment_picture
from saccade.fitted.scores import HeldOut, score_held_out
from saccade.fitted.stroked import StrokedImage, classes_of, ground_remark, read_all
from saccade.fitted.suggesting import ImageSuggestion, rank_images, uncertain_share
from saccade.images import Reading
from saccade.interactive.inputs import UNLABELED
from saccade.interactive.presets import LearnedFitSettings, Preset, preset_named
from saccade.interactive.result import Segmentation, Suggestion
from saccade.interactive.run import Cancel, Progress, Run, one_thread
from saccade.interactive.shared import SharedFit, fit_kind
from saccade.interactive.suggestions import suggest_regions
from saccade.models.timm_maps import TimmMaps
from saccade.models.weights import Bundle, shared_bundle


class Model:
    """Fitted to the strokes of several images of a kind; gives masks of others.

    `saccade.fit` makes one, `saccade.load` reads one from a file.

    Attributes:
        classes: the K class values, ascending.
        names: class value to name, where names are known.
        preset: all settings.
        seed: of everything drawn at random; same seed, same masks, on one device.
        device: of the networks.
        provisional: one class alone was drawn, and another has everything else.
        reading: how images are read: which channels, what is black and white.

    >>> import saccade
    >>> rgb = np.full((64, 96, 3), 40, np.uint8)
    >>> rgb[20:44, 30:66] = 200
    >>> strokes = np.full((64, 96), 255, np.uint8)
    >>> strokes[5, 10:80], strokes[32, 40:56] = 0, 1
    >>> model = saccade.fit([rgb], [strokes])
    >>> model.predict(rgb[:, ::-1]).classes, [one.name for one in model.stroked]
    ((0, 1), ['image 1'])
    """

    def __init__(
        self,
        preset: Preset,
        seed: int,
        device: str,
        classes: Sequence[int] | None = None,
        reading: Reading | None = None,
        more: TimmMaps | None = None,
    ) -> None:
        if not isinstance(preset.fit, LearnedFitSettings):
            raise InputError(
                "preset: several images are fitted by learned steps, use 'fast' or 'best'"
            )
        self.preset, self.seed, self.device = preset, int(seed), pick_device(device)
        self.names: dict[int, str] = {}
        self.classes: tuple[int, ...] = ()
        self.provisional = False
        self.reading = reading or Reading()
        self._wanted = None if classes is None else tuple(int(value) for value in classes)
        self._more = more
        self._stroked: dict[str, StrokedImage] = {}
        self._pool: dict[object, Source] = {}
        self._fit: SharedFit | None = None
        self._held_out: HeldOut | None = None
        self._restored: tuple[str, ...] = ()

    @cached_property
    def bundle(self) -> Bundle:
        """The trained weights."""
        bundle = shared_bundle(self.preset.weights, self.preset.ensemble, self.device)
        return bundle if self._more is None else replace(bundle, more=self._more)

    @property
    def preset_name(self) -> str:
        """``"fast"`` or ``"best"``, or "" for settings of one's own."""
        return next((n for n in ("fast", "best") if preset_named(n) == self.preset), "")

    @property
    def stroked(self) -> tuple[StrokedImage, ...]:
        """The images with strokes that it was fitted to."""
        return tuple(self._stroked.values())

    @property
    def shared(self) -> SharedFit:
        """What was fitted."""
        assert self._fit is not None  # there is no model without strokes
        return self._fit

    def predict(
        self,
        image: object,
        strokes: object = None,
        *,
        unlabeled: int = UNLABELED,
        window: tuple[float, float] | None = None,
        progress: Progress | None = None,
    ) -> Segmentation:
        """Mask of an image of the kind.

        Args:
            image: (H, W, 3) uint8 and what else `saccade.images.read_any` takes, a path, or what
                `read` gave.
            strokes: (H, W) integers, `Strokes` or a path: strokes on this image, which count
                here beside those of the others; the model stays as it is. None without any.
            unlabeled: value in ``strokes`` where nobody drew.
            window: values of this image that become black and white; None: as in the fit.
            progress: told the fraction done and the stage's name.

        Raises:
            InputError: the image or the strokes cannot be used.
        """
        picture = self.read(image, window=window)
        drawn = read_drawn(strokes, picture, unlabeled)
        found = segment_picture(self, picture, drawn, Run(progress))
        more = picture.remarks + (drawn.remarks if drawn else ())
        return replace(found, remarks=(*more, *found.remarks))

    def read(self, image: object, *, window: tuple[float, float] | None = None) -> Picture:
        """An image of the kind, read as those that the model was fitted to.

        Args:
            image: an array or a path, see `predict`.
            window: see `predict`.

        Raises:
            InputError: it cannot be read, or has other channels.
        """
        return read_picture(image, 1, self.reading, window=window)

    def update(
        self,
        images: object,
        strokes: object,
        *,
        unlabeled: int = UNLABELED,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
    ) -> Model:
        """Fit again after strokes were added, changed or removed on some images.

        Images that are not named keep their strokes, and nothing of them is computed again.

        Args:
            images: those whose strokes have changed.
            strokes: all strokes of each, old and new; None where there are none any more.
            unlabeled: value in ``strokes`` where nobody drew.
            progress: told the fraction done and the stage's name.
            cancel: asked between steps. Once it answers True the model stays as it was.

        Raises:
            InputError: something cannot be read, or no strokes would be left. The model stays as
                it was.
        """
        given = read_all(images, strokes, unlabeled, self._stroked, self.reading)
        kept = {d: one for d, one in self._stroked.items() if d not in given.digests}
        lines = [drawn for _, drawn in given.drawn]
        classes, single = classes_of(kept.values(), lines, self._wanted)
        run = Run(progress, cancel)
        with one_thread(self.device):
            found = prepare_stroked(self, kept, given.drawn, classes, ground=single, run=run)
            ready = [one.ready for one in found.values()]
            fit = fit_kind(ready, self.preset, seed=self.seed, run=run)
        if run.cancelled and self._fit is not None:
            return self
        self._fit, self.classes, self.provisional, self._stroked = fit, classes, single, found
        self._held_out, self.reading = None, given.how
        self._pool |= {source.key: source for source in given.bare}
        run.report(1.0, "done")
        return self

    def suggest_images(
        self,
        n: int = 3,
        images: Sequence[object] | None = None,
        *,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
    ) -> list[ImageSuggestion]:
        """At most ``n`` of the images without strokes where strokes would help most, best first.

        The one whose mask is least sure comes first.

        Args:
            n: at most so many.
            images: to choose from, arrays or paths; by default those that `saccade.fit` and
                `update` were given with None for strokes. Images with strokes are passed over.
            progress: told the fraction done and the image's name.
            cancel: asked before each image. Once it answers True those so far are ranked.

        Raises:
            InputError: an image cannot be read.
        """
        pool = list(self._pool.values())
        if images is not None:
            pool = [Source(one, number) for number, one in enumerate(images, 1)]
        return rank_images(pool, self.reading, self._score, Run(progress, cancel))[:n]

    def _score(self, picture: Picture) -> tuple[float, bool] | None:
        """How unsure a mask is, and whether its image is unlike; None for one with strokes."""
        if picture.digest in self._stroked:
            return None
        found = segment_picture(self, picture, None, Run())
        return uncertain_share(found.labels, found.uncertainty), found.unlike

    def suggest(self, image: object, n: int = 3) -> list[Suggestion]:
        """At most ``n`` regions of an image where a stroke would help most, best first.

        Args:
            image: as in `predict`; strokes that it has count.
            n: at most so many.
        """
        picture = self.read(image)
        known = self._stroked.get(picture.digest)
        drawn = np.zeros(picture.size, bool)
        if known is not None:
            drawn = known.index_at(picture.size) < len(self.classes)
        return suggest_regions(segment_picture(self, picture, None, Run()).uncertainty, drawn, n)

    def held_out(self, *, progress: Progress | None = None) -> HeldOut:
        """How well strokes are predicted that the fit has not seen: of each image in turn.

        After this, probabilities of images without strokes are softened by `temperature`.

        Args:
            progress: told the fraction done and the image's name.
        """
        if self._held_out is None:
            with one_thread(self.device):
                self._held_out = score_held_out(
                    self.stroked, self.classes, self.preset, seed=self.seed, run=Run(progress)
                )
        return self._held_out

    @property
    def temperature(self) -> float:
        """By which `predict` softens probabilities of images without strokes; 1 is not at all.

        It comes with `held_out`, which `save` asks for, and so is in every file. No mask changes.
        """
        return 1.0 if self._held_out is None else self._held_out.temperature

    @property
    def remarks(self) -> tuple[str, ...]:
        """What was assumed of images and strokes, one line each."""
        lines = [line for one in self.stroked for line in one.remarks]
        if self.provisional:
            lines.append(ground_remark(self.stroked, self.classes))
        return (*lines, *self._restored)

    def restore(
        self, header: Header, stroked: Sequence[StrokedImage], shared: SharedFit | None
    ) -> None:
        """Become what a file says; `saccade.load` calls this.

        Args:
            header: of the file.
            stroked: its images.
            shared: what was fitted; None where other weights were used, and all is fitted again.
        """
        self.classes, self.names = header.classes, header.names
        self.provisional, self._held_out = header.provisional, header.held_out
        self.reading = header.reading
        self._stroked = {one.digest: one for one in stroked}
        if shared is None:
            self._held_out = None
            self._restored = (
                f"fitted again: saccade {header.version}, which wrote the file, had other weights",
            )
            with one_thread(self.device):
                ready = [one.ready for one in stroked]
                shared = fit_kind(ready, self.preset, seed=self.seed)
        self._fit = shared

    def save(self, path: object, *, progress: Progress | None = None) -> None:
        """Write the model to a file; `saccade.load` reads it.

        Args:
            path: whose folder exists; a file that is there is replaced.
            progress: of `held_out`, which the file has too.

        Raises:
            InputError: it cannot be written.
        """
        from saccade.fitted.file import save

        self.held_out(progress=progress)
        save(self, path)
