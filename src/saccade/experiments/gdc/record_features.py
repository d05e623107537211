"""Feature vectors of the per-image network while it is optimized (GDC paper, figure 11)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from saccade.experiments.engine.load_samples import LoadedSample
from saccade.interactive.fit_paper import fit_paper, random_net
from saccade.interactive.inputs import encode_strokes
from saccade.interactive.prepared import prepare_image
from saccade.interactive.presets import PaperFitSettings, Preset
from saccade.interactive.stroke_maps import paper_labels
from saccade.models.scribble_net import RANDOM_BRANCHES, ScribbleNet

UNKNOWN = 255


@dataclass(frozen=True)
class FitInputs:
    """An image ready to be fitted to several times.

    Attributes:
        features: (1, C, h, w) of the frozen extractor, at half size.
        labels: (h, w) training labels at half size, K = none.
        truth: (h, w) class indices at half size, -1 = unknown.
        classes: K.
    """

    features: Tensor
    labels: NDArray[np.int64]
    truth: NDArray[np.int64]
    classes: int


@dataclass(frozen=True)
class Pixels:
    """Chosen pixels of the half-size map: (P, 2) of (y, x), their truth and whether they train."""

    positions: NDArray[np.int64]
    truth: NDArray[np.int64]
    labelled: NDArray[np.bool_]


def prepare_fit(loaded: LoadedSample, preset: Preset, seed: int) -> FitInputs:
    """Features and training labels, as the preset's fit sees them.

    Raises:
        InputError: the strokes cannot be used.
    """
    assert isinstance(preset.fit, PaperFitSettings)
    size = loaded.image.shape[0], loaded.image.shape[1]
    classes, strokes = encode_strokes(loaded.strokes, size, unlabeled=UNKNOWN)
    image = prepare_image(
        loaded.image,
        features=preset.network.features,
        max_pixels=preset.max_pixels,
        seed=seed,
        standardize=preset.network.standardize,
    )
    labels = paper_labels(image.working_rgb, strokes, len(classes), image.half_size, preset.fit)
    index = np.full(UNKNOWN + 1, -1, np.int64)
    index[list(classes)] = np.arange(len(classes))
    rows, columns = (
        np.minimum((np.arange(n) * 2 + 1) * full // (2 * n), full - 1)
        for n, full in zip(image.half_size, size, strict=True)
    )
    truth = index[loaded.truth[np.ix_(rows, columns)]]
    return FitInputs(image.features, labels, truth, len(classes))


def choose_pixels(inputs: FitInputs, per_class: int, rng: np.random.Generator) -> Pixels:
    """At most `per_class` pixels of each class, a quarter of them from the training labels."""
    labelled = inputs.labels < inputs.classes
    chosen: list[NDArray[np.int64]] = []
    for k in range(inputs.classes):
        trained = np.argwhere(labelled & (inputs.truth == k))
        others = np.argwhere(~labelled & (inputs.truth == k))
        quarter = min(per_class // 4, len(trained))
        chosen.append(rng.permutation(trained)[:quarter])
        chosen.append(rng.permutation(others)[: per_class - quarter])
    positions = np.concatenate(chosen)
    y, x = positions.T
    return Pixels(positions, inputs.truth[y, x], labelled[y, x])


def record_features(
    inputs: FitInputs,
    preset: Preset,
    positions: NDArray[np.int64],
    seed: int,
    *,
    progress: Callable[[float], None] | None = None,
) -> NDArray[np.float32]:
    """Fit, and record what the classifier reads before the first and after each step.

    Args:
        inputs: the image.
        preset: one with `PaperFitSettings`.
        positions: (P, 2) of (y, x) at half size.
        seed: of the fit and of the recorded draws, which have their own generator.
        progress: told the fraction of steps done.

    Returns:
        (steps + 1, P, C): both branches, C = 2 x their width, normalised as the classifier gets
        them; of one draw of the sampling positions each.
    """
    assert isinstance(preset.fit, PaperFitSettings)
    maps = inputs.features
    net = random_net(preset.network, maps.shape[1], inputs.classes, seed=seed)
    draws = torch.Generator().manual_seed(seed + 1)
    y, x = torch.from_numpy(positions).T
    vectors = [classifier_inputs(net, maps, draws)[:, y, x].T.numpy()]

    def record_step(fraction: float) -> bool:
        vectors.append(classifier_inputs(net, maps, draws)[:, y, x].T.numpy())
        if progress is not None:
            progress(fraction)
        return True

    fit_paper(
        maps,
        torch.from_numpy(inputs.labels),
        inputs.classes,
        preset.fit,
        preset.network,
        generator=torch.Generator().manual_seed(seed),
        step=record_step,
        warm_start=net,
    )
    return np.stack(vectors)


@torch.no_grad()
def classifier_inputs(net: ScribbleNet, maps: Tensor, generator: torch.Generator) -> Tensor:
    """What the classifier reads of maps (1, Cin, h, w) with one draw of positions: (C, h, w)."""
    fused = net.fused(maps)
    random = net.branch in RANDOM_BRANCHES
    dynamic = net.dynamic(fused, generator=generator) if random else net.dynamic(fused)
    branches: Tensor = net.branch_norm(torch.cat([net.local(fused), dynamic], 1))
    return branches[0]
