"""A random forest on filter responses, as ilastik has it."""

import numpy as np

from benchmarks.peers.common import Image, Labels, parse_strokes


def random_forest(image: Image, strokes: Labels, unlabeled: int = 255, *, seed: int = 0) -> Labels:
    """Pixel classifier on multi-scale filter features, as ilastik and Trainable Weka do it.

    scikit-image's intensity, edge and texture features at sigma 1 to 16 of each channel, and
    a forest of 100 trees with balanced class weights.
    """
    from skimage.feature import multiscale_basic_features
    from sklearn.ensemble import RandomForestClassifier

    free, classes = parse_strokes(strokes, unlabeled)
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
