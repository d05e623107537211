"""Whether PyTorch is writing down a network for another program."""

from collections.abc import Callable

import torch

# PyTorch 2.6 does not tell exporting from compiling. What an export needs (any size, no kernel of
# our own) is right when compiling as well, only slower.
_ask: Callable[[], bool] = getattr(torch.compiler, "is_exporting", torch.compiler.is_compiling)


def is_exporting() -> bool:
    """Whether `torch.export` or the ONNX exporter traces the calls made now.

    Example:
        >>> is_exporting()
        False
    """
    return _ask()
