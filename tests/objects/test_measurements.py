"""Measurements of objects against sums over their pixels."""

import math

import numpy as np
import pytest

from saccade.errors import InputError
from saccade.objects import find_objects, measure_objects, summarize_objects


@pytest.fixture
def objects():
    mask = np.zeros((30, 40), int)
    mask[3:9, 4:16] = 1
    mask[15:25, 20:24] = 2
    mask[15:25, 30:36] = 1
    chances = np.stack([mask == value for value in range(3)]).astype(np.float32) * 0.7 + 0.1
    return find_objects(mask, chances)


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 4096, (30, 40, 2)).astype(np.uint16)


def test_a_row_is_what_sums_over_its_pixels_give(objects, image):
    rows = measure_objects(objects, image, channels=("DAPI", ""), names={1: "cell"}, file="a.png")
    assert [row["object"] for row in rows] == [1, 2, 3]
    for row in rows:
        own = objects.labels == row["object"]
        y, x = np.nonzero(own)
        assert row["area"] == own.sum()
        assert (row["centroid_y"], row["centroid_x"]) == pytest.approx((y.mean(), x.mean()))
        box = (y.min(), x.min(), y.max() + 1, x.max() + 1)
        assert tuple(row[f"box_{side}"] for side in ("top", "left", "bottom", "right")) == box
        for channel, name in enumerate(("DAPI", "2")):
            assert row[f"mean_{name}"] == pytest.approx(image[own, channel].mean())
            assert row[f"max_{name}"] == image[own, channel].max()
        assert row["mean_confidence"] == pytest.approx(0.8)
        assert (row["file"], row["slice"]) == ("a.png", None)
    assert [row["class_name"] for row in rows] == ["cell", "class 2", "cell"]


def test_rectangles_have_their_perimeter_and_eccentricity(objects):
    row = measure_objects(objects)[0]  # 6 x 12
    assert row["perimeter"] == 2 * (5 + 11)  # along the middles of its pixels
    assert row["eccentricity"] == pytest.approx(math.sqrt(1 - (6**2 - 1) / (12**2 - 1)), abs=0.01)


def test_units_scale_what_has_a_length(objects):
    pixels = measure_objects(objects)
    for row, plain in zip(
        measure_objects(objects, pixel_size={"Y": 0.5, "X": 0.5, "Z": 2}, unit="um"),
        pixels,
        strict=True,
    ):
        assert row["area_um2"] == pytest.approx(plain["area"] / 4)
        assert row["perimeter_um"] == pytest.approx(plain["perimeter"] / 2)
        assert row["centroid_x_um"] == pytest.approx(plain["centroid_x"] / 2)
        assert row | plain == row  # what is in pixels stays


def test_pixels_that_are_not_square_have_no_perimeter_and_another_shape(objects):
    row = measure_objects(objects, pixel_size={"Y": 2.0, "X": 1.0})[0]  # 12 x 12 in the unit
    assert row["area_unit2"] == 2 * row["area"]
    assert row["perimeter_unit"] is None
    assert row["eccentricity"] < 0.2 < measure_objects(objects)[0]["eccentricity"]


def test_a_size_of_one_axis_alone_is_not_known(objects):
    assert not any("um" in name for name in measure_objects(objects, pixel_size={"X": 1.0})[0])


def test_an_empty_mask_has_no_rows():
    nothing = find_objects(np.zeros((4, 4), int))
    assert measure_objects(nothing, np.zeros((4, 4)), pixel_size={"Y": 1, "X": 1}) == []
    assert summarize_objects(nothing) == []
    row = summarize_objects(nothing, classes=(1,), names={1: "cell"})[0]
    assert (row["class_name"], row["count"], row["area"]) == ("cell", 0, 0)


def test_values_that_are_not_known_are_none(objects, image):
    bare = find_objects(objects.labels.astype(int), separate=False)
    data = image[..., 0].astype(float)
    data[5, 5] = np.nan
    rows = measure_objects(bare, data, plane=3)
    assert rows[0]["mean_confidence"] is None
    assert rows[0]["mean_1"] is None
    assert rows[1]["mean_1"] is not None
    assert rows[0]["slice"] == 3


def test_the_summary_counts_and_sums(objects):
    rows = summarize_objects(objects, pixel_size={"Y": 0.5, "X": 2.0}, unit="mm", file="a")
    assert [(row["class"], row["count"], row["area"]) for row in rows] == [(1, 2, 132), (2, 1, 40)]
    assert rows[0]["area_mm2"] == pytest.approx(132)
    assert rows[1]["share"] == pytest.approx(40 / 1200)


def test_names_that_are_the_same_are_numbers_instead(objects, image):
    row = measure_objects(objects, image, channels=("a", "a"))[0]
    assert {"mean_1", "mean_2"} <= set(row)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image": np.zeros((3, 4))}, r"image: shape \(3, 4, 1\), expected \(30, 40, C\)"),
        ({"image": np.zeros((30, 40, 2)), "channels": ("a",)}, "1 channel names for 2 channels"),
        ({"pixel_size": {"Y": 0.0, "X": 1.0}}, "pixel_size 0.0 x 1.0: expected numbers above 0"),
    ],
)
def test_what_is_wrong_is_one_line(objects, options, message):
    with pytest.raises(InputError, match=message):
        measure_objects(objects, **options)
