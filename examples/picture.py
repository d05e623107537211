"""Draws the README's picture from the results of ``make demo``: docs/images/demo.jpg."""

from pathlib import Path

import numpy as np
from PIL import Image

from saccade.formats.masks import read_mask
from saccade.formats.overlay import render_overlay, stroke_preview
from saccade.images import load_image
from saccade.scribbles.readers import read_strokes

ROOT = Path(__file__).parent.parent
GAP = 12


def main() -> None:
    """Strokes, mask and uncertainty side by side on white."""
    image = load_image(ROOT / "out/demo/photo/cat.png")
    strokes = read_strokes(ROOT / "examples/cat_strokes.png", shape=image.shape[:2])
    mask = read_mask(ROOT / "out/demo/cat.png")
    panels = [
        stroke_preview(image, strokes.labels, unlabeled=strokes.unlabeled),
        render_overlay(image, mask),
        load_image(ROOT / "out/demo/uncertainty/cat.png"),
    ]
    gap = np.full((image.shape[0], GAP, 3), 255, np.uint8)
    row = np.concatenate([panels[0], gap, panels[1], gap, panels[2]], axis=1)
    target = ROOT / "docs/images/demo.jpg"
    target.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(row).save(target, quality=90)


if __name__ == "__main__":
    main()
