"""The random walker."""

import warnings

import numpy as np

from benchmarks.peers.common import Image, Labels, parse_strokes


def random_walker(image: Image, strokes: Labels, unlabeled: int = 255) -> Labels:
    """scikit-image's random walker (Grady, 2006) in color, beta 1000, conjugate gradients."""
    from skimage.segmentation import random_walker as walk

    free, classes = parse_strokes(strokes, unlabeled)
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
