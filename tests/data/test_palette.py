"""The VOC colour map against its published loop and colours."""

import numpy as np
import pytest

from saccade.data.palette import pack_rgb, voc_index, voc_palette


def voc_loop(count: int) -> np.ndarray:
    colors = np.zeros((count, 3), dtype=np.uint8)
    for i in range(count):
        r = g = b = 0
        c = i
        for j in range(8):
            r |= (c >> 0 & 1) << (7 - j)
            g |= (c >> 1 & 1) << (7 - j)
            b |= (c >> 2 & 1) << (7 - j)
            c >>= 3
        colors[i] = r, g, b
    return colors


def test_equals_the_development_kits_loop():
    np.testing.assert_array_equal(voc_palette(1000), voc_loop(1000))


def test_colors_are_those_of_voc():
    palette = voc_palette()
    assert palette.shape == (256, 3)
    assert palette[[0, 1, 15, 20, 255]].tolist() == [
        [0, 0, 0],
        [128, 0, 0],
        [192, 128, 128],
        [0, 64, 128],
        [224, 224, 192],
    ]


def test_colors_differ_beyond_256():
    assert len(np.unique(pack_rgb(voc_palette(5000)))) == 5000


def test_index_inverts_the_palette():
    for i, color in enumerate(pack_rgb(voc_palette())):
        assert voc_index()[int(color)] == i


@pytest.mark.parametrize("count", [-1, (1 << 24) + 1])
def test_an_impossible_count_is_refused(count):
    with pytest.raises(ValueError, match="count"):
        voc_palette(count)


def test_a_palette_of_no_colors_is_empty():
    assert voc_palette(0).shape == (0, 3)
