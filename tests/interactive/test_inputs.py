import numpy as np
import pytest

from saccade.errors import InputError
from saccade.interactive.inputs import encode_strokes

DRAWN = np.array([[3, 255, 7], [255, 255, 7]])


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int64, np.uint64])
def test_values_with_gaps_become_indices(dtype):
    classes, index = encode_strokes(DRAWN.astype(dtype), (2, 3), unlabeled=255)
    assert classes == (3, 7)
    assert index.tolist() == [[0, 2, 1], [2, 2, 1]]
    assert index.dtype == np.int64


def test_given_classes_fix_the_indices():
    classes, index = encode_strokes(DRAWN, (2, 3), unlabeled=255, classes=[9, 7, 0, 3, 7])
    assert classes == (0, 3, 7, 9)
    assert index.tolist() == [[1, 4, 2], [4, 4, 2]]


@pytest.mark.parametrize(
    ("unlabeled", "classes"), [(0, (3, 255)), (-1, (0, 3, 255)), (70_000, (0, 3, 255))]
)
def test_any_value_can_mean_unlabeled(unlabeled, classes):
    strokes = np.array([[0, 3, 255]], np.uint8)
    found, index = encode_strokes(strokes, (1, 3), unlabeled=unlabeled)
    assert found == classes
    assert (index[0] < len(classes)).tolist() == [unlabeled != 0, True, True]


def test_lists_and_the_largest_label_are_fine():
    classes, index = encode_strokes([[0, 65_534]], (1, 2), unlabeled=255)
    assert classes == (0, 65_534)
    assert index.tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("strokes", "message"),
    [
        (np.zeros((2, 3, 1), int), "must be"),
        (np.zeros(6, int), "must be"),
        (np.zeros((2, 3)), "integer"),
        (np.zeros((2, 3), bool), "integer"),
        (np.full((2, 3), "a"), "integer"),
        (np.zeros((3, 2), int), "3x2.*2x3"),
        (np.full((2, 3), 255), "empty"),
        (np.array([[-1, 0, 1], [0, 0, 0]]), "label -1"),
        (np.array([[65_536, 0, 1], [0, 0, 0]]), "label 65536"),
        (np.array([[5, 0, 1], [0, 0, 0]]), "label 5.*classes 0, 1, 2"),
    ],
)
def test_what_cannot_be_used_is_named_in_one_line(strokes, message):
    classes = [0, 1, 2] if message.startswith("label 5") else None
    with pytest.raises(InputError, match=message) as caught:
        encode_strokes(strokes, (2, 3), unlabeled=255, classes=classes)
    assert "\n" not in str(caught.value)


def test_one_class_alone_gets_another_for_everything_else():
    classes, index = encode_strokes(np.full((2, 3), 7), (2, 3), unlabeled=255)
    assert classes == (0, 7)
    assert (index == 1).all()


@pytest.mark.parametrize(
    "classes", [[3, 7, -1], [3, 7, 65_536], [3, 7, 255], [3.0, 7.0], ["a"], [[3, 7]], 7, []]
)
def test_classes_that_are_no_class_values_are_refused(classes):
    with pytest.raises(InputError, match="class"):
        encode_strokes(DRAWN, (2, 3), unlabeled=255, classes=classes)
