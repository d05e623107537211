"""Colours of strokes, counted."""

import numpy as np
import pytest

from saccade.scribbles import colors


@pytest.mark.parametrize("clear", [False, True])
def test_large_images_are_counted_in_parts_to_the_same_end(monkeypatch, clear):
    rgba = np.random.default_rng(0).integers(0, 3, (50, 40, 4), dtype=np.uint8) * 100
    rgba[..., 3] = 255
    rgba[:20, :, 3] -= np.uint8(90 * clear)
    whole = colors._count_colors(rgba)
    monkeypatch.setattr(colors, "_COUNTED_AT_ONCE", 300)
    parts = colors._count_colors(rgba)
    for name in ("opaque", "present", "counts", "index"):
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))
    np.testing.assert_array_equal(parts.labels({0: 3}, 9), whole.labels({0: 3}, 9))
