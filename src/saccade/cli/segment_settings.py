"""How ``saccade segment`` segments: by a fit to each image's strokes, by a model or a network."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saccade.batch import Report
from saccade.cli.outputs import Wanted
from saccade.files import digest_of

if TYPE_CHECKING:
    from saccade.evaluation.inference import Protocol
    from saccade.fitted.items import Picture
    from saccade.fitted.model import Model
    from saccade.fitted.trained import TrainedModel
    from saccade.images import ReadImage
    from saccade.interactive import Segmentation
    from saccade.scribbles.strokes import Strokes

    Segment = Callable[[Any, Strokes | None, Report], tuple[Segmentation, dict[int, str]]]


@dataclass(frozen=True)
class Settings:
    """How to segment: the arguments of `saccade.ScribbleSegmenter`, and how to read strokes.

    With ``model``, a file of `saccade.fit`, its preset and seed count, and images may have no
    strokes. It may be a trained network, which is asked as ``protocol`` says.
    """

    preset: str = "fast"
    seed: int = 0
    device: str = "auto"
    unlabeled: int | None = None
    window: tuple[float, float] | None = None
    model: Path | None = None
    channels: tuple[str, ...] | None = None
    protocol: "Protocol | None" = None


def made_by(settings: Settings, wanted: Wanted) -> dict[str, object]:
    """What decides on a mask besides the image and its strokes."""
    made: dict[str, object] = {"unlabeled": settings.unlabeled, "classes": wanted.names}
    if settings.window is not None:
        made["window"] = list(settings.window)
    if settings.model is not None:
        asked = {} if settings.protocol is None else {"protocol": str(settings.protocol)}
        return {"model": digest_of(settings.model), **asked, **made}
    if settings.channels is not None:
        made["channels"] = list(settings.channels)
    return {"preset": settings.preset, "seed": settings.seed, **made}


def read_and_segment(
    settings: Settings,
) -> "tuple[Callable[[Path], ReadImage | Picture], Segment]":
    """What reads an image, and what gives its mask: a fit to its strokes, or a model."""
    if settings.model is not None:
        model = model_of(settings)
        return partial(model.read, window=settings.window), lambda image, strokes, report: (
            model.predict(image, strokes, progress=report),
            model.names,
        )
    from saccade.images import read_any_file
    from saccade.interactive import ScribbleSegmenter  # brings PyTorch, so only when needed

    ScribbleSegmenter(settings.preset, settings.seed, settings.device)

    def fitted(
        image: "ReadImage", strokes: "Strokes | None", report: Report
    ) -> "tuple[Segmentation, dict[int, str]]":
        segmenter = ScribbleSegmenter(settings.preset, settings.seed, settings.device)
        return segmenter.fit(image, strokes, progress=report).result, {}

    read = partial(read_any_file, channels=settings.channels, window=settings.window)
    return read, fitted


def model_of(settings: Settings) -> "Model | TrainedModel":
    """The model, or the trained network, of the settings; the last one is kept."""
    assert settings.model is not None
    return _loaded(settings, digest_of(settings.model))


@lru_cache(maxsize=1)
def _loaded(settings: Settings, digest: str) -> "Model | TrainedModel":
    from saccade.fitted.file import load
    from saccade.fitted.trained import load_trained

    assert settings.model is not None
    if settings.protocol is None:
        return load(settings.model, device=settings.device)
    return load_trained(settings.model, device=settings.device, protocol=settings.protocol)
