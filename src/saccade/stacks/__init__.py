"""Stacks and times: strokes on some planes, masks of all. Names are imported on first use."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from saccade.stacks.result import StackSegmentation
    from saccade.stacks.segmenting import segment_stack

__all__ = ["StackSegmentation", "segment_stack"]

_HOMES = {"StackSegmentation": "result", "segment_stack": "segmenting"}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
