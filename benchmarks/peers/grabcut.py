"""GrabCut."""

import numpy as np

from benchmarks.peers.common import Image, Labels, parse_strokes, two_classes


def grabcut(
    image: Image,
    strokes: Labels,
    unlabeled: int = 255,
    *,
    rest: int | None = None,
    before: Labels | None = None,
) -> Labels:
    """OpenCV's GrabCut, 5 iterations: strokes are sure, the rest is probable background.

    The lower of the two classes is the background. Where strokes hold one class alone, ``rest``
    is the class of the background that has no stroke yet. ``before`` (H, W) is the mask that the
    strokes correct: it is what the rest probably is, as in OpenCV's own sample.
    """
    import cv2

    free, classes = parse_strokes(strokes, unlabeled, rest)
    if len(classes) == 1:
        return np.full_like(strokes, classes[0])
    background, obj = two_classes(classes)
    mask = np.full(strokes.shape, cv2.GC_PR_BGD, np.uint8)
    if before is not None:
        mask[before == obj] = cv2.GC_PR_FGD
    mask[strokes == background] = cv2.GC_BGD
    mask[strokes == obj] = cv2.GC_FGD
    if (mask & 1).all():  # OpenCV refuses a mask without background
        mask[mask == cv2.GC_PR_FGD] = cv2.GC_PR_BGD
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    bgr = np.ascontiguousarray(image[..., ::-1])
    cv2.grabCut(bgr, mask, None, *models, 5, cv2.GC_INIT_WITH_MASK)
    labels = strokes.copy()
    labels[free] = np.where(mask & 1, obj, background)[free]
    return labels
