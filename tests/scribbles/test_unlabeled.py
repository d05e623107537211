"""The one rule for what "nobody drew" is: every type, convention and way in."""

import numpy as np
import pytest
from PIL import Image

from saccade.annotations import read_any_strokes
from saccade.errors import InputError
from saccade.interactive.inputs import UNLABELED, encode_strokes, resolve_strokes
from saccade.napari.files import read_strokes_layer
from saccade.scribbles.strokes import strokes_from_array

# name -> (what nobody drew, background, object)
CONVENTIONS = {
    "255 unlabelled": (255, 0, 1),
    "0 unlabelled": (0, 1, 2),
    "grey levels": (0, 128, 255),
    "a canvas in the middle": (2, 0, 1),
    "a canvas of 255 and far classes": (255, 3, 200),
    "65535 unlabelled": (65535, 0, 1),
    "255 and 65535 are classes": (0, 255, 65535),
    "65535 is a class": (0, 1, 65535),
    "255 is a class": (65535, 0, 255),
    "-1 unlabelled": (-1, 0, 1),
    "ids up to 300": (0, 299, 300),
}
FILES = ("png", "palette png", "gif", "bmp", "tif", "npy", "napari")
WIDE = {"u1": 255, "u2": 65535, "i2": 32767, "i4": 2**31 - 1, "u4": 2**32 - 1, "i8": 2**62}
SUFFIX_TYPES = {
    "png": ("u1", "u2"),
    "palette png": ("u1",),
    "gif": ("u1",),
    "bmp": ("u1",),
    "tif": ("u1", "u2", "i2", "i4", "u4"),
    "npy": tuple(WIDE),
    "napari": ("u1", "u2"),
}


def drawn(nobody: int, background: int, thing: int) -> np.ndarray:
    """(60, 80) of lines, 10 % of it, over what nobody drew."""
    array = np.full((60, 80), nobody, np.int64)
    array[4:7, 5:75] = array[52:55, 5:75] = background
    array[28:32, 30:50] = thing
    return array


def holds(kind: str, values: tuple[int, ...]) -> bool:
    low = -(2**15) if kind[0] == "i" else 0
    return min(values) >= low and max(values) <= WIDE[kind]


def read(way: str, array: np.ndarray, folder, told: int | None = None) -> np.ndarray:
    """Class values, -7 where nobody drew."""
    if way == "array":
        strokes = strokes_from_array(array, unlabeled=told)
        return np.where(strokes.labels == strokes.unlabeled, -7, strokes.labels)
    if way == "api":
        found, value, _ = resolve_strokes(array, UNLABELED if told is None else told)
        classes, index = encode_strokes(found, array.shape, unlabeled=value)
        return np.array([*classes, -7])[index]
    path = folder / f"s.{'png' if way in ('palette png', 'napari') else way}"
    if way == "npy":
        np.save(path, array)
    elif way == "tif" and array.dtype.str[1:] in ("i2", "u4"):
        import tifffile

        tifffile.imwrite(path, array)
    else:
        image = Image.fromarray(array)
        if way in ("palette png", "gif"):
            image.putpalette(bytes(range(256)) * 3)
        image.save(path, **({"optimize": False} if way == "gif" else {}))
    if way == "napari":
        layer = np.asarray(read_strokes_layer(str(path))[0][0])
        return np.where(layer == 0, -7, layer - 1)
    strokes = read_any_strokes(path, unlabeled=told)
    assert "= unlabelled" in strokes.assumption
    return np.where(strokes.labels == strokes.unlabeled, -7, strokes.labels)


CASES = [
    (way, kind, name)
    for way in (*FILES, "array", "api")
    for kind in SUFFIX_TYPES.get(way, tuple(WIDE))
    for name, values in CONVENTIONS.items()
    if holds(kind, values)
]


@pytest.mark.parametrize(("way", "kind", "name"), CASES)
def test_what_covers_most_is_what_nobody_drew(way, kind, name, tmp_path):
    values = CONVENTIONS[name]
    array = drawn(*values).astype(kind)
    if way == "api" and 255 in values[1:]:  # 255 is what the caller may mean by the default
        with pytest.raises(InputError, match=f"use unlabeled={values[0]}$"):
            read(way, array, tmp_path)
        found = read(way, array, tmp_path, told=values[0])
    else:
        found = read(way, array, tmp_path)
    expected = np.where(drawn(*values) == values[0], -7, drawn(*values))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("way", "kind", "name"), [case for case in CASES if case[0] not in ("napari", "gif")]
)
def test_a_choice_that_leaves_nothing_is_refused_with_the_right_one(way, kind, name, tmp_path):
    values = CONVENTIONS[name]
    option = "unlabeled=" if way == "api" else "--unlabeled "
    for wrong in {7, *values[1:]} - {255 if way == "api" and 255 not in values else None}:
        with pytest.raises(InputError, match=f"{values[0]} covers 90%: use {option}{values[0]}$"):
            read(way, drawn(*values).astype(kind), tmp_path, told=wrong)


def test_many_ids_are_classes_255_among_them():
    array = np.zeros((200, 300), np.uint16)
    for i in range(300):
        array[10 * (i // 15) + 2 : 10 * (i // 15) + 6, 20 * (i % 15) : 20 * (i % 15) + 8] = i + 1
    strokes = strokes_from_array(array)
    assert strokes.classes == tuple(range(1, 301))
    assert (strokes.labels != strokes.unlabeled).sum() == (array > 0).sum()
    assert strokes.remarks == ("255 is a class, as 0 covers most of the image",)


def dense() -> np.ndarray:
    """Background all around, an object in the middle of what is left: 255, a fifth of it."""
    array = np.zeros((60, 80), np.uint8)
    array[15:45, 20:60] = 255
    array[25:35, 30:50] = 1
    return array


def test_dense_background_leaves_255_around_the_object():
    strokes = strokes_from_array(dense())
    assert (strokes.unlabeled, strokes.classes) == (255, (0, 1))
    assert "0 covers 75% and is a class" in strokes.assumption
    np.testing.assert_array_equal(strokes.labels, dense())
    np.testing.assert_array_equal(resolve_strokes(dense(), UNLABELED)[1], 255)


def test_where_both_may_be_meant_the_caller_is_asked_and_may_say():
    array = dense()
    array[2:6, 2:12] = 1  # a second object on what may be canvas
    array[15:30, 20:60][array[15:30, 20:60] == 255] = 0
    with pytest.raises(InputError, match=r"say --unlabeled 0 or --unlabeled 255$"):
        strokes_from_array(array)
    for told in (0, 255):
        assert strokes_from_array(array, unlabeled=told).classes == tuple({0, 1, 255} - {told})


@pytest.mark.parametrize("size", [(6, 8), (60, 80), (1, 40)])
def test_whole_masks_are_no_strokes(size):
    mask = np.arange(size[0] * size[1]).reshape(size) * 3 // (size[0] * size[1])
    with pytest.raises(InputError, match="'nobody drew' is not clear"):
        strokes_from_array(mask)
    with pytest.raises(InputError, match=r"no pixel is 255.*whole mask"):
        strokes_from_array(mask, unlabeled=255)


def test_a_whole_mask_with_few_unlabeled_pixels_is_read_when_told():
    mask = np.arange(4800).reshape(60, 80) * 3 // 4800
    mask[20:30, 10:20] = 255
    np.testing.assert_array_equal(strokes_from_array(mask, unlabeled=255).labels, mask)
