"""Feature vectors of the light network while it is optimised (GDC paper, figure 11)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from saccade.experiments.reading import Loaded
from saccade.interactive.fit_paper import fit_paper
from saccade.interactive.inputs import encode_strokes
from saccade.interactive.prepared import prepare_image
from saccade.interactive.presets import NetworkSettings, PaperFitSettings, Preset
from saccade.interactive.stroke_maps import paper_labels
from saccade.models.scribble_net import RANDOM_BRANCHES, ScribbleNet

UNKNOWN = 255


@dataclass(frozen=True)
class Prepared:
    """An image ready to be fitted to several times.

    ``features`` (1, C, h, w) are of the frozen extractor; ``labels`` (h, w) the training labels at
    half size, K where there is none; ``truth`` (h, w) class indices at half size, -1 where it is
    unknown.
    """

    features: Tensor
    labels: NDArray[np.int64]
    truth: NDArray[np.int64]
    classes: int


@dataclass(frozen=True)
class Pixels:
    """Chosen pixels of the half-size map: (P, 2) of (y, x), their truth and whether they train."""

    places: NDArray[np.int64]
    truth: NDArray[np.int64]
    labelled: NDArray[np.bool_]


def prepare(pair: Loaded, preset: Preset, seed: int) -> Prepared:
    """Features and training labels, as the preset's fit sees them.

    Raises:
        InputError: the strokes cannot be used.
    """
    assert isinstance(preset.fit, PaperFitSettings)
    size = pair.image.shape[0], pair.image.shape[1]
    classes, strokes = encode_strokes(pair.strokes, size, unlabeled=UNKNOWN)
    image = prepare_image(
        pair.image, features=preset.network.features, max_pixels=preset.max_pixels, seed=seed
    )
    labels = paper_labels(image.working_rgb, strokes, len(classes), image.half_size, preset.fit)
    index = np.full(UNKNOWN + 1, -1, np.int64)
    index[list(classes)] = np.arange(len(classes))
    rows, columns = (
        np.minimum((np.arange(n) * 2 + 1) * full // (2 * n), full - 1)
        for n, full in zip(image.half_size, size, strict=True)
    )
    truth = index[pair.truth[np.ix_(rows, columns)]]
    return Prepared(image.features, labels, truth, len(classes))


def choose_pixels(prepared: Prepared, per_class: int, rng: np.random.Generator) -> Pixels:
    """At most `per_class` pixels of each class, a quarter of them from the training labels."""
    labelled = prepared.labels < prepared.classes
    chosen: list[NDArray[np.int64]] = []
    for k in range(prepared.classes):
        trained = np.argwhere(labelled & (prepared.truth == k))
        others = np.argwhere(~labelled & (prepared.truth == k))
        quarter = min(per_class // 4, len(trained))
        chosen.append(rng.permutation(trained)[:quarter])
        chosen.append(rng.permutation(others)[: per_class - quarter])
    places = np.concatenate(chosen)
    y, x = places.T
    return Pixels(places, prepared.truth[y, x], labelled[y, x])


def record(
    prepared: Prepared,
    preset: Preset,
    places: NDArray[np.int64],
    seed: int,
    *,
    progress: Callable[[float], None] | None = None,
) -> NDArray[np.float32]:
    """Fit, and keep what the classifier reads at `places` before the first and after each step.

    Args:
        prepared: the image.
        preset: one with `PaperFitSettings`.
        places: (P, 2) of (y, x) at half size.
        seed: of the fit and of the recorded draws, which have their own generator.
        progress: told the fraction of steps done.

    Returns:
        (steps + 1, P, C): both branches, C = 2 x their width, normalised as the classifier gets
        them; of one draw of the sampling positions each.
    """
    assert isinstance(preset.fit, PaperFitSettings)
    maps = prepared.features
    net = _start(preset.network, maps.shape[1], prepared.classes, seed)
    draws = torch.Generator().manual_seed(seed + 1)
    y, x = torch.from_numpy(places).T
    vectors = [classifier_inputs(net, maps, draws)[:, y, x].T.numpy()]

    def keep(fraction: float) -> bool:
        vectors.append(classifier_inputs(net, maps, draws)[:, y, x].T.numpy())
        if progress is not None:
            progress(fraction)
        return True

    fit_paper(
        maps,
        torch.from_numpy(prepared.labels),
        prepared.classes,
        preset.fit,
        preset.network,
        generator=torch.Generator().manual_seed(seed),
        step=keep,
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


def _start(network: NetworkSettings, channels: int, classes: int, seed: int) -> ScribbleNet:
    """The network at the start that `fit_paper` would draw for this seed."""
    return ScribbleNet(
        channels,
        classes,
        channels=network.channels,
        hidden=network.hidden,
        branch=network.branch,
        sigma=network.sigma,
        dilation=network.dilation,
        norm=network.norm,
        generator=torch.Generator().manual_seed(seed),
    )
