"""What `saccade train` minimizes: cross entropy, focal, OHEM, Dice, Lovász, or a weighted sum.

Cross entropy and focal loss are means over pixels and do not depend on the parts that a batch is
cut into (`accumulate`, processes). The others look at a part as a whole, so they do.
"""

from collections.abc import Callable
from dataclasses import astuple, dataclass, fields

import torch
from torch import Tensor
from torch.nn import functional

from saccade.data.specs import IGNORE
from saccade.errors import InputError
from saccade.training.losses import labeled_pixels, pixel_loss

_LOSSES = ("cross_entropy", "focal", "ohem", "dice", "lovasz")


@dataclass(frozen=True)
class LossConfig:
    """The weights of the losses in their sum, and their settings.

    Attributes:
        cross_entropy: weight of the mean over labelled pixels.
        focal: of cross entropy that leaves alone what is nearly right (Lin et al. 2017).
        ohem: of cross entropy over the hardest pixels only (Shrivastava et al. 2016).
        dice: of 1 - Dice, over the classes of a batch (Milletari et al. 2016).
        lovasz: of the Lovász-Softmax loss, over the classes of a batch (Berman et al. 2018).
        focal_gamma: exponent of the focal loss; 0 makes it cross entropy.
        ohem_sure: a pixel is hard where its class has a smaller probability than this.
        ohem_share: at least this share of the labelled pixels is taken, the hardest.

    Example:
        >>> LossConfig(dice=1.0).cross_entropy
        1.0
    """

    cross_entropy: float = 1.0
    focal: float = 0.0
    ohem: float = 0.0
    dice: float = 0.0
    lovasz: float = 0.0
    focal_gamma: float = 2.0
    ohem_sure: float = 0.7
    ohem_share: float = 0.0625

    def __post_init__(self) -> None:
        """Raises InputError for values out of range, or where nothing would be minimized."""
        for field, value in zip(fields(self), astuple(self), strict=True):
            if value < 0:
                raise InputError(f"loss: {field.name} is {value}, must not be below 0")
        if not any(getattr(self, name) for name in _LOSSES):
            raise InputError(f"loss: one of {', '.join(_LOSSES)} must be above 0")
        if not 0 < self.ohem_share <= 1 or not 0 < self.ohem_sure <= 1:
            raise InputError("loss: ohem_sure and ohem_share must be in (0, 1]")


_CROSS_ENTROPY = LossConfig()


def segmentation_loss(
    scores: Tensor,
    labels: Tensor,
    config: LossConfig = _CROSS_ENTROPY,
    weight: Tensor | None = None,
    count: float | None = None,
) -> Tensor:
    """The weighted sum of losses; each is 0 where no pixel has a class.

    Args:
        scores: (B, K, H, W) logits.
        labels: (B, H, W) classes, 255 where there is none.
        config: which losses.
        weight: (K,) factors of the classes, or None.
        count: what means over pixels divide by, in place of `labeled_pixels` of these labels.

    Returns:
        A scalar.

    Example:
        >>> scores = torch.tensor([[4.0, 4.0], [0.0, 0.0]]).view(1, 2, 1, 2)
        >>> labels = torch.tensor([[[0, 1]]])
        >>> round(segmentation_loss(scores, labels, LossConfig(0.0, dice=1.0)).item(), 3)
        0.651
    """
    if config == _CROSS_ENTROPY:
        return pixel_loss(scores, labels, weight, count)
    labels = labels.long()
    terms: list[Tensor] = []
    if config.cross_entropy:
        terms.append(config.cross_entropy * pixel_loss(scores, labels, weight, count))
    if config.focal:
        terms.append(config.focal * focal_loss(scores, labels, config.focal_gamma, weight, count))
    if config.ohem:
        hardest = ohem_loss(scores, labels, config.ohem_sure, config.ohem_share, weight)
        terms.append(config.ohem * hardest)
    if config.dice:
        terms.append(config.dice * dice_loss(scores, labels, weight))
    if config.lovasz:
        terms.append(config.lovasz * lovasz_loss(scores, labels, weight))
    return torch.stack(terms).sum()


def focal_loss(
    scores: Tensor,
    labels: Tensor,
    gamma: float = 2.0,
    weight: Tensor | None = None,
    count: float | None = None,
) -> Tensor:
    """Mean of (1 - p) ** gamma times cross entropy, p the probability of the pixel's class.

    Args:
        scores: (B, K, H, W) logits.
        labels: (B, H, W) classes, 255 where there is none.
        gamma: 0 gives cross entropy.
        weight: (K,) factors of the classes, or None.
        count: what the sum is divided by, in place of `labeled_pixels` of these labels.
    """
    plain, factors = _pixel_losses(scores, labels, weight)
    total = (factors * (1 - torch.exp(-plain)) ** gamma * plain).sum()
    count = labeled_pixels(labels, weight) if count is None else count
    return total / max(count, torch.finfo(torch.float32).tiny)


def ohem_loss(
    scores: Tensor, labels: Tensor, sure: float, share: float, weight: Tensor | None = None
) -> Tensor:
    """Mean cross entropy over hard pixels.

    Args:
        scores: (B, K, H, W) logits.
        labels: (B, H, W) classes, 255 where there is none.
        sure: a pixel is hard where its class has a smaller probability.
        share: at least this share of the labelled pixels is taken, in (0, 1].
        weight: (K,) factors of the classes, or None.
    """
    plain, factors = _pixel_losses(scores, labels, weight)
    if not plain.numel():
        return scores.sum() * 0
    probability = torch.exp(-plain.detach())
    least = max(1, round(share * len(plain)))
    limit = torch.kthvalue(probability, least).values.clamp(min=sure)
    hard = (probability < limit) | (probability <= limit) & (limit > sure)
    return (factors * plain)[hard].sum() / factors[hard].sum()


def dice_loss(scores: Tensor, labels: Tensor, weight: Tensor | None = None) -> Tensor:
    """1 - Dice of probabilities and labels, the mean over the classes that occur.

    Args:
        scores: (B, K, H, W) logits.
        labels: (B, H, W) classes, 255 where there is none.
        weight: (K,) factors of the classes in the mean, or None.
    """
    return _mean_over_classes(_dice_losses, scores, labels, weight)


def lovasz_loss(scores: Tensor, labels: Tensor, weight: Tensor | None = None) -> Tensor:
    """The Lovász-Softmax loss, a convex surrogate of 1 - IoU, over the classes that occur.

    Args:
        scores: (B, K, H, W) logits.
        labels: (B, H, W) classes, 255 where there is none.
        weight: (K,) factors of the classes in the mean, or None.
    """
    return _mean_over_classes(_lovasz_losses, scores, labels, weight)


def _dice_losses(probabilities: Tensor, truth: Tensor) -> Tensor:
    both = (probabilities * truth).sum(0)
    return 1 - 2 * both / (probabilities.sum(0) + truth.sum(0)).clamp(min=1e-7)


def _lovasz_losses(probabilities: Tensor, truth: Tensor) -> Tensor:
    inside = truth.to(probabilities.dtype)
    errors, order = (inside - probabilities).abs().sort(0, descending=True)
    inside = inside.gather(0, order)
    total = inside.sum(0)
    # Jaccard index of the first n pixels as errors; its growth is the gradient (algorithm 1).
    jaccard = 1 - (total - inside.cumsum(0)) / (total + (1 - inside).cumsum(0))
    growth = torch.diff(jaccard, dim=0, prepend=torch.zeros_like(jaccard[:1]))
    return (errors * growth).sum(0)


def _pixel_losses(scores: Tensor, labels: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
    """Cross entropy of each labelled pixel, (N,) float32, and the factor of its class."""
    known = labels != IGNORE
    losses = functional.cross_entropy(
        scores.float(), labels.long(), ignore_index=IGNORE, reduction="none"
    )[known]
    return losses, torch.ones_like(losses) if weight is None else weight[labels[known].long()]


def _mean_over_classes(
    losses: Callable[[Tensor, Tensor], Tensor],
    scores: Tensor,
    labels: Tensor,
    weight: Tensor | None,
) -> Tensor:
    """The mean of losses (P,) of the P classes that occur; 0 where no pixel has a class.

    `losses` is given the probabilities of these classes at the N labelled pixels, (N, P) float32,
    and whether each pixel is of the class, (N, P).
    """
    known = labels != IGNORE
    truth = functional.one_hot(labels[known].long(), scores.shape[1]).bool()
    present = truth.any(0)
    if not present.any():
        return scores.sum() * 0
    probabilities = scores.float().softmax(1).movedim(1, -1)[known]
    found = losses(probabilities[:, present], truth[:, present])
    factors = torch.ones_like(found) if weight is None else weight[present]
    return (found * factors).sum() / factors.sum()
