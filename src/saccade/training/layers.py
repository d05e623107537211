"""Layers of a backbone in the order in which an image passes them, for rates that fall with depth.

Each block is a layer, as in timm's `param_groups_layer_decay`; all before the first block are one.
"""

from collections.abc import Iterable
from itertools import takewhile

from torch import Tensor


def layer_of(parameters: Iterable[tuple[str, Tensor]]) -> dict[str, int]:
    """The number of the layer of each parameter, from 0.

    Names tell blocks: "layer1.0.conv2.weight" is of "layer1.0". What has a single kernel (a layer
    of the stem, or one that makes maps smaller between stages) goes with the block after it.

    Args:
        parameters: of a backbone, in order, with their names.

    Example:
        >>> one = torch.zeros(4, 4)
        >>> names = ["conv1.weight", "layer1.0.a.weight", "layer1.0.b.weight", "layer2.0.a.weight"]
        >>> layer_of([(name, one) for name in [*names, "layer2.0.b.weight"]])
        {'conv1.weight': 0, 'layer1.0.a.weight': 1, 'layer1.0.b.weight': 1, \
'layer2.0.a.weight': 2, 'layer2.0.b.weight': 2}
    """
    blocks: dict[str, list[str]] = {}
    kernels: dict[str, int] = {}
    for name, value in parameters:
        block = _block(name)
        blocks.setdefault(block, []).append(name)
        kernels[block] = kernels.get(block, 0) + (value.ndim > 1)
    stem = list(takewhile(lambda block: kernels[block] < 2, blocks))
    if len(stem) == len(blocks):  # no blocks at all, as VGG
        return {name: i for i, names in enumerate(blocks.values()) for name in names}
    layers: list[list[str]] = [[name for block in stem for name in blocks[block]]]
    waiting: list[str] = []
    for block in list(blocks)[len(stem) :]:
        waiting += blocks[block]
        if kernels[block] >= 2:
            layers.append(waiting)
            waiting = []
    layers[-1] += waiting
    return {name: i for i, names in enumerate(filter(None, layers)) for name in names}


def _block(name: str) -> str:
    """A name up to its first numbers in a row; without a number all but the last part."""
    parts = name.split(".")
    first = next((i for i, part in enumerate(parts) if part.isdecimal()), None)
    if first is None:
        return ".".join(parts[:-1])
    last = first + len(list(takewhile(str.isdecimal, parts[first:])))
    return ".".join(parts[:last])
