"""Strokes of vector files become pixels: widths, caps, order, borders."""

import numpy as np
import pytest

from saccade.errors import InputError
from saccade.scribbles.drawing import VectorStroke, draw_strokes


def draw(*strokes, shape=(40, 60), width=3, unlabeled=255):
    return draw_strokes(strokes, shape, width=width, unlabeled=unlabeled)


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 10])
def test_a_horizontal_line_is_as_wide_as_asked(width):
    labels = draw(VectorStroke(1, ((20, 20), (40, 20))), width=width)
    assert (labels[:, 30] == 1).sum() == width
    rows = np.flatnonzero((labels == 1).any(axis=1))
    assert len(rows) == width  # the round ends are no wider than the line
    columns = np.flatnonzero((labels == 1).any(axis=0))
    assert len(columns) == 21 + width - 1  # and reach half a width beyond it


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 10])
def test_a_vertical_line_is_the_transposed_horizontal_one(width):
    lying = draw(VectorStroke(1, ((10, 20), (30, 20))), shape=(50, 50), width=width)
    standing = draw(VectorStroke(1, ((20, 10), (20, 30))), shape=(50, 50), width=width)
    np.testing.assert_array_equal(standing, lying.T)


def test_ends_of_lines_are_round():
    labels = draw(VectorStroke(1, ((15, 20), (40, 20))), width=11)
    assert labels[20, 10] == 1
    assert labels[15, 10] == 255
    assert labels[25, 10] == 255


@pytest.mark.parametrize(("width", "pixels"), [(1, 1), (2, 4), (3, 5)])
def test_one_point_is_a_dot(width, pixels):
    labels = draw(VectorStroke(4, ((7, 9),)), width=width)
    assert (labels == 4).sum() == pixels
    assert labels[9, 7] == 4


def test_repeated_point_is_a_dot():
    labels = draw(VectorStroke(4, ((7, 9), (7, 9))), width=1)
    assert np.argwhere(labels == 4).tolist() == [[9, 7]]


def test_x_and_y_are_not_swapped():
    labels = draw(VectorStroke(1, ((50, 5),)), width=1)
    assert np.argwhere(labels == 1).tolist() == [[5, 50]]


def test_later_strokes_are_on_top():
    across = VectorStroke(0, ((5, 20), (50, 20))), VectorStroke(1, ((30, 5), (30, 35)))
    assert draw(*across)[20, 30] == 1
    assert draw(*across[::-1])[20, 30] == 0


def test_large_class_values_and_other_unlabeled():
    labels = draw(VectorStroke(65534, ((5, 5),)), VectorStroke(255, ((20, 20),)), unlabeled=65535)
    assert set(np.unique(labels)) == {255, 65534, 65535}
    assert labels.dtype == np.int32


def test_points_outside_move_to_the_border():
    labels = draw(
        VectorStroke(1, ((-30, 10), (999, 10))), VectorStroke(2, ((1e12, 1e12),)), width=1
    )
    assert (labels[10] == 1).all()
    assert labels[39, 59] == 2


def test_regions_are_filled():
    square = ((10, 10), (20, 10), (20, 20), (10, 20))
    np.testing.assert_array_equal(
        draw(VectorStroke(1, square, "polygon")),
        draw(VectorStroke(1, ((20, 20), (10, 10)), "rectangle")),
    )
    assert (draw(VectorStroke(1, square, "polygon")) == 1).sum() == 121
    circle = draw(VectorStroke(1, ((20, 20), (20, 30)), "circle"))
    assert abs((circle == 1).sum() - np.pi * 10.5**2) < 20


def test_huge_polygon_covers_the_image():
    corners = ((-1e300, -1e300), (1e300, -1e300), (1e300, 1e300), (-1e300, 1e300))
    assert (draw(VectorStroke(1, corners, "polygon")) == 1).all()


def test_a_width_below_one_is_refused():
    with pytest.raises(InputError, match="width"):
        draw(VectorStroke(1, ((5, 5),)), width=0)
