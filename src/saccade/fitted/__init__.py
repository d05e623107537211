"""A model fitted to the strokes of several images of a kind, which is kept.

`fit` makes a `Model`, `load` reads one from its file, or a `TrainedModel`, a network that was
trained on masks. `predict_stack` and `predict_slide` ask one of them about what is seen part by
part. Names are imported on first use, as they need PyTorch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from saccade.fitted.file import load
    from saccade.fitted.fitting import fit
    from saccade.fitted.model import Model
    from saccade.fitted.slide import predict_slide
    from saccade.fitted.stack import predict_stack
    from saccade.fitted.suggesting import ImageSuggestion
    from saccade.fitted.trained import TrainedModel

__all__ = [
    "ImageSuggestion",
    "Model",
    "TrainedModel",
    "fit",
    "load",
    "predict_slide",
    "predict_stack",
]

_HOMES = {
    "ImageSuggestion": "suggesting",
    "Model": "model",
    "TrainedModel": "trained",
    "fit": "fitting",
    "load": "file",
    "predict_slide": "slide",
    "predict_stack": "stack",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
