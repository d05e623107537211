"""Graph cuts with the strokes' colors as unaries: a histogram, or a Gaussian mixture."""

import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.peers.common import EDGES, Image, Labels, edge_ends, parse_strokes, two_classes

Colors = NDArray[np.float64]  # (N, 3) Lab
LogDensity = Callable[[Colors], NDArray[np.float64]]  # (N, 3) -> (N,)
GAMMA = 50.0  # weight of the contrast term, as in GrabCut (Rother et al., 2004)
MOST = 30.0  # a color that one class never showed is strong evidence, not proof
_FRAME = 0.05  # width of the frame that stands for what has no stroke, in shorter sides
HARD = 1e6  # a stroke is proof: no cut around it can be cheaper


def cut_histogram(image: Image, strokes: Labels, unlabeled: int = 255) -> Labels:
    """Graph cut (Boykov and Jolly, 2001) with the strokes' color histograms as unaries.

    One joint Lab histogram per class, bins of 5 units, smoothed with a Gaussian of 2 bins: thin
    strokes fill few bins.
    """
    return _graph_cut(image, strokes, unlabeled, _histogram)


def cut_gmm(
    image: Image, strokes: Labels, unlabeled: int = 255, *, rest: int | None = None
) -> Labels:
    """Graph cut with a Gaussian mixture of 5 full components per class in Lab as unaries.

    ``rest`` is a class whose colors are those of a frame along the image's border as long as it has
    no stroke itself; no pixel is sure to be of it.
    """
    return _graph_cut(image, strokes, unlabeled, _mixture, rest)


def contrast_weights(image: Image) -> list[NDArray[np.float64]]:
    """Edge weights of GrabCut: GAMMA exp(-|dI|^2 / (2 mean |dI|^2)) / length, one map per EDGES."""
    pixels = image.astype(np.float64)
    squares = []
    for dy, dx in EDGES:
        a, b = edge_ends(pixels, dy, dx)
        squares.append(((a - b) ** 2).sum(-1))
    mean = np.concatenate([s.ravel() for s in squares]).mean()
    beta = 1 / (2 * mean) if mean > 0 else 0.0
    return [
        GAMMA * np.exp(-beta * s) / np.hypot(*edge) for edge, s in zip(EDGES, squares, strict=True)
    ]


def _graph_cut(
    image: Image,
    strokes: Labels,
    unlabeled: int,
    fit: Callable[[Colors], LogDensity],
    rest: int | None = None,
) -> Labels:
    import maxflow
    from skimage.color import rgb2lab

    _, classes = parse_strokes(strokes, unlabeled, rest)
    if len(classes) == 1:
        return np.full_like(strokes, classes[0])
    background, obj = two_classes(classes)
    lab = rgb2lab(image)
    flat = lab.reshape(-1, 3)
    samples = (lab[strokes == c] for c in (background, obj))
    shown = [s if len(s) else _frame(lab) for s in samples]
    costs = [-fit(s)(flat).reshape(strokes.shape) for s in shown]
    lowest = np.minimum(*costs)  # only the difference matters; capacities must not be negative
    cost_background, cost_object = (np.minimum(c - lowest, MOST) for c in costs)
    cost_background[strokes == obj] = HARD
    cost_object[strokes == background] = HARD

    graph = maxflow.Graph[float](strokes.size, 4 * strokes.size)
    nodes = graph.add_grid_nodes(strokes.shape)
    for edge, weight in zip(EDGES, contrast_weights(image), strict=True):
        a, b = (ends.ravel() for ends in edge_ends(nodes, *edge))
        graph.add_edges(a, b, weight.ravel(), weight.ravel())
    graph.add_grid_tedges(nodes, cost_object, cost_background)
    graph.maxflow()
    # A node of the sink segment pays the capacity from the source: the cost of the object.
    is_object = graph.get_grid_segments(nodes)
    return np.where(is_object, obj, background).astype(strokes.dtype)


def _frame(lab: NDArray[np.float64]) -> Colors:
    """Colors along the border of an image (H, W, 3)."""
    width = max(1, round(_FRAME * min(lab.shape[:2])))
    inside = np.zeros(lab.shape[:2], bool)
    inside[width:-width, width:-width] = True
    return lab[~inside]


def _histogram(samples: Colors) -> LogDensity:
    low, high = np.array([0.0, -110.0, -110.0]), np.array([100.0, 110.0, 110.0])
    bins = np.array([20, 44, 44])
    counts, _ = np.histogramdd(samples, bins=bins, range=list(zip(low, high, strict=True)))
    density = ndimage.gaussian_filter(counts / len(samples), 2.0, mode="constant") + 1e-7

    def log_density(colors: Colors) -> NDArray[np.float64]:
        cells = ((colors - low) / (high - low) * bins).astype(int).clip(0, bins - 1)
        return np.log(density[tuple(cells.T)])

    return log_density


def _mixture(samples: Colors) -> LogDensity:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    components = max(1, min(5, len(samples) // 20))
    mixture = GaussianMixture(components, reg_covar=10.0, random_state=0, max_iter=30)
    with warnings.catch_warnings():
        # Colors that occur once or a mixture that still moves a little do no harm here.
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture.fit(samples if len(samples) > 1 else np.repeat(samples, 2, axis=0))
    return mixture.score_samples
