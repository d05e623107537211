"""Losses where masks are missing: online masks (MDC paper, equations 1 and 2), a gated CRF."""

import torch
from torch import Tensor
from torch.nn import functional

from saccade.data.specs import IGNORE
from saccade.errors import InputError


def online_mask(scores: Tensor, allowed: Tensor, inside: Tensor) -> Tensor:
    """What the network itself says, restricted to the classes that an image has.

    Args:
        scores: (B, K, H, W) logits.
        allowed: (B, K) bool, the labels of each image and the background; an image without any
            (one with a full mask) gets no online mask.
        inside: (B, H, W) bool, False on padding.

    Returns:
        (B, H, W) int64 classes, 255 on padding and in images without allowed classes; no
        gradient flows.
    """
    lowest = torch.finfo(scores.dtype).min
    chosen = scores.detach().masked_fill(~allowed[:, :, None, None], lowest).argmax(1)
    return chosen.masked_fill(~(inside & allowed.any(1)[:, None, None]), IGNORE)


def mean_per_image(scores: Tensor, labels: Tensor, weight: Tensor | None = None) -> Tensor:
    """Cross entropy, averaged over the labelled pixels of each image: (B,); 0 where none is.

    Args:
        scores: (B, K, H, W) logits.
        labels: (B, H, W) classes, 255 where there is none.
        weight: (K,) factors of the classes, or None.
    """
    labels = labels.long()
    losses = functional.cross_entropy(scores, labels, weight, ignore_index=IGNORE, reduction="none")
    known = labels != IGNORE
    share = known.to(losses.dtype) if weight is None else weight[labels * known] * known
    # An image with nothing labelled would divide 0 by 0.
    return losses.sum((1, 2)) / share.sum((1, 2)).clamp(min=torch.finfo(losses.dtype).tiny)


def weak_loss(
    scores: Tensor,
    labels: Tensor,
    allowed: Tensor,
    inside: Tensor,
    *,
    online: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """Weakly and semi-supervised loss (MDC paper, equations 1 and 2), the mean over the images.

    An image's loss is the mean cross entropy over its labelled pixels, plus for weak images that
    over the online mask. The paper sums over images; the mean differs by a factor that belongs to
    the learning rate. Its equation prints both masks with a hat; the first is the pseudo mask.

    Args:
        scores: (B, K, H, W) logits.
        labels: (B, H, W) pseudo masks of weak and full masks of strong images, 255 for no class.
        allowed: (B, K) bool, classes of each weak image; nothing for a strong one.
        inside: (B, H, W) bool, False on padding.
        online: factor of the second part; the paper has 1.
        weight: (K,) factors of the classes in the first part, or None.
    """
    loss = mean_per_image(scores, labels, weight)
    if online:
        loss = loss + online * mean_per_image(scores, online_mask(scores, allowed, inside))
    return loss.mean()


def gated_crf_loss(
    probabilities: Tensor,
    images: Tensor,
    inside: Tensor,
    *,
    radius: int = 5,
    xy: float = 6.0,
    rgb: float = 0.1,
    count: float | None = None,
) -> Tensor:
    """Gated CRF loss with one kernel in position and color.

    Obukhov et al., "Gated CRF Loss for Weakly Supervised Semantic Image Segmentation", 2019: over
    pairs of near and alike pixels, the probability that their classes differ, divided by the
    number of pixels. Padding sends and receives nothing; these are the gates.

    Args:
        probabilities: (B, K, H, W), sum to 1 over K.
        images: (B, 3, H, W) in [0, 1], of the same size.
        inside: (B, H, W) bool, False on padding.
        radius: of the square window of neighbours, pixels.
        xy: standard deviation of the kernel in position, pixels.
        rgb: standard deviation of the kernel in color, in [0, 1].
        count: what the sum is divided by, in place of the number of pixels inside.

    Raises:
        InputError: sizes that do not fit, or a radius below 1.
    """
    if images.shape[2:] != probabilities.shape[2:] or inside.shape[1:] != images.shape[2:]:
        raise InputError(
            f"probabilities are {tuple(probabilities.shape)}, images {tuple(images.shape)}, inside "
            f"{tuple(inside.shape)}: height and width must be the same"
        )
    if radius < 1:
        raise InputError(f"radius is {radius}, must be at least 1")
    height, width = images.shape[2:]
    total = probabilities.new_zeros(())
    # Half of the window: a pair seen from either side is the same pair, counted twice below.
    for dy in range(radius + 1):
        for dx in range(-radius, radius + 1):
            if (dy == 0 and dx <= 0) or dy >= height or abs(dx) >= width:
                continue
            here = (slice(0, height - dy), slice(max(0, -dx), width - max(0, dx)))
            there = (slice(dy, height), slice(max(0, dx), width + min(0, dx)))
            one, two = ((slice(None), slice(None), *place) for place in (here, there))
            apart = (dy * dy + dx * dx) / xy**2
            unlike = (images[one] - images[two]).square().sum(1) / rgb**2
            kernel = torch.exp(-0.5 * (apart + unlike))
            kernel = kernel * inside[one[0], *here] * inside[two[0], *there]
            agree = (probabilities[one] * probabilities[two]).sum(1)
            total = total + 2 * (kernel * (1 - agree)).sum()
    return total / (inside.sum().clamp(min=1) if count is None else max(count, 1.0))
