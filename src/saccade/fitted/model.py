"""A model of images of a kind: fitted to the strokes of some, it gives masks of all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from saccade.devices import pick_device
from saccade.errors import InputError
from saccade.fitted.file import Header
from saccade.fitted.items import Drawn, Picture, read_drawn, read_picture
from saccade.fitted.scores import HeldOut, score_held_out
from saccade.fitted.stroked import StrokedImage, classes_of, read_all, remarks_of
from saccade.interactive.inputs import UNLABELED
from saccade.interactive.prepared import PreparedImage, prepare_image
from saccade.interactive.presets import LearnedFitSettings, Preset, preset_named
from saccade.interactive.result import Segmentation, Suggestion
from saccade.interactive.run import Cancel, Progress, Run, one_thread
from saccade.interactive.shared import SharedFit, fit_shared, prepare_strokes, segment_shared
from saccade.interactive.suggestions import suggest_regions
from saccade.models.weights import Bundle, load_bundle


@dataclass(frozen=True)
class ImageSuggestion:
    """An image of a kind on which strokes would help.

    Attributes:
        number: its place among the images to choose from, from 0.
        name: of its file, or "image 3" of the third array.
        score: mean uncertainty of its mask, in [0, 1].
    """

    number: int
    name: str
    score: float


class Model:
    """Fitted to the strokes of several images of a kind; gives masks of others.

    `saccade.fit` makes one, `saccade.load` reads one from a file.

    Attributes:
        classes: the K class values, ascending.
        names: class value to name, where names are known.
        preset: all settings.
        seed: of everything drawn at random; same seed, same masks, on one device.
        device: of the networks.
        remarks: what was assumed of images and strokes, one line each.

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
        self, preset: Preset, seed: int, device: str, classes: Sequence[int] | None = None
    ) -> None:
        if not isinstance(preset.fit, LearnedFitSettings):
            raise InputError(
                "preset: several images are fitted by learned steps, use 'fast' or 'best'"
            )
        self.preset, self.seed, self.device = preset, int(seed), pick_device(device)
        self.names: dict[int, str] = {}
        self.classes: tuple[int, ...] = ()
        self.remarks: tuple[str, ...] = ()
        self._wanted = None if classes is None else tuple(int(value) for value in classes)
        self._stroked: dict[str, StrokedImage] = {}
        self._pool: list[Picture] = []
        self._fit: SharedFit | None = None

    @cached_property
    def bundle(self) -> Bundle:
        """The trained weights."""
        return load_bundle(self.preset.weights, self.preset.ensemble)

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
        progress: Progress | None = None,
    ) -> Segmentation:
        """Mask of an image of the kind.

        Args:
            image: (H, W, 3) uint8 and what else `saccade.images.read_array` takes, or a path.
            strokes: (H, W) integers, `Strokes` or a path: strokes on this image, which count
                here beside those of the others; the model stays as it is. None without any.
            unlabeled: value in ``strokes`` where nobody drew.
            progress: told the fraction done and the stage's name.

        Raises:
            InputError: the image or the strokes cannot be used.
        """
        picture = read_picture(image)
        drawn = read_drawn(strokes, picture, unlabeled)
        run = Run(progress)
        with one_thread(self.device):
            with run.stage("features", 0.0):
                ready = self._prepare(picture)
            fit, index = self.shared, None
            if drawn is not None:
                index = self._checked(drawn, picture).index(self.classes)
                own = prepare_strokes(ready, index, self.classes, self.preset)
                others = [one.ready for one in self.stroked if one.digest != picture.digest]
                fit = fit_shared([*others, own], self.preset, seed=self.seed, run=run)
            found = segment_shared(
                fit, ready, self.preset, stroke_index=index, seed=self.seed, run=run
            )
        run.report(1.0, "done")
        more = picture.remarks + (drawn.remarks if drawn else ())
        return replace(found, remarks=(*more, *found.remarks))

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
        items = read_all(images, strokes, unlabeled)
        changed = {picture.digest for picture, _ in items}
        kept = {d: one for d, one in self._stroked.items() if d not in changed}
        drawn = [(picture, lines) for picture, lines in items if lines is not None]
        run = Run(progress, cancel)
        classes, single = classes_of(kept.values(), [lines for _, lines in drawn], self._wanted)
        with one_thread(self.device):
            with run.stage("features", 0.0):
                found = {d: one.among(classes, self.preset) for d, one in kept.items()}
                for done, (picture, lines) in enumerate(drawn):
                    ready = prepare_strokes(
                        self._prepare(picture),
                        lines.index(classes),
                        classes,
                        self.preset,
                        assume_ground=single,
                    )
                    found[picture.digest] = StrokedImage(picture.name, picture.digest, ready)
                    run.report(0.05 * (done + 1) / len(drawn), "features")
            fit = fit_shared(
                [one.ready for one in found.values()], self.preset, seed=self.seed, run=run
            )
        if run.cancelled and self._fit is not None:
            return self
        self._fit, self.classes, self._stroked = fit, classes, found
        self._pool = [p for p in self._pool if p.digest not in changed]
        self._pool += [picture for picture, lines in items if lines is None]
        self.remarks = remarks_of(items, classes, single)
        run.report(1.0, "done")
        return self

    def suggest_images(
        self, n: int = 3, images: Sequence[object] | None = None
    ) -> list[ImageSuggestion]:
        """At most ``n`` of the images without strokes where strokes would help most, best first.

        The one whose mask is least sure comes first.

        Args:
            n: at most so many.
            images: to choose from, arrays or paths; by default those that `saccade.fit` and
                `update` were given with None for strokes. Images with strokes are passed over.
        """
        pool: Iterable[Picture] = self._pool
        if images is not None:
            pool = (read_picture(one, number) for number, one in enumerate(images, 1))
        found = []
        for number, one in enumerate(pool):
            if one.digest not in self._stroked:
                score = float(self.predict(one.pixels).uncertainty.mean())
                found.append(ImageSuggestion(number, one.name, score))
        return sorted(found, key=lambda one: -one.score)[:n]

    def suggest(self, image: object, n: int = 3) -> list[Suggestion]:
        """At most ``n`` regions of an image where a stroke would help most, best first.

        Args:
            image: as in `predict`; strokes that it has count.
            n: at most so many.
        """
        picture = read_picture(image)
        known = self._stroked.get(picture.digest)
        if known is None:
            drawn = np.zeros(picture.size, bool)
            return suggest_regions(self.predict(picture.pixels).uncertainty, drawn, n)
        index = known.ready.strokes.stroke_index
        with one_thread(self.device):
            found = segment_shared(
                self.shared, known.ready.image, self.preset, stroke_index=index, seed=self.seed
            )
        return suggest_regions(found.uncertainty, index < len(self.classes), n)

    def held_out(self) -> HeldOut:
        """How well strokes are predicted that the fit has not seen: of each image in turn."""
        with one_thread(self.device):
            ready = [one.ready for one in self.stroked]
            return score_held_out(ready, self.classes, self.preset, seed=self.seed)

    def restore(
        self, header: Header, stroked: Sequence[StrokedImage], shared: SharedFit | None
    ) -> None:
        """Become what a file says; `saccade.load` calls this.

        Args:
            header: of the file.
            stroked: its images.
            shared: what was fitted; None where other weights were used, and all is fitted again.
        """
        self.classes, self.names, self.remarks = header.classes, header.names, header.remarks
        self._stroked = {one.digest: one for one in stroked}
        if shared is None:
            self.remarks += (
                f"fitted again: saccade {header.version}, which wrote the file, had other weights",
            )
            with one_thread(self.device):
                ready = [one.ready for one in stroked]
                shared = fit_shared(ready, self.preset, seed=self.seed)
        self._fit = shared

    def save(self, path: object) -> None:
        """Write the model to a file; `saccade.load` reads it.

        Args:
            path: whose folder exists; a file that is there is replaced.

        Raises:
            InputError: it cannot be written.
        """
        from saccade.fitted.file import save

        save(self, path)

    def _checked(self, drawn: Drawn, picture: Picture) -> Drawn:
        unknown = set(drawn.classes) - set(self.classes)
        if unknown:
            raise InputError(
                f"strokes of {picture.name} hold label {min(unknown)}, the model's classes are "
                f"{', '.join(map(str, self.classes))}; update() adds a class"
            )
        return drawn

    def _prepare(self, picture: Picture) -> PreparedImage:
        return prepare_image(
            picture.pixels,
            max_pixels=self.preset.max_pixels,
            seed=self.seed,
            device=self.device,
            bundle=self.bundle,
        )
