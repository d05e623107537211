"""Other ways to turn strokes into a mask, each with settings that are fair to it.

Every peer is a plain function `(image, strokes, unlabeled=255) -> labels`: image (H, W, 3) uint8
RGB, strokes (H, W) class indices with `unlabeled` where nobody drew, result (H, W) of the strokes'
type that holds stroke classes only and keeps every stroke. With one class in the strokes the
result is that class. Optional libraries (scikit-learn, OpenCV, PyMaxflow) are imported at the
first call; a missing one raises ImportError.
"""

import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse

from saccade.errors import InputError

Image = NDArray[np.uint8]
Labels = NDArray[Any]
Colours = NDArray[np.float64]  # (N, 3) Lab
LogDensity = Callable[[Colours], NDArray[np.float64]]  # (N, 3) -> (N,)
# Offsets (dy, dx) that reach each edge of the 8-connected grid once.
EDGES = ((0, 1), (1, 0), (1, 1), (1, -1))
GAMMA = 50.0  # weight of the contrast term, as in GrabCut (Rother et al., 2004)
MOST = 30.0  # a colour that one class never showed is strong evidence, not proof
HARD = 1e6  # a stroke is proof: no cut around it can be cheaper


def nearest(image: Image, strokes: Labels, unlabeled: int = 255) -> Labels:
    """Class of the nearest stroke pixel in the plane; the image is not looked at."""
    free, _ = _parse(strokes, unlabeled)
    where = ndimage.distance_transform_edt(free, return_distances=False, return_indices=True)
    return strokes[tuple(where)]


def geodesic(image: Image, strokes: Labels, unlabeled: int = 255) -> Labels:
    """Class of the stroke with the shortest path over the 8-connected grid.

    A step costs the distance of its two colours in CIE Lab plus 0.1 per pixel of length, so that
    within a flat region the nearer stroke wins. The image is smoothed first (sigma 2) because
    every bit of noise on a path adds to its length.
    """
    from scipy.sparse.csgraph import dijkstra
    from skimage.color import rgb2lab

    free, _ = _parse(strokes, unlabeled)
    lab = ndimage.gaussian_filter(rgb2lab(image).astype(np.float32), (2, 2, 0))
    index = np.arange(strokes.size, dtype=np.int32).reshape(strokes.shape)
    rows, columns, costs = [], [], []
    for dy, dx in EDGES:
        a, b = _edge_ends(index, dy, dx)
        colour_a, colour_b = _edge_ends(lab, dy, dx)
        change = np.sqrt(((colour_a - colour_b) ** 2).sum(-1))
        rows.append(a.ravel())
        columns.append(b.ravel())
        costs.append((change + 0.1 * np.hypot(dy, dx)).ravel())
    graph = sparse.csr_array(
        (np.concatenate(costs), (np.concatenate(rows), np.concatenate(columns))),
        shape=(strokes.size, strokes.size),
    )
    _, _, sources = dijkstra(
        graph,
        directed=False,
        indices=np.flatnonzero(~free),
        min_only=True,
        return_predecessors=True,
    )
    return strokes.ravel()[sources].reshape(strokes.shape)


def random_forest(image: Image, strokes: Labels, unlabeled: int = 255, *, seed: int = 0) -> Labels:
    """Pixel classifier on multi-scale filter features, as ilastik and Trainable Weka do it.

    scikit-image's intensity, edge and texture features at sigma 1 to 16 of each channel, and
    a forest of 100 trees with balanced class weights.
    """
    from skimage.feature import multiscale_basic_features
    from sklearn.ensemble import RandomForestClassifier

    free, classes = _parse(strokes, unlabeled)
    if len(classes) == 1:
        return np.full_like(strokes, classes[0])
    features = multiscale_basic_features(
        image, sigma_min=1, sigma_max=16, channel_axis=-1, workers=1
    )
    # A few thousand samples per tree are enough; hatched strokes have tens of thousands.
    samples = min(1.0, 5000 / np.count_nonzero(~free))
    forest = RandomForestClassifier(
        n_estimators=100,
        max_depth=10,
        max_samples=samples,
        class_weight="balanced_subsample",
        n_jobs=1,
        random_state=seed,
    )
    forest.fit(features[~free], strokes[~free])
    labels = strokes.copy()
    labels[free] = forest.predict(features[free])
    return labels


def convpaint(image: Image, strokes: Labels, unlabeled: int = 255) -> Labels:
    """napari-convpaint's own classifier on its Gaussian features, which need no weights.

    napari-convpaint is no dependency of ours; it wants a Qt binding, also where nothing is shown
    (QT_QPA_PLATFORM=offscreen). One class in the strokes is all the result holds.
    """
    free, classes = _parse(strokes, unlabeled)
    if len(classes) == 1:
        return np.full_like(strokes, classes[0])
    with warnings.catch_warnings(), redirect_stdout(StringIO()):  # it tells what it has not found
        warnings.simplefilter("ignore")
        from napari_convpaint.convpaint_model import ConvpaintModel

        model = ConvpaintModel("gaussian")
        model.set_param("channel_mode", "rgb", ignore_warnings=True)
        planes = np.moveaxis(image, 2, 0)
        marks = np.zeros(strokes.shape, np.int32)  # 0 = to be found, classes from 1
        marks[~free] = np.searchsorted(classes, strokes[~free]) + 1
        model.train(planes, marks)
        found = np.asarray(model.segment(planes)).reshape(strokes.shape)
    labels = strokes.copy()
    labels[free] = classes[found[free].astype(np.int64) - 1]
    return labels


def random_walker(image: Image, strokes: Labels, unlabeled: int = 255) -> Labels:
    """scikit-image's random walker (Grady, 2006) in colour, beta 1000, conjugate gradients."""
    from skimage.segmentation import random_walker as walk

    free, classes = _parse(strokes, unlabeled)
    if len(classes) == 1:
        return np.full_like(strokes, classes[0])
    seeds = np.zeros(strokes.shape, np.int32)  # 0 = to be found, classes from 1
    seeds[~free] = np.searchsorted(classes, strokes[~free]) + 1
    with warnings.catch_warnings():
        # A probability a hair outside [0, 1] does not change the largest one.
        warnings.filterwarnings("ignore", message="The probability range is outside")
        found = walk(image, seeds, beta=1000, mode="cg_j", tol=1e-3, channel_axis=-1)
    labels = strokes.copy()
    labels[free] = classes[np.maximum(found[free], 1) - 1]
    return labels


def grabcut(image: Image, strokes: Labels, unlabeled: int = 255) -> Labels:
    """OpenCV's GrabCut, 5 iterations: strokes are sure, the rest is probable background.

    The lower of the two classes is the background.
    """
    import cv2

    free, classes = _parse(strokes, unlabeled)
    if len(classes) == 1:
        return np.full_like(strokes, classes[0])
    background, obj = _two(classes)
    mask = np.full(strokes.shape, cv2.GC_PR_BGD, np.uint8)
    mask[strokes == background] = cv2.GC_BGD
    mask[strokes == obj] = cv2.GC_FGD
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    bgr = np.ascontiguousarray(image[..., ::-1])
    cv2.grabCut(bgr, mask, None, *models, 5, cv2.GC_INIT_WITH_MASK)
    labels = strokes.copy()
    labels[free] = np.where(mask & 1, obj, background)[free]
    return labels


def cut_histogram(image: Image, strokes: Labels, unlabeled: int = 255) -> Labels:
    """Graph cut (Boykov and Jolly, 2001) with the strokes' colour histograms as unaries.

    One joint Lab histogram per class, bins of 5 units, smoothed with a Gaussian of 2 bins: thin
    strokes fill few bins.
    """
    return _graph_cut(image, strokes, unlabeled, _histogram)


def cut_gmm(image: Image, strokes: Labels, unlabeled: int = 255) -> Labels:
    """Graph cut with a Gaussian mixture of 5 full components per class in Lab as unaries."""
    return _graph_cut(image, strokes, unlabeled, _mixture)


def contrast_weights(image: Image) -> list[NDArray[np.float64]]:
    """Edge weights of GrabCut: GAMMA exp(-|dI|^2 / (2 mean |dI|^2)) / length, one map per EDGES."""
    pixels = image.astype(np.float64)
    squares = []
    for dy, dx in EDGES:
        a, b = _edge_ends(pixels, dy, dx)
        squares.append(((a - b) ** 2).sum(-1))
    mean = np.concatenate([s.ravel() for s in squares]).mean()
    beta = 1 / (2 * mean) if mean > 0 else 0.0
    return [
        GAMMA * np.exp(-beta * s) / np.hypot(*edge) for edge, s in zip(EDGES, squares, strict=True)
    ]


def _graph_cut(
    image: Image, strokes: Labels, unlabeled: int, fit: Callable[[Colours], LogDensity]
) -> Labels:
    import maxflow
    from skimage.color import rgb2lab

    _, classes = _parse(strokes, unlabeled)
    if len(classes) == 1:
        return np.full_like(strokes, classes[0])
    background, obj = _two(classes)
    lab = rgb2lab(image)
    flat = lab.reshape(-1, 3)
    costs = [-fit(lab[strokes == c])(flat).reshape(strokes.shape) for c in (background, obj)]
    lowest = np.minimum(*costs)  # only the difference matters; capacities must not be negative
    cost_background, cost_object = (np.minimum(c - lowest, MOST) for c in costs)
    cost_background[strokes == obj] = HARD
    cost_object[strokes == background] = HARD

    graph = maxflow.Graph[float](strokes.size, 4 * strokes.size)
    nodes = graph.add_grid_nodes(strokes.shape)
    for edge, weight in zip(EDGES, contrast_weights(image), strict=True):
        a, b = (ends.ravel() for ends in _edge_ends(nodes, *edge))
        graph.add_edges(a, b, weight.ravel(), weight.ravel())
    graph.add_grid_tedges(nodes, cost_object, cost_background)
    graph.maxflow()
    # A node of the sink segment pays the capacity from the source: the cost of the object.
    is_object = graph.get_grid_segments(nodes)
    return np.where(is_object, obj, background).astype(strokes.dtype)


def _histogram(samples: Colours) -> LogDensity:
    low, high = np.array([0.0, -110.0, -110.0]), np.array([100.0, 110.0, 110.0])
    bins = np.array([20, 44, 44])
    counts, _ = np.histogramdd(samples, bins=bins, range=list(zip(low, high, strict=True)))
    density = ndimage.gaussian_filter(counts / len(samples), 2.0, mode="constant") + 1e-7

    def log_density(colours: Colours) -> NDArray[np.float64]:
        cells = ((colours - low) / (high - low) * bins).astype(int).clip(0, bins - 1)
        return np.log(density[tuple(cells.T)])

    return log_density


def _mixture(samples: Colours) -> LogDensity:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    components = max(1, min(5, len(samples) // 20))
    mixture = GaussianMixture(components, reg_covar=10.0, random_state=0, max_iter=30)
    with warnings.catch_warnings():
        # Colours that occur once or a mixture that still moves a little do no harm here.
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture.fit(samples if len(samples) > 1 else np.repeat(samples, 2, axis=0))
    return mixture.score_samples


def _parse(strokes: Labels, unlabeled: int) -> tuple[NDArray[np.bool_], Labels]:
    """Mask of the pixels without a stroke, and the classes drawn in ascending order."""
    free = strokes == unlabeled
    classes = np.unique(strokes[~free])
    if not classes.size:
        raise InputError(f"strokes hold no class: every pixel is {unlabeled}")
    return free, classes


def _two(classes: Labels) -> tuple[int, int]:
    if len(classes) != 2:
        raise InputError(f"strokes hold {len(classes)} classes; this method knows two")
    return int(classes[0]), int(classes[1])


def _edge_ends(values: Labels, dy: int, dx: int) -> tuple[Labels, Labels]:
    """The values at both ends of every grid edge in direction (dy, dx), dy >= 0."""
    height, width = values.shape[:2]
    first = values[: height - dy, max(0, -dx) : width - max(0, dx)]
    second = values[dy:, max(0, dx) : width + min(0, dx)]
    return first, second
