"""Saccade segments images from a few strokes.

    result = saccade.segment(image, strokes)  # (H, W, 3) uint8 and (H, W) int, 255 = unlabelled
    result.labels, result.probabilities, result.uncertainty

    model = saccade.fit(images, strokes)  # strokes None where nobody drew
    model.predict(image).labels

PyTorch is imported when one of the names below is first used, not by ``import saccade``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from saccade.errors import InputError

if TYPE_CHECKING:
    from saccade.fitted import Model, fit, load
    from saccade.interactive import ScribbleSegmenter, Segmentation, segment
    from saccade.stacks import StackSegmentation, segment_stack

__version__ = "0.2.0"

__all__ = [
    "InputError",
    "Model",
    "ScribbleSegmenter",
    "Segmentation",
    "StackSegmentation",
    "__version__",
    "fit",
    "load",
    "segment",
    "segment_stack",
]

_LAZY = {
    "Model": "saccade.fitted",
    "ScribbleSegmenter": "saccade.interactive",
    "Segmentation": "saccade.interactive",
    "StackSegmentation": "saccade.stacks",
    "fit": "saccade.fitted",
    "load": "saccade.fitted",
    "segment": "saccade.interactive",
    "segment_stack": "saccade.stacks",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, imported or not."""
    return sorted({*globals(), *__all__})
