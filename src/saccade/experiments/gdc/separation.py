"""Numbers for what figure 11 of the GDC paper shows: how apart classes lie, how much they move."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Movement:
    """How feature vectors of fixed pixels move over the steps, in units of how pixels differ.

    ``spread``: deviation of a pixel's vector from its mean over the steps, root mean square;
    ``jump``: the same from one step to the next, over the square root of 2, so that vectors drawn
    independently at every step have jump = spread and a slow drift has a small jump. The unit of
    both is the root mean square distance of the pixels' mean vectors from their common mean.
    """

    spread: float
    jump: float


def movement(recording: Vectors) -> Movement:
    """Movement of a recording (T, P, C) with T >= 2 steps and P >= 2 different pixels."""
    vectors = recording.astype(np.float64)
    means = vectors.mean(axis=0)
    unit = np.sqrt(np.square(means - means.mean(axis=0)).sum(axis=-1).mean())
    spread = np.sqrt(np.square(vectors - means).sum(axis=-1).mean())
    jump = np.sqrt(np.square(np.diff(vectors, axis=0)).sum(axis=-1).mean() / 2)
    return Movement(float(spread / unit), float(jump / unit))


def knn_purity(vectors: Vectors, classes: NDArray[Any], k: int = 10) -> float:
    """Mean share of a vector's `k` nearest others that are of its class.

    Args:
        vectors: (P, C).
        classes: (P,).
        k: neighbours; fewer where there are not so many others.

    Returns:
        A number in [0, 1]; about the share of the class for vectors that know nothing of it.
    """
    points = vectors.astype(np.float64)
    squares = np.square(points).sum(axis=1)
    distances = squares[:, None] + squares[None] - 2 * points @ points.T
    np.fill_diagonal(distances, np.inf)
    k = min(k, len(points) - 1)
    nearest = np.argpartition(distances, k - 1, axis=1)[:, :k]
    return float((classes[nearest] == classes[:, None]).mean())


def embed(vectors: Vectors, seed: int) -> NDArray[np.float64]:
    """t-SNE of (P, C) to (P, 2), perplexity 30 or a third of the others where they are few."""
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(vectors) - 1) / 3)
    tsne = TSNE(perplexity=perplexity, init="pca", random_state=seed)
    return np.asarray(tsne.fit_transform(vectors.astype(np.float64)))
