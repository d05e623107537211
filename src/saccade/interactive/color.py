"""Color models of the classes: Gaussian mixtures fitted to labelled pixels, all at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

_VARIANCE_FLOOR = 1.6e-3  # (2 / 50)^2: two units of CIE Lab, which is scaled by 50 here


@dataclass(frozen=True)
class Mixtures:
    """K mixtures of M Gaussians over D channels.

    ``means`` (K, M, D), ``whiten`` (K, M, D, D) the inverse Cholesky factors of the covariances,
    ``log_weights`` (K, M) with the Gaussians' normalisation folded in.
    """

    means: Tensor
    whiten: Tensor
    log_weights: Tensor

    def log_densities(self, colors: Tensor) -> Tensor:
        """Log densities (K, M, N), weights included, of ``colors`` (N, D) or (K, N, D)."""
        return self._log_densities(_monomials(colors).mT)

    def _log_densities(self, monomials: Tensor) -> Tensor:
        """Log densities of `_monomials` (..., 1 + D + D * D, N).

        The exponent is a quadratic function of the colors, so one matrix product gives it, with
        a fraction of the memory that all offsets from all means take.
        """
        means = self.means.unsqueeze(3)
        precisions = self.whiten.mT @ self.whiten
        linear = precisions @ means
        constant = self.log_weights - 0.5 * (means * linear).sum((2, 3))
        quadratic = -0.5 * precisions.flatten(2)
        return torch.cat([constant.unsqueeze(2), linear.squeeze(3), quadratic], 2) @ monomials


def _monomials(colors: Tensor) -> Tensor:
    """1, the channels and their products: (..., N, D) to (..., N, 1 + D + D * D)."""
    products = colors.unsqueeze(-1) * colors.unsqueeze(-2)
    return torch.cat([torch.ones_like(colors[..., :1]), colors, products.flatten(-2)], -1)


def fit_mixtures(
    samples: Tensor, *, components: int = 5, rounds: int = 8, generator: torch.Generator
) -> Mixtures:
    """Expectation maximisation for K classes side by side.

    Args:
        samples: (K, N, D), drawn from each class, with replacement where it has few.
        components: M.
        rounds: of expectation and maximisation, after as many of k-means.
        generator: picks the first centres.
    """
    classes, count, channels = samples.shape
    first = torch.randint(count, (classes, components), generator=generator, device=samples.device)
    # About the class's mean second moments lose no digits.
    centre = samples.mean(1, keepdim=True)
    samples = samples - centre
    means = samples.gather(1, first.unsqueeze(2).expand(-1, -1, channels))
    moments = _monomials(samples)
    for _ in range(rounds):
        nearest = torch.cdist(samples, means).argmin(2)
        shares = torch.nn.functional.one_hot(nearest, components).mT.to(samples)
        sums = shares @ moments[..., : 1 + channels]
        means = sums[..., 1:] / sums[..., :1].clamp_min(1e-6)
    model = _maximize(moments, shares)
    for _ in range(rounds):
        model = _maximize(moments, model._log_densities(moments.mT).softmax(1))
    return replace(model, means=model.means + centre)


def _maximize(moments: Tensor, shares: Tensor) -> Mixtures:
    """Mixtures from samples' monomials (K, N, 1 + D + D * D) and components' shares (K, M, N)."""
    sums = shares @ moments
    total = sums[..., 0]
    channels = int(moments.shape[2] ** 0.5)
    averages = sums[..., 1:] / total.clamp_min(1e-6).unsqueeze(2)
    means, products = averages[..., :channels], averages[..., channels:]
    outer = means.unsqueeze(3) * means.unsqueeze(2)
    covariance = products.reshape(outer.shape) - outer
    eye = torch.eye(channels, device=moments.device, dtype=moments.dtype)
    factor = torch.linalg.cholesky(covariance + _VARIANCE_FLOOR * eye)
    whiten = torch.linalg.solve_triangular(factor, eye.expand_as(factor), upper=False)
    log_determinant = factor.diagonal(dim1=2, dim2=3).log().sum(2)
    log_weights = (total / moments.shape[1]).clamp_min(1e-6).log() - log_determinant
    return Mixtures(means, whiten, log_weights)


@dataclass(frozen=True)
class ColorModel:
    """Mixtures of the classes that have labels.

    Attributes:
        mixtures: one for each of ``present``.
        present: indices of the classes with labels.
        classes: K.
    """

    mixtures: Mixtures
    present: tuple[int, ...]
    classes: int

    def log_odds(self, colors: Tensor, *, limit: float = 8.0) -> Tensor:
        """How much better a class's colors explain a pixel than the other classes' do.

        Args:
            colors: (D, H, W).
            limit: of the result on both sides, so that no single color decides.

        Returns:
            (K, H, W): log density of the class less that of the mean of the others; 0 for a class
            without labels.
        """
        flat = colors.flatten(1).T
        odds = torch.logit(self.mixtures.log_densities(flat).logsumexp(1).softmax(0))
        out = torch.zeros(self.classes, len(flat), device=flat.device)
        if len(self.present) > 1:
            odds.add_(math.log(len(self.present) - 1)).clamp_(-limit, limit)
            out[list(self.present)] = odds
        return out.view(self.classes, *colors.shape[1:])


def fit_colors(
    labeled: Sequence[tuple[Tensor, Tensor]],
    classes: int,
    *,
    generator: torch.Generator,
    samples: int = 800,
) -> ColorModel:
    """Mixtures of the labelled pixels of one image or of several.

    Each class has as many samples of each image that shows it, whatever the area of its labels.

    Args:
        labeled: of each image its colors (D, H, W), and its labels (H, W), class index, K where
            unlabelled. Some image has labels.
        classes: K.
        generator: of the samples.
        samples: drawn from each class.

    >>> colors, labels = torch.rand(3, 4, 5), torch.arange(20).view(4, 5) // 10
    >>> model = fit_colors([(colors, labels)], 3, generator=torch.Generator().manual_seed(0))
    >>> model.present, model.log_odds(colors).shape
    ((0, 1), torch.Size([3, 4, 5]))
    """
    flat = [(colors.flatten(1).T, labels.flatten()) for colors, labels in labeled]
    drawn: dict[int, Tensor] = {}
    for k in range(classes):
        shown = [colors[labels == k] for colors, labels in flat if bool((labels == k).any())]
        parts = []
        for number, mine in enumerate(shown):
            count = (samples * (number + 1)) // len(shown) - (samples * number) // len(shown)
            pick = torch.randint(len(mine), (count,), generator=generator, device=mine.device)
            parts.append(mine[pick])
        if parts:
            drawn[k] = torch.cat(parts)
    mixtures = fit_mixtures(torch.stack(list(drawn.values())), generator=generator)
    return ColorModel(mixtures, tuple(drawn), classes)
