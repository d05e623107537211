"""Colour models of the classes: Gaussian mixtures fitted to labelled pixels, all at once."""

from __future__ import annotations

from dataclasses import dataclass

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

    def each(self) -> list[Mixtures]:
        """The mixtures one by one, K = 1 each."""
        parts = zip(self.means, self.whiten, self.log_weights, strict=True)
        return [Mixtures(m[None], w[None], b[None]) for m, w, b in parts]

    def log_densities(self, colours: Tensor) -> Tensor:
        """Log densities (K, M, N), weights included, of ``colours`` (N, D) or (K, N, D)."""
        offsets = colours.unsqueeze(-3) - self.means.unsqueeze(2)  # (K, M, N, D)
        scaled = offsets @ self.whiten.transpose(2, 3)
        return self.log_weights.unsqueeze(2) - 0.5 * scaled.square().sum(3)


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
    means = samples.gather(1, first.unsqueeze(2).expand(-1, -1, channels))
    for _ in range(rounds):
        nearest = torch.cdist(samples, means).argmin(2)
        shares = torch.nn.functional.one_hot(nearest, components).to(samples)
        means = _weighted_means(samples, shares)
    model = _maximise(samples, shares)
    for _ in range(rounds):
        shares = model.log_densities(samples).softmax(1).transpose(1, 2)
        model = _maximise(samples, shares)
    return model


def _weighted_means(samples: Tensor, shares: Tensor) -> Tensor:
    total = shares.sum(1).unsqueeze(2)
    return shares.transpose(1, 2) @ samples / total.clamp_min(1e-6)


def _maximise(samples: Tensor, shares: Tensor) -> Mixtures:
    """Mixtures from samples (K, N, D) and each component's share of them (K, N, M)."""
    channels = samples.shape[2]
    means = _weighted_means(samples, shares)
    total = shares.sum(1)
    offsets = samples.unsqueeze(1) - means.unsqueeze(2)  # (K, M, N, D)
    weighted = offsets * shares.transpose(1, 2).unsqueeze(3)
    covariance = weighted.transpose(2, 3) @ offsets / total.clamp_min(1e-6)[..., None, None]
    eye = torch.eye(channels, device=samples.device, dtype=samples.dtype)
    factor = torch.linalg.cholesky(covariance + _VARIANCE_FLOOR * eye)
    whiten = torch.linalg.solve_triangular(factor, eye.expand_as(factor), upper=False)
    log_determinant = factor.diagonal(dim1=2, dim2=3).log().sum(2)
    log_weights = (total / samples.shape[1]).clamp_min(1e-6).log() - log_determinant
    return Mixtures(means, whiten, log_weights)


def colour_log_odds(
    colours: Tensor,
    labels: Tensor,
    classes: int,
    *,
    generator: torch.Generator,
    samples: int = 800,
    limit: float = 8.0,
) -> Tensor:
    """How much better a class's colours explain a pixel than the other classes' do.

    Args:
        colours: (D, H, W).
        labels: (H, W) class index, K where unlabelled.
        classes: K.
        generator: of the samples.
        samples: drawn from each class.
        limit: of the result on both sides, so that no single colour decides.

    Returns:
        (K, H, W): log density of the class less that of the mean of the others; 0 for a class
        without labels.
    """
    flat = colours.flatten(1).T
    present = [k for k in range(classes) if bool((labels == k).any())]
    drawn = []
    for k in present:
        mine = flat[(labels == k).flatten()]
        pick = torch.randint(len(mine), (samples,), generator=generator, device=flat.device)
        drawn.append(mine[pick])
    model = fit_mixtures(torch.stack(drawn), generator=generator)
    # Class by class, as the offsets of all classes at once would be large.
    density = torch.stack([m.log_densities(flat)[0].logsumexp(0) for m in model.each()])
    out = torch.zeros(classes, len(flat), device=flat.device)
    for i, k in enumerate(present):
        others = torch.cat([density[:i], density[i + 1 :]])
        if len(others):
            out[k] = density[i] - (others.logsumexp(0) - torch.tensor(len(others)).log())
    return out.clamp_(-limit, limit).view(classes, *colours.shape[1:])
