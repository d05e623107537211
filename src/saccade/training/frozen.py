"""Training on top of a backbone that stays as it is: its maps are computed once for each picture.

With crops that show the whole image and no change of scale a picture comes back in each epoch, as
it is or mirrored, and only the layers on top have to be computed.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

MEMORY = 2 << 30
"""Bytes of maps that are remembered; further pictures are computed each time."""


class MapMemory:
    """Maps of pictures, by backbone and picture; runs with the same backbone may share one.

    Args:
        limit: of its size in bytes.

    Example:
        >>> memory = MapMemory(limit=1 << 20)
        >>> memory.size
        0
    """

    def __init__(self, limit: int = MEMORY) -> None:
        self.limit = limit
        self.size = 0
        self._maps: dict[bytes, Any] = {}

    def get(self, key: bytes) -> Any:
        """The maps of a picture; None where they are not remembered."""
        return self._maps.get(key)

    def add(self, key: bytes, maps: Any) -> None:
        """Remember the maps of a picture, a tensor or a dict of tensors, if there is room."""
        tensors = maps.values() if isinstance(maps, Mapping) else (maps,)
        size = sum(t.numel() * t.element_size() for t in tensors)
        if key not in self._maps and self.size + size <= self.limit:
            self._maps[key] = maps
            self.size += size


def freeze(net: nn.Module, memory: MapMemory) -> None:
    """Keep the backbone of a network as it is, in place, and remember its maps.

    Neither its weights nor the statistics of its normalization change any more. Pictures are
    computed one by one, so that the maps do not depend on what else is in a batch.

    Args:
        net: with a `backbone` that takes (B, 3, H, W) and returns a tensor or a dict of tensors.
        memory: where the maps are kept.
    """
    backbone: Any = net.backbone
    backbone.requires_grad_(False)
    compute = backbone.forward
    digest = _digest(backbone)

    @torch.no_grad()
    def forward(x: Tensor) -> Any:
        backbone.eval()  # whatever mode the network is in
        found = []
        for picture in x:
            values = picture.detach().float().cpu().contiguous()
            key = hashlib.blake2b(values.numpy().tobytes(), key=digest).digest()
            key += repr(tuple(values.shape)).encode()
            maps = memory.get(key)
            if maps is None:
                maps = compute(picture[None].contiguous(memory_format=torch.channels_last))
                memory.add(key, maps)
            found.append(maps)
        if isinstance(found[0], Mapping):
            return {stage: torch.cat([maps[stage] for maps in found]) for stage in found[0]}
        return torch.cat(found)

    backbone.forward = forward


def _digest(backbone: nn.Module) -> bytes:
    """Of the weights, and of strides and dilations, which the weights do not tell."""
    found = hashlib.blake2b(digest_size=32)
    for value in backbone.state_dict().values():
        found.update(value.detach().cpu().contiguous().numpy().tobytes())
    found.update(str(backbone).encode())
    return found.digest()
