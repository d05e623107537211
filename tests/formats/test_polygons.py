"""Filling polygons: the same pixels as scikit-image, in the memory of the mask."""

import tracemalloc

import numpy as np
import pytest
from skimage import draw

from saccade.formats.polygons import fill_polygon


def reference(points, height, width):
    mask = np.zeros((height, width), bool)
    mask[draw.polygon(points[:, 1] - 0.5, points[:, 0] - 0.5, (height, width))] = True
    return mask


@pytest.mark.parametrize("step", [None, 1, 0.5])
@pytest.mark.parametrize("corners", [3, 4, 9, 40])
def test_the_pixels_are_those_of_scikit_image(step, corners):
    rng = np.random.default_rng(corners)
    for _ in range(40):
        points = rng.uniform(-15, 95, (corners, 2))  # crosses itself and leaves the image
        points = points if step is None else np.rint(points / step) * step
        np.testing.assert_array_equal(
            fill_polygon(points, 70, 80), reference(points, 70, 80), err_msg=str(points.tolist())
        )


@pytest.mark.parametrize(
    "points",
    [
        [[0, 0], [80, 0], [80, 70], [0, 70]],
        [[2.5, 2.5], [9.5, 2.5], [9.5, 6.5], [2.5, 6.5]],  # along centres
        [[-5, -5], [-1, -5], [-1, -1]],  # outside
        [[3, 3], [3, 3], [3, 3]],
        [[1e7, 1e7], [-1e7, 1e7], [0, -1e7]],
    ],
)
def test_borders_and_polygons_of_no_area(points):
    points = np.asarray(points, float)
    np.testing.assert_array_equal(fill_polygon(points, 70, 80), reference(points, 70, 80))


def test_the_mask_is_all_the_memory_it_takes():
    square = np.array([[0, 0], [2000, 0], [2000, 2000], [0, 2000]], float)
    tracemalloc.start()
    mask = fill_polygon(square, 2000, 2000)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert mask.all()
    assert most < 1.5 * mask.nbytes
