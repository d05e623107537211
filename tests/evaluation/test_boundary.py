import numpy as np
import pytest

from saccade.errors import InputError
from saccade.evaluation.boundary import boundary_counts


def square(top, left, side=10, size=(40, 60)):
    labels = np.zeros(size, np.int64)
    labels[top : top + side, left : left + side] = 1
    return labels


def test_boundaries_that_match_within_the_tolerance():
    target = square(10, 10)
    assert boundary_counts(target, target, 2).f_scores().tolist() == [1, 1]
    near = boundary_counts(target, square(11, 10), 2, tolerance=1 / 72)
    assert near.f_scores()[1] == 1
    far = boundary_counts(target, square(10, 40), 2, tolerance=1 / 72)
    assert far.f_scores().tolist() == [0, 0]


def test_boundary_counts_against_every_pair_of_pixels():
    target, prediction = square(10, 10), square(13, 12)
    found = boundary_counts(target, prediction, 2, tolerance=2 / np.hypot(40, 60))

    def contour(labels):
        inside = np.argwhere(labels == 1)
        return [
            (y, x)
            for y, x in inside
            if any(labels[y + a, x + b] != 1 for a, b in ((0, 1), (1, 0), (0, -1), (-1, 0)))
        ]

    true, seen = contour(target), contour(prediction)
    near = [min(np.hypot(y - v, x - u) for v, u in seen) <= 2 for y, x in true]
    assert (found.truth[1], found.matched_truth[1]) == (36, sum(near))
    assert found.prediction[1] == len(seen) == 36


def test_ignored_pixels_make_no_boundary():
    target = square(10, 10)
    target[:, 30:] = 255
    prediction = target.copy()
    prediction[:, 30:] = 1
    assert boundary_counts(target, prediction, 2).f_scores().tolist() == [1, 1]
    with pytest.raises(InputError, match="same"):
        boundary_counts(target, prediction[:5], 2)


def test_counts_of_images_add_up():
    one = boundary_counts(square(10, 10), square(13, 12), 2)
    both = one + one
    np.testing.assert_allclose(both.f_scores(), one.f_scores())
    assert (both.truth == 2 * one.truth).all()
