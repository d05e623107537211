"""Images that are never in memory as a whole. Names are imported on first use."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from saccade.slides.journal import Journal
    from saccade.slides.measuring import measure_slide, summarize_slide
    from saccade.slides.objects import SlideObjects, find_slide_objects
    from saccade.slides.result import SlideSegmentation
    from saccade.slides.segmenting import segment_slide

__all__ = [
    "LARGE_PIXELS",
    "Journal",
    "SlideObjects",
    "SlideSegmentation",
    "find_slide_objects",
    "measure_slide",
    "segment_slide",
    "summarize_slide",
]

LARGE_PIXELS = 64_000_000
"""Files of larger images are segmented part by part."""

_HOMES = {
    "Journal": "journal",
    "SlideObjects": "objects",
    "SlideSegmentation": "result",
    "find_slide_objects": "objects",
    "measure_slide": "measuring",
    "segment_slide": "segmenting",
    "summarize_slide": "measuring",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
