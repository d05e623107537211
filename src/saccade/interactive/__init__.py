"""The per-image segmenter. Names are imported on first use, as most of them need PyTorch."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from saccade.interactive.presets import Preset, preset_named
    from saccade.interactive.result import Segmentation, Suggestion
    from saccade.interactive.segmenter import ScribbleSegmenter
    from saccade.interactive.segmenting import segment

__all__ = [
    "Preset",
    "ScribbleSegmenter",
    "Segmentation",
    "Suggestion",
    "preset_named",
    "segment",
]

_HOMES = {
    "Preset": "presets",
    "ScribbleSegmenter": "segmenter",
    "Segmentation": "result",
    "Suggestion": "result",
    "preset_named": "presets",
    "segment": "segmenting",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
