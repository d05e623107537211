"""Figure 10 of the GDC paper: the positions that a kernel samples in 100 draws."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from saccade.experiments.engine.plotting import (
    COLORS,
    INK,
    new_figure,
    save_figure,
    show_image,
    to_image_pixels,
)
from saccade.experiments.engine.report import Report, write_json
from saccade.experiments.engine.samples import Sample
from saccade.experiments.gdc.image_tables import GDC, preset_of
from saccade.images import load_image
from saccade.interactive.prepared import working_size
from saccade.ops import half_gaussian_offsets, positions_at, round_positions, tap_directions

DRAWS = 100
SIGMAS = (0.1, 0.15, 0.2)
DILATION = 6


@dataclass(frozen=True)
class Reach:
    """How far a kernel reaches, in pixels of the image: of its eight outer taps over all draws."""

    kernel: str
    median: float
    ninetieth: float
    at_border: float  # share that the border of the map stops


def map_size(size: tuple[int, int]) -> tuple[int, int]:
    """Size (h, w) of the feature maps of an image (H, W): half of the working size."""
    height, width = working_size(size, preset_of(GDC).max_pixels)
    return -(-height // 2), -(-width // 2)


def sample_positions(
    center: tuple[int, int],
    size: tuple[int, int],
    sigma: float | None,
    *,
    generator: torch.Generator,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Positions of the outer taps at `center` (y, x) of a map (h, w).

    Args:
        center: (y, x).
        size: (h, w).
        sigma: share of the map's shortest side; None is the dilated kernel, of one draw.
        generator: of the draws.

    Returns:
        (draws, 8, 2) of (y, x), moved to the border as the layer does, and (draws, 8) whether
        they were.
    """
    taps = tap_directions(3)
    taps = taps[taps.abs().sum(1) > 0]
    draws = 1 if sigma is None else DRAWS
    offsets: torch.Tensor | float = float(DILATION)
    if sigma is not None:
        offsets = half_gaussian_offsets((draws, 8, 2), sigma * min(size), generator=generator)
    centers = torch.tensor([center] * draws)
    positions = round_positions(positions_at(centers, taps, offsets), "nearest")[0, :, :, :, 0]
    positions = positions.permute(2, 0, 1)  # (draws, 8, 2)
    inside = positions.clamp_min(0).minimum(torch.tensor(size) - 1)
    return inside.numpy(), (inside != positions).any(2).numpy()


def run_figure10(sample: Sample, folder: Path, *, seed: int = 0) -> Report:
    """Draw figure 10 on the photograph of a sample; see `draw_figure10`.

    Raises:
        InputError: the photograph cannot be read, or matplotlib is not installed.
    """
    files = draw_figure10(load_image(sample.image), folder, seed=seed)
    return Report("", tuple(files))


def draw_figure10(image: NDArray[np.uint8], folder: Path, *, seed: int = 0) -> list[Path]:
    """Draw dilated 6 beside GDC with the paper's and the preset's sigma.

    Args:
        image: (H, W, 3) uint8.
        folder: where gdc-figure10.png and .json go; must exist.
        seed: of the sampled positions.

    Returns:
        The paths written.

    Raises:
        InputError: matplotlib is not installed.
    """
    height, width = image.shape[:2]
    size = map_size((height, width))
    centers = [(size[0] * 2 // 5, size[1] // 3), (size[0] * 13 // 20, size[1] * 7 // 10)]
    figure = new_figure(12, 3 * height / width + 0.75)
    panels = figure.subplots(1, 1 + len(SIGMAS))
    generator = torch.Generator().manual_seed(seed)
    reaches = []
    for axes, sigma in zip(panels, (None, *SIGMAS), strict=True):
        kernel = f"dilated {DILATION}" if sigma is None else f"GDC, sigma = {sigma:g}"
        clouds = [sample_positions(c, size, sigma, generator=generator) for c in centers]
        reaches.append(_reach(kernel, centers, clouds, height / size[0]))
        show_image(axes, _faded(image))
        for color, center, (positions, _) in zip(COLORS[1::-1], centers, clouds, strict=True):
            y, x = to_image_pixels(positions.reshape(-1, 2), size, (height, width)).T
            large, opacity = (16, 1.0) if sigma is None else (5, 0.55)
            axes.scatter(x, y, s=large, c=color, alpha=opacity, linewidths=0)
            y, x = to_image_pixels(np.array(center), size, (height, width))
            axes.scatter(x, y, s=52, c=color, zorder=3, **_CROSS)
        axes.set_title(kernel.replace("sigma", "$\\Sigma$"), fontsize=11, color=INK)
        axes.text(0.5, -0.03, _caption(reaches[-1]), **_BELOW, transform=axes.transAxes)
    save_figure(figure, folder / "gdc-figure10.png")
    content = {"draws": DRAWS, "seed": seed, "kernels": [asdict(reach) for reach in reaches]}
    write_json(folder / "gdc-figure10.json", content)
    return [folder / "gdc-figure10.png", folder / "gdc-figure10.json"]


_CROSS = {"marker": "X", "edgecolors": "white", "linewidths": 1.1}
_BELOW = {"ha": "center", "va": "top", "fontsize": 9, "color": INK}


def _faded(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Gray and pale, so that points stand out."""
    gray = image.mean(axis=2, keepdims=True)
    pale: NDArray[np.uint8] = np.rint(255 - 0.55 * (255 - gray)).astype(np.uint8)
    return pale.repeat(3, axis=2)


def _reach(
    kernel: str,
    centers: Sequence[tuple[int, int]],
    clouds: Sequence[tuple[NDArray[np.float32], NDArray[np.bool_]]],
    scale: float,
) -> Reach:
    steps = [
        positions - np.array(center) for center, (positions, _) in zip(centers, clouds, strict=True)
    ]
    distances = scale * np.linalg.norm(np.concatenate(steps), axis=2)
    stopped = np.concatenate([at_border for _, at_border in clouds])
    return Reach(
        kernel,
        float(np.median(distances)),
        float(np.quantile(distances, 0.9)),
        float(stopped.mean()),
    )


def _caption(reach: Reach) -> str:
    return f"median reach {reach.median:.0f} px, 90 % below {reach.ninetieth:.0f} px"
