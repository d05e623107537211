from pathlib import Path

import numpy as np
import pytest

from saccade.errors import InputError
from saccade.images import Image
from saccade.stacks.strokes import along, in_order, read_stack_strokes

STACK = Image(np.zeros((5, 3, 4, 6), np.uint8), "ZCYX", source=Path("stack.tif"))


def _labels(*shape):
    labels = np.full(shape, 255, np.uint8)
    labels[1, 0], labels[1, 3], labels[4, 2, 2] = 0, 3, 3
    return labels


@pytest.mark.parametrize("axes", ["YX", "ZYX", "TYX", "TZYX", "YXZ", "XTYZ"])
def test_labels_come_back_along_their_axes(axes):
    labels = np.arange(np.prod([len(axes) + i for i in range(len(axes))]))
    labels = labels.reshape([len(axes) + i for i in range(len(axes))])
    assert in_order(labels, axes).ndim == 4
    assert np.array_equal(along(in_order(labels, axes), axes), labels)


def test_strokes_become_class_indices():
    found = read_stack_strokes(_labels(5, 4, 6), STACK, unlabeled=255)
    assert found.classes == (0, 3)
    assert found.index.shape == (1, 5, 4, 6)
    assert found.index[0, 1, 3].tolist() == [1] * 6
    assert found.index[0, 0].min() == 2
    assert found.stroked == [(0, 1), (0, 4)]


def test_what_nobody_drew_is_found_in_all_planes_together():
    labels = np.zeros((5, 4, 6), np.uint8)
    labels[1, 0], labels[1, 3] = 1, 2
    found = read_stack_strokes(labels, STACK, unlabeled=255)
    assert found.classes == (1, 2)
    assert "0 = unlabelled" in found.remarks[0]


@pytest.mark.parametrize("kind", ["tiff", "npy", "imagej"])
def test_names_of_axes_count_where_the_file_gives_them(kind):
    times = Image(_labels(5, 4, 6), "TYX", kind=kind, source=Path("drawn.tif"))
    if kind == "imagej":
        with pytest.raises(InputError, match=r"axes TYX \(5 x 4 x 6\), expected ZYX \(5 x 4 x 6\)"):
            read_stack_strokes(times, STACK, unlabeled=255)
    else:
        assert read_stack_strokes(times, STACK, unlabeled=255).stroked == [(0, 1), (0, 4)]


@pytest.mark.parametrize(
    ("strokes", "said"),
    [
        (np.zeros((4, 6), int), r"shape \(4, 6\), expected \(5, 4, 6\) along ZYX, as stack.tif"),
        (np.zeros((5, 6, 4), int), "expected"),
        (np.zeros((5, 4, 6)), "float64, must be integer"),
        (np.full((5, 4, 6), 255), "empty"),
        ({5: np.zeros((4, 6), int)}, "plane 5, expected z from 0 to 4"),
        ({1: np.zeros((6, 4), int)}, r"plane 1 are int64 of shape \(6, 4\)"),
        ({(1, 1): np.zeros((4, 6), int)}, "plane"),
        (Image(np.zeros((4, 6), int), "YX", source=Path("d.png")), r"d.png: axes YX \(4 x 6\)"),
        (Image(_labels(5, 4, 5), "ZYX"), "expected ZYX"),
    ],
)
def test_strokes_that_do_not_fit_are_one_line(strokes, said):
    with pytest.raises(InputError, match=said):
        read_stack_strokes(strokes, STACK, unlabeled=255)


def test_strokes_of_one_class_are_too_few():
    labels = np.full((5, 4, 6), 255)
    labels[1, 0] = 2
    with pytest.raises(InputError, match="class 2 alone"):
        read_stack_strokes(labels, STACK, unlabeled=255)


def test_a_class_that_is_not_there_is_named():
    with pytest.raises(InputError, match="label 3"):
        read_stack_strokes(_labels(5, 4, 6), STACK, unlabeled=255, classes=[0, 1])
