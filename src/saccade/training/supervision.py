"""Which labels train a network: full masks, pseudo masks, strokes, image labels, or several."""

from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor
from torch.nn import functional

from saccade.errors import InputError
from saccade.models.largefov import STRIDE
from saccade.training.losses import labeled_pixels
from saccade.training.segmentation_losses import LossConfig, segmentation_loss
from saccade.training.weak_losses import gated_crf_loss, weak_loss

_CROSS_ENTROPY = LossConfig()


@dataclass(frozen=True)
class SupervisionConfig:
    """What stands in for full masks in the training split.

    Attributes:
        masks: a folder of label images, NAME.png or .tif: pseudo masks, or strokes (partial cross
            entropy). Their values are class indices, 255 is no label. "" trains on the data set's
            own masks.
        strong: so many images keep the data set's own masks (semi-supervised).
        strong_seed: decides which.
        strong_list: a file with a name a line: these images do, or `strong` of them.
        leave_out: train without the images that have no file in `masks`, and no line in `labels`;
            else they are an error.
        online: factor of the loss against the online mask of weak images, 1 in the MDC paper
            (equation 1); 0 leaves it out.
        labels: image labels for the online mask, a CSV file; "" takes the classes of the mask. An
            image with a line and no mask learns from it alone; where there are such images, those
            with a mask need no line.
        crf: factor of the gated CRF loss on weak images; 0 leaves it out.
        crf_radius: of its window, pixels of the map it works on.
        crf_xy: standard deviation of its kernel in position, pixels of that map.
        crf_rgb: standard deviation of its kernel in color, in [0, 1].
        crf_stride: pixels of the image per pixel of that map.
    """

    masks: str = ""
    strong: int = 0
    strong_seed: int = 0
    strong_list: str = ""
    leave_out: bool = False
    online: float = 0.0
    labels: str = ""
    crf: float = 0.0
    crf_radius: int = 5
    crf_xy: float = 6.0
    crf_rgb: float = 0.1
    crf_stride: int = 4

    def __post_init__(self) -> None:
        """Raises InputError for values out of range."""
        if self.online < 0 or self.crf < 0:
            raise InputError("supervision: online and crf must be at least 0")
        if min(self.crf_radius, self.crf_stride) < 1 or min(self.crf_xy, self.crf_rgb) <= 0:
            raise InputError(
                "supervision: crf_radius and crf_stride must be at least 1, crf_xy and crf_rgb "
                "above 0"
            )
        if self.strong < 0:
            raise InputError(f"supervision: strong is {self.strong}, must be at least 0")
        if not self.masks and (self.strong or self.strong_list or self.online or self.crf):
            raise InputError(
                "supervision: masks is empty, so all images have full masks; strong, online and "
                "crf are for images that have none"
            )


class Batch(NamedTuple):
    """What one step trains on.

    Attributes:
        images: (B, 3, H, W) uint8.
        labels: (B, H, W) uint8, 255 where there is no label.
        inside: (B, H, W) bool, False on padding.
        allowed: (B, K) bool, the classes of a weak image; nothing for one with a full mask.
    """

    images: Tensor
    labels: Tensor
    inside: Tensor
    allowed: Tensor


class Counts(NamedTuple):
    """What losses that are means over pixels divide by.

    Attributes:
        pixels: labelled pixels, each with the factor of its class.
        coarse: of every eighth pixel, which "largefov" reads.
        crf: pixels of the gated CRF loss.
    """

    pixels: float
    coarse: float
    crf: float


def count_pixels(batch: Batch, config: SupervisionConfig, weight: Tensor | None) -> Counts:
    """The counts of one part of a batch.

    A batch in N parts has the gradient of the whole where each part divides by the mean of these
    over the parts, and the results are averaged: then pixels weigh the same in whatever part.
    """
    crf = float(_gate(batch, config).sum()) if config.crf else 0.0
    coarse = labeled_pixels(batch.labels[:, ::STRIDE, ::STRIDE], weight)
    return Counts(labeled_pixels(batch.labels, weight), coarse, crf)


def supervise(
    scores: Tensor,
    batch: Batch,
    images: Tensor,
    config: SupervisionConfig,
    weight: Tensor | None,
    counts: Counts | None = None,
    losses: LossConfig = _CROSS_ENTROPY,
) -> Tensor:
    """The loss of a batch, or of a part of one.

    Args:
        scores: (B, K, h, w) logits, of the images' size or those of "largefov" at stride 8; every
            eighth label is then read, as in DeepLab v1.
        batch: labels and what is known of them.
        images: (B, 3, H, W) in [0, 1].
        config: which losses.
        weight: (K,) factors of the classes, or None.
        counts: for a part of a batch, the mean of `count_pixels` over the parts; else None.
        losses: those over labelled pixels; cross entropy alone with `config.online`.
    """
    stride = 1 if scores.shape[2:] == batch.labels.shape[1:] else STRIDE
    labels, inside = (t[:, ::stride, ::stride] for t in (batch.labels, batch.inside))
    if config.online:
        loss = weak_loss(scores, labels, batch.allowed, inside, online=config.online, weight=weight)
    else:
        count = counts and (counts.pixels if stride == 1 else counts.coarse)
        loss = segmentation_loss(scores, labels, losses, weight, count)
    if config.crf:
        loss = loss + config.crf * _crf(scores, batch, images, config, counts and counts.crf)
    return loss


def _map_size(batch: Batch, config: SupervisionConfig) -> tuple[int, int]:
    height, width = batch.inside.shape[1:]
    return -(-height // config.crf_stride), -(-width // config.crf_stride)


def _gate(batch: Batch, config: SupervisionConfig) -> Tensor:
    """(B, h, w) bool, the pixels of weak images that are no padding."""
    size = _map_size(batch, config)
    gate = functional.interpolate(batch.inside[:, None].float(), size, mode="area")[:, 0] > 0.5
    return gate & batch.allowed.any(1)[:, None, None]


def _crf(
    scores: Tensor, batch: Batch, images: Tensor, config: SupervisionConfig, count: float | None
) -> Tensor:
    size = _map_size(batch, config)
    small = functional.interpolate(images, size, mode="area")
    probabilities = functional.interpolate(scores.float().softmax(1), size, mode="area")
    return gated_crf_loss(
        probabilities,
        small,
        _gate(batch, config),
        radius=config.crf_radius,
        xy=config.crf_xy,
        rgb=config.crf_rgb,
        count=count,
    )
