"""Images that are never in memory as a whole. Names are imported on first use."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from saccade.slides.journal import Journal
    from saccade.slides.result import SlideSegmentation
    from saccade.slides.segmenting import segment_slide

__all__ = ["LARGE_PIXELS", "Journal", "SlideSegmentation", "segment_slide"]

LARGE_PIXELS = 64_000_000
"""Files of larger images are segmented part by part."""

_HOMES = {"Journal": "journal", "SlideSegmentation": "result", "segment_slide": "segmenting"}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
