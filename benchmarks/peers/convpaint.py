"""napari-convpaint."""

import warnings
from contextlib import redirect_stdout
from io import StringIO

import numpy as np

from benchmarks.peers.common import Image, Labels, parse_strokes


def convpaint(image: Image, strokes: Labels, unlabeled: int = 255) -> Labels:
    """napari-convpaint's own classifier on its Gaussian features, which need no weights.

    napari-convpaint is no dependency of ours; it wants a Qt binding, also where nothing is shown
    (QT_QPA_PLATFORM=offscreen). One class in the strokes is all the result holds.
    """
    free, classes = parse_strokes(strokes, unlabeled)
    if len(classes) == 1:
        return np.full_like(strokes, classes[0])
    with warnings.catch_warnings(), redirect_stdout(StringIO()):  # it tells what it has not found
        warnings.simplefilter("ignore")
        from napari_convpaint.convpaint_model import ConvpaintModel

        model = ConvpaintModel("gaussian")
        model.set_param("channel_mode", "rgb", ignore_warnings=True)
        planes = np.moveaxis(image, 2, 0)
        labels_of_strokes = np.zeros(strokes.shape, np.int32)  # 0 = to be found, classes from 1
        labels_of_strokes[~free] = np.searchsorted(classes, strokes[~free]) + 1
        model.train(planes, labels_of_strokes)
        found = np.asarray(model.segment(planes)).reshape(strokes.shape)
    labels = strokes.copy()
    labels[free] = classes[found[free].astype(np.int64) - 1]
    return labels
