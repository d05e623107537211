"""A network of ``saccade train`` in use: masks of images, and strokes that correct them."""

from __future__ import annotations

import os
import time
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from saccade.devices import pick_device
from saccade.evaluation.inference import Protocol, predict_probabilities
from saccade.fitted.correcting import corrected
from saccade.fitted.items import Picture, read_drawn, read_picture
from saccade.images.components import fit_basis
from saccade.images.network_input import NetworkReading, as_colors
from saccade.interactive.inputs import UNLABELED
from saccade.interactive.prepared import PreparedImage, prepare_image
from saccade.interactive.presets import preset_named
from saccade.interactive.refinement import gini_uncertainty
from saccade.interactive.result import Segmentation
from saccade.interactive.run import Progress, Run
from saccade.models.checkpoint import Checkpoint, load_checkpoint
from saccade.models.weights import shared_bundle

WINDOW = 1024
"""Side of the windows in which larger images are seen, after the checkpoint's change of size."""
_WHOLE_PIXELS = 2_000_000

CORRECTING = preset_named("fast")
"""How strokes are fitted that correct a mask."""


class TrainedModel:
    """A network that was trained on masks, as a model of images of a kind.

    `saccade.load` reads one from a checkpoint of ``saccade train``.

    Attributes:
        classes: the K class values, 0 to K - 1.
        names: class value to name.
        seed: of the fits to strokes.
        device: of the network.
        reading: how images are read: which channels, what is black and white.
        protocol: how the network is asked; without a window, images of more than two megapixels
            are seen in windows of `WINDOW`.

    >>> import tempfile, saccade
    >>> from saccade.data.specs import LabelSpec
    >>> from saccade.models.checkpoint import save_checkpoint
    >>> from saccade.models.segmentation import SegmentationConfig, SegmentationNet
    >>> net = SegmentationNet(SegmentationConfig(2, pyramid="none", width=8))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = f"{folder}/last.safetensors"
    ...     save_checkpoint(path, net.config, net.state_dict(), LabelSpec(("ground", "cell")), {})
    ...     model = saccade.load(path)
    >>> model.names, model.predict(np.zeros((64, 96, 3), np.uint8)).labels.shape
    ({0: 'ground', 1: 'cell'}, (64, 96))
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        seed: int = 0,
        device: str = "auto",
        protocol: Protocol | None = None,
    ) -> None:
        self.device = pick_device(device)
        self.seed = seed
        self._checkpoint = replace(checkpoint, net=checkpoint.net.to(self.device))
        self.names = dict(enumerate(checkpoint.spec.names))
        self.classes = tuple(self.names)
        self.reading = checkpoint.reading
        self.protocol = protocol or Protocol(resize=checkpoint.resize)
        self._last: tuple[str, Segmentation | None] = ("", None)

    def read(self, image: object, *, window: tuple[float, float] | None = None) -> Picture:
        """An image, read as those that the network was trained on.

        Args:
            image: an array or a path, see `predict`.
            window: see `predict`.

        Raises:
            InputError: it cannot be read, or has other channels.
        """
        picture = read_picture(image, 1, self.reading, window=window)
        if self._sees_colors or picture.channels is not None:
            return picture
        seen = picture.pixels
        components = fit_basis([seen]).components(seen)
        return replace(picture, pixels=as_colors(seen), components=components, channels=seen)

    def predict(
        self,
        image: object,
        strokes: object = None,
        *,
        unlabeled: int = UNLABELED,
        window: tuple[float, float] | None = None,
        progress: Progress | None = None,
    ) -> Segmentation:
        """Mask of an image.

        Args:
            image: (H, W, 3) uint8 and what else `saccade.images.read_any` takes, a path, or what
                `read` gave.
            strokes: (H, W) integers, `Strokes` or a path: they correct the mask of the network
                where they contradict it, and change nothing elsewhere. None without any.
            unlabeled: value in ``strokes`` where nobody drew.
            window: values of this image that become black and white; None: as in the training.
            progress: told the fraction done and the stage's name.

        Raises:
            InputError: the image or the strokes cannot be used.
        """
        picture, run = self.read(image, window=window), Run(progress)
        drawn = read_drawn(strokes, picture, unlabeled)
        run.report(0.0, "network")
        found = self.segment(picture)
        remarks = picture.remarks
        if drawn is not None:
            found = self.correct(found, self.prepare(picture), drawn.index(self.classes), run)
            remarks += drawn.remarks
        run.report(1.0, "done")
        return replace(found, remarks=(*remarks, *found.remarks))

    @property
    def _sees_colors(self) -> bool:
        return not isinstance(self.reading, NetworkReading) or self.reading.colors

    @property
    def as_shown(self) -> bool:
        """Whether images are read as pictures, as people see them."""
        how = self.reading
        return self._sees_colors and how.channels is None and how.window is None

    def prepare(self, picture: Picture) -> PreparedImage:
        """What a correction by strokes needs of an image."""
        bundle = shared_bundle(CORRECTING.weights, CORRECTING.ensemble, self.device)
        return prepare_image(
            picture.pixels,
            max_pixels=CORRECTING.max_pixels,
            seed=self.seed,
            device=self.device,
            bundle=bundle,
            components=picture.components,
        )

    def correct(
        self, found: Segmentation, image: PreparedImage, index: NDArray[np.int64], run: Run
    ) -> Segmentation:
        """The network's mask with strokes, (H, W) class index, K where nobody drew."""
        return corrected(found, image, index, CORRECTING, seed=self.seed, run=run)

    def segment(self, picture: Picture) -> Segmentation:
        """The network's mask of an image that was read; the last one is kept."""
        digest, found = self._last
        if digest != picture.digest:
            found = self._segment(picture)
            self._last = picture.digest, found
        assert found is not None
        return found

    def _segment(self, picture: Picture) -> Segmentation:
        started = time.perf_counter()
        seen = picture.pixels if picture.channels is None else picture.channels
        protocol = self.protocol
        side = protocol.resize
        shrunk = min(1.0, side / min(picture.size)) if side else 1.0
        whole = picture.pixels.shape[0] * picture.pixels.shape[1] * shrunk**2 <= _WHOLE_PIXELS
        if not whole and not protocol.window:
            protocol = replace(protocol, window=WINDOW)
        with torch.inference_mode():
            found = self.probabilities(seen, protocol)
            uncertainty = gini_uncertainty(found)[0]
        seconds, side = time.perf_counter() - started, protocol.window
        return Segmentation(
            found.argmax(0).cpu().numpy().astype(np.int32),
            found.cpu().numpy(),
            uncertainty.cpu().numpy(),
            self.classes,
            {"network": seconds, "total": seconds},
            () if whole else (f"it was seen in windows of {side} x {side} pixels",),
        )

    def probabilities(self, pixels: NDArray[np.uint8], protocol: Protocol) -> Tensor:
        """What the network says of pixels (H, W, C), as `reading` gives them: (K, H, W)."""
        return predict_probabilities(self._checkpoint.net, pixels, protocol, self.device)


def load_trained(
    path: str | os.PathLike[str],
    *,
    seed: int = 0,
    device: str = "auto",
    protocol: Protocol | None = None,
) -> TrainedModel:
    """Read a checkpoint of ``saccade train``; for its arguments see `TrainedModel`.

    Raises:
        InputError: the file is missing, damaged, or no checkpoint.
    """
    return TrainedModel(load_checkpoint(path), seed=seed, device=device, protocol=protocol)
