"""Other ways to turn strokes into a mask, each with settings that are fair to it.

Every peer is a plain function `(image, strokes, unlabeled=255) -> labels`: image (H, W, 3) uint8
RGB, strokes (H, W) class indices with `unlabeled` where nobody drew, result (H, W) of the strokes'
type that holds stroke classes only and keeps every stroke. With one class in the strokes the
result is that class. Optional libraries (scikit-learn, OpenCV, PyMaxflow) are imported at the
first call; a missing one raises ImportError.
"""

from benchmarks.peers.convpaint import convpaint
from benchmarks.peers.geodesic import geodesic
from benchmarks.peers.grabcut import grabcut
from benchmarks.peers.graph_cut import cut_gmm, cut_histogram
from benchmarks.peers.nearest import nearest
from benchmarks.peers.random_forest import random_forest
from benchmarks.peers.random_walker import random_walker

__all__ = [
    "convpaint",
    "cut_gmm",
    "cut_histogram",
    "geodesic",
    "grabcut",
    "nearest",
    "random_forest",
    "random_walker",
]
