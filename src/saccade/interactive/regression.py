"""Regression on rich features: which class a place looks like, by strokes on any images.

The light network sees 16 channels, and learns where things are in one image from few strokes. What
carries from image to image is said by more: the features and colors that networks see, and the maps
of the object network's encoder, whose filters come from ImageNet. Each channel has mean 0 and
variance 1 in every image, so brightness and stain do not count. A logistic regression with a strong
penalty finds each class in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import log_softmax
from torch import Tensor
from torch.nn import functional as F

from saccade.interactive.likeness import means_of_parts
from saccade.models.lite_encoder import LiteEncoder
from saccade.models.timm_maps import TimmMaps

Array = NDArray[np.float64]

_STRIDE = 16  # of the coarsest maps of the encoder
_PENALTY = 12.0  # on half the squared weights, for a mean loss
_MOST = 4000  # labels of a class that are looked at
_LOG_FACTORS = 0.0, 4.0
_EPSILON = 1e-4


@dataclass(frozen=True)
class RichMaps:
    """What the regression sees of an image.

    Attributes:
        levels: maps (C, h, w) from fine to coarse, each channel with mean 0 and variance 1.
        spans: of each level, the height and width of a whole map of its scale in places of the
            finest one: coarse maps reach beyond the image.
        parts: means of the encoder's maps over parts of the image, before they are standardized,
            see `saccade.interactive.likeness`; None without an encoder.
    """

    levels: tuple[Tensor, ...]
    spans: tuple[tuple[int, int], ...]
    parts: Tensor | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(h, w) of the finest level: half of the working size."""
        return self.levels[0].shape[1], self.levels[0].shape[2]

    def at(self, places: Tensor) -> Tensor:
        """Features (n, D) at places (n, 2), y and x of the finest level."""
        found = []
        for maps, span in zip(self.levels, self.spans, strict=True):
            scale = 2 / torch.tensor(span, dtype=maps.dtype, device=maps.device)
            grid = ((places + 0.5) * scale - 1).flip(1).view(1, 1, -1, 2)
            taken = F.grid_sample(maps[None], grid, padding_mode="border", align_corners=False)
            found.append(taken[0, :, 0].mT)
        return torch.cat(found, 1)

    def project(self, weights: Tensor) -> Tensor:
        """Linear maps (K, h, w) of all features, for weights (K, D).

        Coarse maps are enlarged after the product: that is the same and takes a tenth of the time.
        """
        height, width = self.size
        total = weights.new_zeros(len(weights), height, width)
        start = 0
        for maps, span in zip(self.levels, self.spans, strict=True):
            part = weights[:, start : start + len(maps)]
            start += len(maps)
            product = torch.einsum("kc,chw->khw", part, maps)
            if product.shape[1:] != total.shape[1:]:
                product = F.interpolate(product[None], span, mode="bilinear", align_corners=False)[
                    0
                ]
            total += product[:, :height, :width]
        return total


@torch.no_grad()
def rich_maps(
    inputs: Tensor,
    rgb: NDArray[np.uint8],
    encoder: LiteEncoder | None,
    more: TimmMaps | None = None,
) -> RichMaps:
    """The features of an image.

    Args:
        inputs: (1, C, h / 2, w / 2), what networks see.
        rgb: (h, w, 3), the image at the working size.
        encoder: of the object network; None where the weights have none.
        more: another backbone, whose maps come after those of the encoder.
    """
    height, width = rgb.shape[:2]
    size = inputs.shape[2], inputs.shape[3]
    levels, spans, parts = [inputs[0]], [size], None
    if encoder is not None or more is not None:
        image = torch.tensor(rgb, device=inputs.device).movedim(2, 0)[None].float()
        image = F.pad(image, (0, -width % _STRIDE, 0, -height % _STRIDE), mode="replicate")
        encoded = [] if encoder is None else list(encoder(image))
        parts = means_of_parts(encoded) if encoded else None
        for maps in [*encoded, *([] if more is None else more(image))]:
            levels.append(_standardized(maps[0].float()))
            spans.append((image.shape[2] // 2, image.shape[3] // 2))
    return RichMaps(tuple(levels), tuple(spans), parts)


def _standardized(maps: Tensor) -> Tensor:
    # `var_mean` takes five times as long on the encoder's channels-last maps.
    centered = maps - maps.mean((1, 2), keepdim=True)
    return centered * torch.rsqrt(centered.square().mean((1, 2), keepdim=True) + _EPSILON)


@dataclass(frozen=True)
class Regression:
    """A linear classifier of rich features.

    Attributes:
        weights: (P, D) of the P classes that were drawn.
        bias: (P,).
    """

    weights: Tensor
    bias: Tensor

    def log_odds(self, maps: RichMaps) -> Tensor:
        """Log odds (P, h, w) of each class against the others together."""
        scores = maps.project(self.weights) + self.bias.view(-1, 1, 1)
        return log_odds_of(scores)


def log_odds_of(scores: Tensor) -> Tensor:
    """Log odds (P, ...) of each class against the others together, of scores (P, ...)."""
    others = [
        torch.cat([scores[:k], scores[k + 1 :]]).logsumexp(0) if len(scores) > 1 else 0 * scores[k]
        for k in range(len(scores))
    ]
    return scores - torch.stack(others)


def fit_regression(
    images: Sequence[tuple[RichMaps, Tensor]], stroked: Tensor, *, generator: torch.Generator
) -> Regression:
    """Logistic regression in which all classes count alike.

    Args:
        images: features, and labels (h, w), class index, other values where there is no label.
        stroked: (P,) the classes with labels in one of them.
        generator: draws the labels that are looked at, where a class has many.

    >>> maps = RichMaps((torch.linspace(-1, 1, 24).repeat(1, 16, 1),), ((16, 24),))
    >>> labels = torch.full((16, 24), 2)
    >>> labels[1, :6], labels[9, 15:] = 0, 1
    >>> fitted = fit_regression([(maps, labels)], torch.tensor([0, 1]),
    ...                         generator=torch.Generator().manual_seed(0))
    >>> odds = fitted.log_odds(maps)
    >>> bool(odds[0, 3, 2] > 0), bool(odds[1, 3, 20] > 0)
    (True, True)
    """
    found, rows = [], []
    for row, value in enumerate(stroked.tolist()):
        features = torch.cat([maps.at((labels == value).nonzero()) for maps, labels in images])
        if len(features) > _MOST:
            order = torch.randperm(len(features), generator=generator, device=features.device)
            features = features[order[:_MOST]]
        found.append(features.double().cpu().numpy())
        rows.append(np.full(len(features), row))
    target = np.eye(len(stroked))[np.concatenate(rows)]
    share = (target / (len(stroked) * target.sum(0).clip(1))).sum(1)
    table = np.concatenate(found)
    weights, bias = _logistic(table, target, share)
    # The penalty makes it too modest: how sure it may be of its labels is fitted without.
    factor = _sharpness(table @ weights.T + bias, target, share)
    return Regression(
        *(torch.from_numpy(x * factor).float().to(stroked.device) for x in (weights, bias))
    )


def _logistic(features: Array, target: Array, share: Array) -> tuple[Array, Array]:
    """Weights (P, D) and bias (P,) that minimize the mean cross-entropy and the penalty.

    Args:
        features: (n, D).
        target: (n, P), 1 at the class, else 0.
        share: (n,) how much each counts, of 1.
    """
    from scipy.optimize import minimize  # not at the top: one image alone needs no regression

    classes, size = target.shape[1], features.shape[1]

    def value_and_gradient(x: Array) -> tuple[float, Array]:
        weights, bias = x[:-classes].reshape(classes, size), x[-classes:]
        logs = log_softmax(features @ weights.T + bias, axis=1)
        error = (np.exp(logs) - target) * share[:, None]
        value = -(logs * target).sum(1) @ share + _PENALTY / 2 * (weights**2).sum()
        slope = error.T @ features + _PENALTY * weights
        return float(value), np.concatenate([slope.ravel(), error.sum(0)])

    begin = np.zeros(classes * (size + 1))
    found = minimize(value_and_gradient, begin, jac=True, method="L-BFGS-B").x
    return found[:-classes].reshape(classes, size), found[-classes:]


def _sharpness(scores: Array, target: Array, share: Array) -> float:
    """The factor of scores (n, P) that minimizes the mean cross-entropy."""
    from scipy.optimize import minimize_scalar

    def entropy(log_factor: float) -> float:
        logs = log_softmax(scores * np.exp(log_factor), axis=1)
        return float(-(logs * target).sum(1) @ share)

    return float(np.exp(minimize_scalar(entropy, bounds=_LOG_FACTORS, method="bounded").x))
