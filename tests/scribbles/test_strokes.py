"""The rule for 0 and 255, and the checks on class values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from saccade.errors import InputError
from saccade.scribbles.strokes import Strokes, TurnedError, strokes_from_array, value_counts


def canvas(background: int, *drawn: int, dtype: type = np.uint8) -> np.ndarray:
    """A 6 x 8 image of `background` with one row of two pixels for each of `drawn`."""
    array = np.full((6, 8), background, dtype=dtype)
    for row, value in enumerate(drawn):
        array[row, :2] = value
    return array


def test_255_is_unlabeled_where_it_occurs():
    strokes = strokes_from_array(canvas(255, 0, 1), source="dir/strokes.png", kind="palette PNG")
    np.testing.assert_array_equal(strokes.labels, canvas(255, 0, 1))
    assert strokes.labels.dtype == np.int32
    assert strokes.unlabeled == 255
    assert strokes.classes == (0, 1)
    assert strokes.assumption == (
        "strokes.png: palette PNG, 255 = unlabelled, classes 0, 1 (0 is a class, not 'unlabelled')"
    )


def test_0_is_unlabeled_where_it_covers_most_of_the_image():
    strokes = strokes_from_array(canvas(0, 1, 2))
    np.testing.assert_array_equal(strokes.labels, canvas(255, 1, 2))
    assert (strokes.unlabeled, strokes.classes) == (255, (1, 2))
    assert "0 = unlabelled (it covers 92% of the image), classes 1, 2" in strokes.assumption
    assert "not 'unlabelled'" not in strokes.assumption


def test_two_values_are_one_class_on_what_covers_most():
    strokes = strokes_from_array(canvas(0, 1))
    assert (strokes.unlabeled, strokes.classes) == (255, (1,))
    assert "0 = unlabelled (it covers 96% of the image), class 1 alone" in strokes.assumption


@pytest.mark.parametrize("given", [0, 1, 7, 255, -1, 100_000])
def test_a_given_unlabeled_value_wins(given):
    array = canvas(given, 2, 3, dtype=np.int64)
    array[5, 5] = 255 if given != 255 else 4
    strokes = strokes_from_array(array, unlabeled=given)
    drawn = array != given
    np.testing.assert_array_equal(strokes.labels[drawn], array[drawn])
    assert strokes.unlabeled == (255 if given == 255 else 65535)
    assert (strokes.labels[~drawn] == strokes.unlabeled).all()
    assert f"{given} = unlabelled (as told)" in strokes.assumption


def test_65535_is_unlabeled_and_255_then_a_class():
    strokes = strokes_from_array(canvas(65535, 0, 255, dtype=np.uint16))
    assert (strokes.unlabeled, strokes.classes) == (65535, (0, 255))
    assert strokes_from_array(canvas(65535, 0, 1, dtype=np.uint16)).unlabeled == 255


@pytest.mark.parametrize(
    ("array", "unlabeled", "message"),
    [
        (canvas(255), None, "no strokes"),
        (canvas(0), 0, "no strokes"),
        (canvas(255, 0, -3, dtype=np.int16), None, "label -3.*0..65535"),
        (canvas(255, 0, 65536, dtype=np.int32), None, "label 65536"),
        (np.zeros((4, 5, 3)), None, r"\(4, 5, 3\)"),
        (np.zeros((0, 5)), None, r"\(0, 5\)"),
        (np.zeros(5), None, r"\(5,\)"),
        (canvas(255, 0, 1) + 0.5, None, "whole numbers"),
        (np.full((3, 3), np.nan), None, "whole numbers"),
        (np.full((3, 3), 1e300), 255, "2\\*\\*53"),
        (np.array([["a", "b"]]), None, "data type"),
    ],
)
def test_wrong_arrays_are_refused(array, unlabeled, message):
    with pytest.raises(InputError, match=message) as caught:
        strokes_from_array(array, unlabeled=unlabeled, source="a.png")
    assert str(caught.value).startswith("a.png: ")
    assert "\n" not in str(caught.value)


def test_whole_floats_bools_and_a_last_axis_are_taken():
    assert strokes_from_array(canvas(255, 0, 1).astype(float)).classes == (0, 1)
    assert strokes_from_array(canvas(255, 0, 1)[..., None]).labels.shape == (6, 8)
    assert strokes_from_array(np.array([[2.0, 0, 0, 0, 1]])).classes == (1, 2)


def test_strokes_of_another_size_are_refused():
    assert strokes_from_array(canvas(255, 0, 1), shape=(6, 8)).classes == (0, 1)
    with pytest.raises(InputError, match=r"8 x 6 .*image is 9 x 6"):
        strokes_from_array(canvas(255, 0, 1), shape=(6, 9))


def test_strokes_on_their_side_are_called_so():
    with pytest.raises(TurnedError, match=r"8 x 6 .*image is 6 x 8.*on their side"):
        strokes_from_array(canvas(255, 0, 1), shape=(8, 6))


def test_names_belong_to_values():
    strokes = strokes_from_array(canvas(255, 0, 2), names=["sky", "tree", "road"])
    assert strokes.names == {0: "sky", 2: "road"}
    with pytest.raises(InputError, match="label 2, but there are only 2 class names"):
        strokes_from_array(canvas(255, 0, 2), names=["sky", "tree"])


def test_many_classes_are_cut_in_the_message():
    array = np.full((32, 16), 255)
    array[:16] = np.arange(256).reshape(16, 16)
    assert "11, ... (255 in all)" in strokes_from_array(array).assumption


def test_the_input_is_not_changed():
    array = canvas(0, 1, 2, dtype=np.int32)
    before = array.copy()
    strokes_from_array(array)
    np.testing.assert_array_equal(array, before)


def test_a_strokes_object_needs_labels_only():
    strokes = Strokes(canvas(255, 0, 1).astype(np.int32))
    assert (strokes.unlabeled, strokes.names, strokes.classes) == (255, {}, (0, 1))


@given(
    hnp.arrays(
        np.int32,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=7),
        elements=st.sampled_from([-7, 0, 1, 255, 256, 65535, 90_000]),
    )
)
def test_value_counts_equals_numpy(array):
    values, counts = np.unique(array, return_counts=True)
    assert value_counts(array) == dict(zip(values.tolist(), counts.tolist(), strict=True))


@given(
    hnp.arrays(np.int32, (4, 5), elements=st.sampled_from([0, 1, 2, 254, 255, 256, 65535])),
    st.sampled_from([0, 1, 7, 255, 65535]),
)
def test_reading_keeps_every_class(array, unlabeled):
    array = np.concatenate([array, np.full_like(array, unlabeled)])
    classes = set(array.ravel().tolist()) - {unlabeled}
    if not classes:
        with pytest.raises(InputError):
            strokes_from_array(array, unlabeled=unlabeled)
        return
    strokes = strokes_from_array(array, unlabeled=unlabeled)
    assert set(strokes.classes) == classes
    assert strokes.unlabeled not in classes
    for value in classes:
        np.testing.assert_array_equal(strokes.labels == value, array == value)
