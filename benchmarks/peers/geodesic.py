"""The stroke with the shortest path through similar colors."""

import numpy as np
from scipy import ndimage, sparse

from benchmarks.peers.common import EDGES, Image, Labels, edge_ends, parse_strokes


def geodesic(image: Image, strokes: Labels, unlabeled: int = 255) -> Labels:
    """Class of the stroke with the shortest path over the 8-connected grid.

    A step costs the distance of its two colors in CIE Lab plus 0.1 per pixel of length, so that
    within a flat region the nearer stroke wins. The image is smoothed first (sigma 2) because
    every bit of noise on a path adds to its length.
    """
    from scipy.sparse.csgraph import dijkstra
    from skimage.color import rgb2lab

    free, _ = parse_strokes(strokes, unlabeled)
    lab = ndimage.gaussian_filter(rgb2lab(image).astype(np.float32), (2, 2, 0))
    index = np.arange(strokes.size, dtype=np.int32).reshape(strokes.shape)
    rows, columns, costs = [], [], []
    for dy, dx in EDGES:
        a, b = edge_ends(index, dy, dx)
        color_a, color_b = edge_ends(lab, dy, dx)
        change = np.sqrt(((color_a - color_b) ** 2).sum(-1))
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
