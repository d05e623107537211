"""Strokes to mask for one image: fit, update, predict, suggest."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.images import as_rgb
from saccade.interactive.descent import fit_descent
from saccade.interactive.fitting import fit_learned
from saccade.interactive.inputs import encode_strokes, pick_device
from saccade.interactive.posterior import (
    Belief,
    coarse_labels,
    draw,
    enlarge,
    gather_evidence,
    mixed,
    sharpen,
    sharpen_fine,
    tempered,
    weigh_evidence,
)
from saccade.interactive.presets import DescentSettings, LearnedSettings, Preset, preset_named
from saccade.interactive.result import Segmentation, Suggestion, suggest_regions
from saccade.interactive.run import Cancel, Preview, Progress, Run, one_thread
from saccade.interactive.scene import Scene, describe, shrink_strokes
from saccade.models.scribble_net import ScribbleNet
from saccade.models.weights import Bundle, load_bundle
from saccade.scribbles.superpixels import expand_strokes

_T = TypeVar("_T")


class ScribbleSegmenter:
    """Segments one image from strokes with a network fitted to that image.

    Args:
        preset: ``"fast"``, ``"best"``, ``"paper"``, or a :class:`Preset` of your own.
        seed: of everything drawn at random; same seed, same mask, on one device.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ...
        unlabeled: stroke value of pixels where nobody drew.
        classes: the class values there are; by default those that occur in the strokes.

    Raises:
        InputError: an unknown preset or device, or settings that do not go together.
    """

    def __init__(
        self,
        preset: str | Preset = "fast",
        seed: int = 0,
        device: str = "auto",
        *,
        unlabeled: int = 255,
        classes: Sequence[int] | None = None,
    ) -> None:
        self.preset = preset_named(preset) if isinstance(preset, str) else preset
        self.seed = int(seed)
        self.device = pick_device(device)
        self.unlabeled = unlabeled
        self.classes = classes
        self._scene: Scene | None = None
        self._net: ScribbleNet | None = None
        self._strokes: NDArray[np.int64] | None = None
        self._result: Segmentation | None = None

    def fit(
        self,
        image: object,
        strokes: object,
        *,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
        preview: Preview | None = None,
    ) -> ScribbleSegmenter:
        """Fit to an image and its strokes.

        Args:
            image: (H, W, 3) uint8; also grey, RGBA, 16-bit, or float in [0, 1].
            strokes: (H, W) integers, ``unlabeled`` where nobody drew.
            progress: told the fraction done in [0, 1] and the stage's name.
            cancel: asked between steps. Once it answers True the fit ends with the mask of the
                steps done so far.
            preview: given coarse masks, (H, W) int32 stroke values, before the result is there.
                They change nothing about the result.

        Raises:
            InputError: the image or the strokes cannot be used. What was fitted before stays.
        """
        # A copy: updates need the image of now, whatever becomes of the caller's array.
        rgb = np.array(as_rgb(image), order="C")
        classes, index = encode_strokes(
            strokes, rgb.shape[:2], unlabeled=self.unlabeled, classes=self.classes
        )
        run = Run(progress, cancel, preview)
        with run.stage("features", 0.0), one_thread(self.device):
            scene = self._describe(rgb)
        with one_thread(self.device):
            self._solve(scene, classes, index, None, run, keep=False)
        return self

    def prepare(self, image: object) -> ScribbleSegmenter:
        """Compute what does not depend on strokes, so that the first `update` is fast.

        There is no result before that update; what was fitted before is forgotten.

        Args:
            image: as in `fit`.

        Raises:
            InputError: the image cannot be used. What was fitted before stays.
        """
        rgb = np.array(as_rgb(image), order="C")
        with one_thread(self.device):
            scene = self._describe(rgb)
            # Computed when first asked for, and kept.
            _ = scene.segments, scene.fused, scene.work_edges(1.0)
            for judge in range(len(scene.bundle.judges)):
                scene.guides(judge)
        self._scene, self._net, self._strokes, self._result = scene, None, None, None
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

        ``strokes`` (H, W) are all strokes, old and new, so strokes can be removed too. Features,
        superpixels and guides of the image are not computed again. The paper's descent goes on
        from the fitted network, unless the classes have changed.

        Args:
            strokes: (H, W) integers.
            progress: as in `fit`.
            cancel: as in `fit`, but the last good result stays as it is.
            preview: as in `fit`.

        Raises:
            InputError: no image is known yet, or the strokes cannot be used.
        """
        scene = self._fitted(self._scene)
        classes, index = encode_strokes(
            strokes, scene.size, unlabeled=self.unlabeled, classes=self.classes
        )
        same = self._result is not None and classes == self._result.classes
        # From the learned start a few steps do better than going on from the last fit does. The
        # paper's descent goes on, from a copy, as what is fitted must outlive a cancelled update.
        descends = isinstance(self.preset.fit, DescentSettings)
        warm = copy.deepcopy(self._net) if same and descends else None
        with one_thread(self.device):
            self._solve(scene, classes, index, warm, Run(progress, cancel, preview), keep=True)
        return self

    def predict(self) -> NDArray[np.int32]:
        """The mask (H, W), stroke values."""
        return self.result.labels

    def predict_proba(self) -> NDArray[np.float32]:
        """Class probabilities (K, H, W) in the order of ``result.classes``."""
        return self.result.probabilities

    def suggest(self, n: int = 3) -> list[Suggestion]:
        """At most ``n`` regions where a stroke would help most, best first."""
        drawn = self._fitted(self._strokes) >= 0
        return suggest_regions(self.result.uncertainty, drawn, n)

    @property
    def result(self) -> Segmentation:
        """The last good segmentation.

        Raises:
            InputError: nothing is fitted yet.
        """
        return self._fitted(self._result)

    @staticmethod
    def _fitted(value: _T | None) -> _T:
        if value is None:
            raise InputError("nothing is fitted yet: call fit(image, strokes) first")
        return value

    def _describe(self, rgb: NDArray[np.uint8]) -> Scene:
        return describe(
            rgb,
            features=self.preset.network.features,
            max_pixels=self.preset.max_pixels,
            seed=self.seed,
            device=self.device,
            bundle=self._bundle,
        )

    @cached_property
    def _bundle(self) -> Bundle:
        return load_bundle(self.preset.weights, self.preset.judges)

    def _solve(
        self,
        scene: Scene,
        classes: tuple[int, ...],
        index: NDArray[np.int64],
        warm: ScribbleNet | None,
        run: Run,
        *,
        keep: bool,
    ) -> None:
        """Strokes to result; if it is cancelled and told to ``keep`` the last, nothing changes."""
        preset = self.preset
        generator = torch.Generator(self.device).manual_seed(self.seed)
        count = len(classes)
        shrunk = shrink_strokes(index, count, scene.half)
        marks = torch.from_numpy(shrunk).to(self.device)
        grown = marks
        if isinstance(preset.fit, LearnedSettings):
            with run.stage("superpixels", 0.04):
                grown = torch.from_numpy(expand_strokes(shrunk, scene.segments, count))
                grown = grown.to(self.device)
        with run.stage("fit", 0.05):
            net = self._fit_network(scene, index, grown, classes, warm, generator, run)
        if run.cancelled and keep:
            return
        with run.stage("draw", 0.6):
            belief = draw(
                net,
                scene.maps,
                draws=preset.draws,
                average=preset.average,
                absent=torch.tensor([not (marks == k).any() for k in range(count)]).to(self.device),
                generator=generator,
                step=run.inner(0.6, 0.8, "draw"),
                placing=preset.placing,
                fused=scene.fused if isinstance(preset.fit, LearnedSettings) else None,
            )
        if run.cancelled and keep:
            return
        with run.stage("refine", 0.8):
            result = self._finish(scene, belief, marks, grown, index, classes, generator, run)
        result.timings.update(run.timings, total=sum(run.timings.values()))
        self._scene, self._net, self._strokes, self._result = scene, net, index, result
        run.report(1.0, "done")

    def _fit_network(
        self,
        scene: Scene,
        index: NDArray[np.int64],
        grown: torch.Tensor,
        classes: tuple[int, ...],
        warm: ScribbleNet | None,
        generator: torch.Generator,
        run: Run,
    ) -> ScribbleNet:
        step = run.inner(0.05, 0.6, "fit")
        settings, network, count = self.preset.fit, self.preset.network, len(classes)
        if isinstance(settings, LearnedSettings):
            return fit_learned(
                scene,
                grown,
                count,
                settings,
                sigma=network.sigma,
                generator=generator,
                step=step,
            )
        return fit_descent(
            scene,
            index,
            count,
            settings,
            network,
            generator=generator,
            step=step,
            warm=warm,
            watch=self._glance(scene, classes, run) if run.wants_previews else None,
        )

    def _glance(
        self, scene: Scene, classes: tuple[int, ...], run: Run
    ) -> Callable[[ScribbleNet], None]:
        """Previews of a half fitted network, by draws of their own: no other draw may change."""

        def watch(net: ScribbleNet) -> None:
            belief = draw(
                net,
                scene.maps,
                draws=1,
                average=self.preset.average,
                absent=torch.zeros(len(classes), dtype=torch.bool, device=self.device),
                generator=torch.Generator(self.device).manual_seed(self.seed),
                step=lambda _: True,
                placing=self.preset.placing,
            )
            run.show(lambda: coarse_labels(belief.mean, classes, scene.size))

        return watch

    def _finish(
        self,
        scene: Scene,
        belief: Belief,
        marks: torch.Tensor,
        grown: torch.Tensor,
        index: NDArray[np.int64],
        classes: tuple[int, ...],
        generator: torch.Generator,
        run: Run,
    ) -> Segmentation:
        """Evidence, refinement, enlargement, strokes: from half size to the caller's pixels."""
        mean = belief.mean
        if self.preset.evidence:
            maps, present = gather_evidence(scene, belief, marks, grown, generator=generator)
            mean = weigh_evidence(scene, maps, present, len(classes), judges=self.preset.judges)
        doubt = (1 - mean.square().sum(0, keepdim=True)) * (len(mean) / max(1, len(mean) - 1))
        if self.preset.refine is not None:
            mean = mixed(sharpen(scene, mean, marks, self.preset.refine), mean)
            run.show(lambda: coarse_labels(mean, classes, scene.size))
            if self.preset.refine.fine_iterations:
                fine = torch.from_numpy(shrink_strokes(index, len(classes), scene.work))
                mean = sharpen_fine(scene, mean, fine.to(self.device), self.preset.refine)
        mean = tempered(mean, self.preset.temperature)
        probabilities, uncertainty = enlarge(
            scene, mean, doubt.clamp(0, 1), radius=self.preset.guided_radius
        )
        drawn = index >= 0
        probabilities[:, drawn] = np.eye(len(classes), dtype=np.float32)[:, index[drawn]]
        uncertainty[drawn] = 0
        labels = np.asarray(classes, np.int32)[probabilities.argmax(0)]
        return Segmentation(labels, probabilities, uncertainty, classes)


def segment(
    image: object,
    strokes: object,
    *,
    unlabeled: int = 255,
    preset: str | Preset = "fast",
    seed: int = 0,
    device: str = "auto",
    classes: Sequence[int] | None = None,
) -> Segmentation:
    """Segment one image from strokes.

    Args:
        image: (H, W, 3) uint8; also grey, RGBA, 16-bit, or float in [0, 1].
        strokes: (H, W) integers, the class value where somebody drew, ``unlabeled`` elsewhere.
        unlabeled: the value that means "nobody drew here".
        preset: ``"fast"``, ``"best"`` or ``"paper"`` (the GDC paper to the letter).
        seed: same seed, same mask, on one device.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ...
        classes: the class values there are; by default those that occur in the strokes.

    Raises:
        InputError: the image, the strokes or an option cannot be used.
    """
    segmenter = ScribbleSegmenter(preset, seed, device, unlabeled=unlabeled, classes=classes)
    return segmenter.fit(image, strokes).result
