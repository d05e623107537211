"""How strokes on an image become a pseudo mask."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from saccade.data.specs import IGNORE, LabelSpec
from saccade.errors import InputError
from saccade.images import ReadImage
from saccade.scribbles.strokes import Strokes

if TYPE_CHECKING:
    from saccade.fitted import Model, TrainedModel
    from saccade.fitted.items import Picture


@dataclass(frozen=True)
class StrokeLabeling:
    """How strokes become pseudo masks.

    Attributes:
        preset: of the segmenter, by name.
        seed: of the segmenter.
        device: of the segmenter.
        confidence: pixels whose class is less probable than this become 255; 0 keeps all. On
            CamVid .9 leaves out 7 % of the pixels and .95 17 % (docs/how-to/weak-labels.md).
        unlabeled: value in stroke files that means "nobody drew"; None goes by the readers' rule.
        window: values of the images that become black and white; None: what each file says.
        channels: of the images, see `saccade.images.choose_channels`; None: all.
        model: file of a model fitted to strokes on several images, which gives the masks, with the
            strokes of each; None: a fit for each image.
    """

    preset: str = "fast"
    seed: int = 0
    device: str = "auto"
    confidence: float = 0.9
    unlabeled: int | None = None
    window: tuple[float, float] | None = None
    channels: tuple[str, ...] | None = None
    model: Path | None = None

    def __post_init__(self) -> None:
        """Raises InputError for a confidence out of range."""
        if not 0 <= self.confidence < 1:
            raise InputError(f"confidence is {self.confidence}, must be in [0, 1)")


def pseudo_mask(
    image: "NDArray[np.uint8] | ReadImage | Picture",
    strokes: NDArray[np.integer],
    settings: StrokeLabeling,
    model: "Model | TrainedModel | None" = None,
) -> tuple[NDArray[np.uint8], NDArray[np.float32], tuple[str, ...]]:
    """Segment an image from strokes and leave out what is unsure.

    Args:
        image: (H, W, 3) uint8, or as it was read, by the model if there is one.
        strokes: (H, W) class indices, 255 where nobody drew.
        settings: how; `unlabeled` is not looked at.
        model: that of the settings, if there is one.

    Returns:
        (H, W) uint8 classes with 255 where the class is less probable than the confidence asked
        for (pixels of strokes keep theirs), (H, W) float32 probabilities of the chosen class, and
        what was assumed, such as a class that nobody drew.

    Raises:
        InputError: an image or strokes that cannot be used.
    """
    from saccade.interactive import ScribbleSegmenter

    if model is not None:
        result = model.predict(image, Strokes(strokes.astype(np.int32), IGNORE))
    else:
        segmenter = ScribbleSegmenter(settings.preset, settings.seed, settings.device)
        result = segmenter.fit(image, strokes).result
    chosen: NDArray[np.float32] = result.probabilities.max(0)
    mask = result.labels.astype(np.uint8)
    mask[(chosen < settings.confidence) & (strokes == IGNORE)] = IGNORE
    return mask, chosen, result.remarks


def load_model(path: Path, spec: LabelSpec, device: str) -> "Model | TrainedModel":
    """A model whose classes are among those of the masks.

    Raises:
        InputError: it cannot be read, or has a class that is none of these.
    """
    from saccade.fitted import load

    model = load(path, device=device)
    if model.classes[-1] >= len(spec.names):
        raise InputError(
            f"{path}: has class {model.classes[-1]}, the classes are 0 to {len(spec.names) - 1}; "
            "give those that it was fitted with (--classes)"
        )
    return model
