"""Probabilities of a trained network for images of any size: whole or in windows, scaled, flipped.

The network is any function from (1, C, H, W) images in [0, 1] to (1, K, H, W) logits.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from saccade.errors import InputError

Network = Callable[[Tensor], Tensor]

MAX_SCALE = 16

MAX_SCALED = 1 << 26
"""Pixels that an image may be enlarged to; a network needs some kilobytes for each."""

PAPER_SCALES = (0.75, 1.0, 1.25, 1.5, 1.75, 2.0)
"""The scales of the DSNet paper's table 2."""


@dataclass(frozen=True)
class Protocol:
    """How a network is asked; printed with every number.

    Attributes:
        scales: factors on the image's size, 1/16 to 16; probabilities are averaged over them.
        flip: also ask for the mirrored image.
        window: side in pixels of square windows that cover the image; 0 asks for all of it.
        overlap: share of a window that its neighbour covers too.
        resize: shorter side that the image is brought to before `scales`; 0 leaves it.
    """

    scales: tuple[float, ...] = (1.0,)
    flip: bool = False
    window: int = 0
    overlap: float = 1 / 3
    resize: int = 0

    def __post_init__(self) -> None:
        """Raises InputError for values out of range."""
        if not self.scales or not all(0 < scale < math.inf for scale in self.scales):
            raise InputError(f"scales are {self.scales!r}, must be numbers above 0")
        if min(self.scales) < 1 / MAX_SCALE or max(self.scales) > MAX_SCALE:
            raise InputError(
                f"scales are {self.scales!r}, must be from {1 / MAX_SCALE} to {MAX_SCALE}"
            )
        if self.window < 0 or self.resize < 0:
            raise InputError("window and resize must be >= 0")
        if not 0 <= self.overlap < 1:
            raise InputError(f"overlap is {self.overlap}, must be in [0, 1)")

    def __str__(self) -> str:
        """In words."""
        parts = ["scales " + " ".join(f"{s:g}" for s in self.scales)]
        parts.append("flip" if self.flip else "no flip")
        parts.append(
            f"windows of {self.window}, overlap {self.overlap:.0%}"
            if self.window
            else "whole image"
        )
        if self.resize:
            parts.append(f"shorter side {self.resize}")
        return ", ".join(parts)


def as_batch(image: NDArray[np.uint8], device: torch.device | str = "cpu") -> Tensor:
    """(H, W, C) uint8 to (1, C, H, W) float32 in [0, 1]."""
    tensor = torch.from_numpy(np.ascontiguousarray(np.moveaxis(image, 2, 0)))
    return tensor.to(device).float().div_(255)[None]


@torch.no_grad()
def predict_probabilities(
    net: Network, image: NDArray[np.uint8], protocol: Protocol, device: torch.device | str = "cpu"
) -> Tensor:
    """Average of the softmax over scales and mirror images.

    Args:
        net: images in [0, 1] to logits of the same size.
        image: (H, W, C) uint8; RGB where C is 3.
        protocol: how to ask.
        device: of the network.

    Returns:
        (K, H, W) float32 on `device`.
    """
    batch = as_batch(image, device)
    full = (batch.shape[2], batch.shape[3])
    base = protocol.resize / min(full) if protocol.resize else 1.0
    total: Tensor | None = None
    for scale in protocol.scales:
        size = tuple(max(1, round(n * base * scale)) for n in full)
        if math.prod(size) > max(MAX_SCALED, math.prod(full)):
            raise InputError(
                f"scale {scale:g} would make {size[1]} x {size[0]} pixels (width x height) of the "
                f"image, expected at most {MAX_SCALED}; a smaller scale or resize would do"
            )
        scaled = batch
        if size != full:
            scaled = functional.interpolate(
                batch, size, mode="bilinear", align_corners=False, antialias=base * scale < 1
            )
        for mirrored in (False, True)[: 1 + protocol.flip]:
            view = scaled.flip(3) if mirrored else scaled
            part = _scores(net, view, protocol).softmax(1)
            part = part.flip(3) if mirrored else part
            if size != full:
                part = functional.interpolate(part, full, mode="bilinear", align_corners=False)
            total = part if total is None else total + part
    assert total is not None
    return total[0] / (len(protocol.scales) * (1 + protocol.flip))


def _scores(net: Network, image: Tensor, protocol: Protocol) -> Tensor:
    if not protocol.window:
        return net(image).float()
    return sliding_scores(net, image, protocol.window, protocol.overlap)


def sliding_scores(net: Network, image: Tensor, window: int, overlap: float) -> Tensor:
    """Mean of the logits of windows that cover the image.

    Windows have the same size everywhere: the last of a row ends at the edge. An image that is
    smaller than a window is asked for as it is.

    Args:
        net: images to logits.
        image: (1, C, H, W).
        window: side in pixels.
        overlap: share of the window.

    Returns:
        (1, K, H, W) logits.
    """
    height, width = image.shape[2:]
    total: Tensor | None = None
    count = image.new_zeros((1, 1, height, width))
    for rows in _spans(height, window, overlap):
        for columns in _spans(width, window, overlap):
            scores = net(image[:, :, rows, columns]).float()
            if total is None:
                total = scores.new_zeros((1, scores.shape[1], height, width))
            total[:, :, rows, columns] += scores
            count[:, :, rows, columns] += 1
    assert total is not None
    return total / count


def _spans(length: int, window: int, overlap: float) -> Iterator[slice]:
    stride = max(1, round(window * (1 - overlap)))
    start = 0
    while start + window < length:
        yield slice(start, start + window)
        start += stride
    yield slice(max(0, length - window), length)


def labels_of(probabilities: Tensor) -> NDArray[np.uint8]:
    """The most probable class, (K, H, W) to (H, W) uint8."""
    labels: NDArray[Any] = probabilities.argmax(0).to(torch.uint8).cpu().numpy()
    return labels
