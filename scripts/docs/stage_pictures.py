"""Draw the pictures of docs/explanation/how-a-mask-comes-about.md from the real pipeline.

    python scripts/docs/stage_pictures.py

The functions that `saccade.interactive.pipeline` calls are watched while it segments the photograph
of the tutorial; each picture is what one of them returned. One scale for all: background is blue,
the cat is orange, white is undecided.
"""

import argparse
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage
from skimage import data

from saccade.files import atomic_write
from saccade.interactive import Preset, finish, pipeline, preset_named
from saccade.interactive.prepared import PreparedImage, prepare_image
from saccade.models.fusion_net import CUES

ROOT = Path(__file__).resolve().parents[2]
STAGES = {
    pipeline: ("stroke_maps", "average_draws", "compute_cues", "fuse_cues"),
    finish: ("refine_half",),
}
COLORS = np.array([[43, 91, 145], [232, 119, 34]], np.float64)  # background, cat
SHOWN_CUES = (
    "network",
    "color",
    "spread",
    "geodesic_lead",
    "euclidean_lead",
    "color_region_refitted",
)
STROKES = {
    0: [
        [(418, 28), (425, 140)],
        [(430, 190), (375, 205), (430, 280)],
        [(10, 22), (14, 50), (10, 100)],
    ],
    1: [
        [(85, 60), (205, 60), (320, 80)],
        [(90, 130), (180, 200), (220, 285)],
        [(15, 265), (60, 225), (110, 280)],
    ],
}
Picture = NDArray[np.uint8]
Lines = dict[int, list[list[tuple[int, int]]]]  # per class, points (x, y)


def main() -> None:
    """Write all pictures."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n")[0])
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs" / "images" / "stages")
    output = parser.parse_args().output
    output.mkdir(parents=True, exist_ok=True)
    for name, picture in stage_pictures(data.cat(), drawn_strokes(STROKES, data.cat())).items():
        with atomic_write(output / f"{name}.jpg") as path:
            Image.fromarray(picture).save(path, "JPEG", quality=88)
    two = {0: STROKES[0][:1], 1: STROKES[1][:1]}
    for number, lines in enumerate((two, STROKES), start=1):
        with atomic_write(ROOT / "docs" / "images" / f"first-mask-{number}.jpg") as path:
            Image.fromarray(before_and_after(data.cat(), lines)).save(path, "JPEG", quality=88)


def drawn_strokes(lines: Lines, rgb: Picture) -> NDArray[np.int64]:
    """Strokes (H, W) as the tutorial draws them, 2 where nobody drew."""
    canvas = Image.new("L", rgb.shape[1::-1], 2)
    pen = ImageDraw.Draw(canvas)
    for value, strokes in lines.items():
        for line in strokes:
            pen.line(line, fill=value, width=6)
    return np.asarray(canvas).astype(np.int64)


def watched(
    image: PreparedImage, strokes: NDArray[np.int64], preset: Preset
) -> tuple[dict[str, Any], Any]:
    """What each stage of the pipeline returned, and the segmentation."""
    seen: dict[str, Any] = {}

    def watch(module: ModuleType, name: str) -> Callable[..., Any]:
        stage = getattr(module, name)

        def call(*args: Any, **options: Any) -> Any:
            seen[name] = stage(*args, **options)
            return seen[name]

        return call

    with ExitStack() as patched:
        for module, names in STAGES.items():
            for name in names:
                patched.enter_context(patch.object(module, name, watch(module, name)))
        fitted = pipeline.segment_prepared(image, strokes, (0, 1), preset)
    assert fitted is not None
    return seen, fitted.result


def stage_pictures(rgb: Picture, strokes: NDArray[np.int64]) -> dict[str, Picture]:
    """Every stage as a picture (H, W, 3), by name."""
    preset = preset_named("fast")
    image = prepare_image(rgb, max_pixels=preset.max_pixels)
    seen, result = watched(image, strokes, preset)
    size = rgb.shape[:2]
    averaged = seen["average_draws"]
    cues = dict(zip(CUES, seen["compute_cues"][1].numpy(), strict=True))  # of the cat
    panels = []
    for name in SHOWN_CUES:
        low = -np.abs(cues[name]).max() if cues[name].min() < 0 else 0.0
        share = (cues[name] - low) / (np.abs(cues[name]).max() - low)
        panels.append(heat(np.sqrt(share)) if name == "spread" else scale(share))
    return {
        "strokes": with_strokes(rgb, strokes),
        "labels": enlarged(labels_picture(rgb, seen["stroke_maps"].labels_half.numpy()), size),
        "features": grid([gray(f) for f in chosen_features(image.features[0].numpy())], size),
        "averaged": enlarged(scale(averaged.mean[1].numpy()), size),
        "spread": enlarged(
            heat(np.sqrt(averaged.spread.numpy() / float(averaged.spread.max()))), size
        ),
        "cues": grid(panels, size),
        "fused": enlarged(scale(seen["fuse_cues"][1].numpy()), size),
        "refined": enlarged(scale(seen["refine_half"][1].numpy()), size),
        "mask": with_mask(rgb, result.labels == 1),
        "uncertainty": heat(result.uncertainty),
    }


def before_and_after(rgb: Picture, lines: Lines) -> Picture:
    """Strokes and their mask side by side."""
    preset, strokes = preset_named("fast"), drawn_strokes(lines, rgb)
    image = prepare_image(rgb, max_pixels=preset.max_pixels)
    result = watched(image, strokes, preset)[1]
    return np.hstack([with_strokes(rgb, strokes), with_mask(rgb, result.labels == 1)])


def chosen_features(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Six maps that differ: of each sixth of the channels the one that varies most smoothly."""
    smooth = [ndimage.gaussian_filter(f, 3).std() for f in features]
    groups = np.array_split(np.arange(len(features)), len(SHOWN_CUES))
    return features[[group[np.argmax([smooth[i] for i in group])] for group in groups]]


def scale(share: NDArray[np.floating]) -> Picture:
    """0 blue, 0.5 white, 1 orange."""
    side = np.abs(2 * np.clip(share, 0, 1) - 1)[..., None]
    color = COLORS[(share > 0.5).astype(int)]
    return (255 + side * (color - 255)).astype(np.uint8)


def heat(share: NDArray[np.floating]) -> Picture:
    """0 nearly black, 1 bright yellow, over red."""
    stops = np.array([[18, 18, 30], [110, 25, 85], [215, 70, 55], [255, 225, 120]], np.float64)
    at = np.clip(share, 0, 1) * (len(stops) - 1)
    channels = [np.interp(at, np.arange(len(stops)), stops[:, c]) for c in range(3)]
    return np.stack(channels, -1).astype(np.uint8)


def gray(values: NDArray[np.floating]) -> Picture:
    """Between the 2nd and the 98th percentile."""
    low, high = np.percentile(values, [2, 98])
    share = np.clip((values - low) / max(high - low, 1e-6), 0, 1)
    return np.repeat((255 * share).astype(np.uint8)[..., None], 3, -1)


def labels_picture(rgb: Picture, labels: NDArray[np.int64]) -> Picture:
    """Labels in color over the paled image at half size."""
    small = np.asarray(Image.fromarray(rgb).resize(labels.shape[::-1], Image.Resampling.BOX))
    out = 0.45 * small + 0.55 * 255
    out[labels < 2] = COLORS[labels[labels < 2]]
    return out.astype(np.uint8)


def with_strokes(rgb: Picture, strokes: NDArray[np.int64]) -> Picture:
    """Strokes with a white rim over the image."""
    out = rgb.copy()
    drawn = strokes < 2
    out[ndimage.binary_dilation(drawn, iterations=2)] = 255
    out[drawn] = COLORS[strokes[drawn]]
    return out


def with_mask(rgb: Picture, mask: NDArray[np.bool_]) -> Picture:
    """The thing in its colors, the rest paled to gray, an orange line between them."""
    pale = rgb.mean(-1, keepdims=True) * 0.3 + 0.7 * 235
    out = np.where(mask[..., None], rgb, pale)
    out[ndimage.binary_dilation(mask, iterations=2) & ~mask] = COLORS[1]
    return out.astype(np.uint8)


def enlarged(picture: Picture, size: tuple[int, ...]) -> Picture:
    """At the size (H, W), pixels kept visible."""
    resized = Image.fromarray(picture).resize((size[1], size[0]), Image.Resampling.NEAREST)
    return np.asarray(resized)


def grid(pictures: list[Picture], size: tuple[int, ...], *, columns: int = 3) -> Picture:
    """Pictures in rows, six pixels of white between them."""
    height, width, gap = size[0] // 2, size[1] // 2, 6
    rows = -(-len(pictures) // columns)
    shape = (rows * (height + gap) - gap, columns * (width + gap) - gap, 3)
    out = np.full(shape, 255, np.uint8)
    for number, picture in enumerate(pictures):
        y, x = (number // columns) * (height + gap), (number % columns) * (width + gap)
        out[y : y + height, x : x + width] = enlarged(picture, (height, width))
    return out


if __name__ == "__main__":
    main()
