"""Hypothesis: objects do not depend on whether the image was in memory."""

import numpy as np
import pytest

from saccade.errors import InputError
from saccade.images import Image
from saccade.objects import find_objects, measure_objects, summarize_objects
from saccade.slides import find_slide_objects, measure_slide, summarize_slide

NAMES = {1: "cell", 2: "dirt"}


@pytest.fixture(scope="module")
def mask():
    """Discs of two classes, many of which touch each other or lie across the strips."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:230, :310]
    found = np.zeros(y.shape, np.uint8)
    for _ in range(150):
        cy, cx, radius = rng.uniform(0, 230), rng.uniform(0, 310), rng.uniform(2, 11)
        found[(y - cy) ** 2 + (x - cx) ** 2 < radius**2] = rng.integers(1, 3)
    return found


@pytest.fixture(scope="module")
def sure():
    return np.random.default_rng(1).integers(128, 256, (230, 310)).astype(np.uint8)


@pytest.fixture(autouse=True)
def low_strips(monkeypatch):
    monkeypatch.setattr("saccade.slides.objects.ROWS", 16)
    monkeypatch.setattr("saccade.slides.measuring.ROWS", 16)


def image(channels=2):
    values = np.random.default_rng(2).integers(0, 4000, (230, 310, channels)).astype(np.uint16)
    values[5:9, 5:9] = 7
    return Image(
        values, "YXC", channels=("a", "b"), pixel_size={"Y": 0.5, "X": 0.5}, unit="um", nodata=7
    )


def both(mask, sure, folder, **options):
    whole = find_objects(mask, confidence=sure.astype(np.float32) / 255, **options)
    return find_slide_objects(mask, sure, folder / "numbers", **options), whole


def compare(rows, expected):
    assert len(rows) == len(expected)
    for row, other in zip(rows, expected, strict=True):
        assert list(row) == list(other)
        for name, value in other.items():
            assert row[name] == (pytest.approx(value) if isinstance(value, float) else value), name


@pytest.mark.parametrize("separate", [True, False])
@pytest.mark.parametrize("min_area", [1, 40])
@pytest.mark.parametrize("background", [(0,), (0, 2)])
def test_objects_are_those_of_the_whole(mask, sure, tmp_path, separate, min_area, background):
    options = {"separate": separate, "min_area": min_area, "background": background}
    found, whole = both(mask, sure, tmp_path, **options)
    assert whole.count > 20
    np.testing.assert_array_equal(found.labels, whole.labels)
    np.testing.assert_array_equal(found.classes, whole.classes)
    np.testing.assert_allclose(found.confidences, whole.confidences, rtol=1e-5)


def test_so_are_their_measurements(mask, sure, tmp_path):
    found, whole = both(mask, sure, tmp_path)
    opened = image()
    values = np.where(opened.array == 7, np.nan, opened.array)
    said = {"names": NAMES, "file": "a.tif"}
    common = {"pixel_size": {"Y": 0.5, "X": 0.5}, "unit": "um", **said}
    expected = measure_objects(whole, values, channels=("a", "b"), **common)
    compare(measure_slide(found, opened, **said), expected)
    rows = summarize_slide(found, opened, classes=(1, 2, 3), **said)
    assert rows == summarize_objects(whole, classes=(1, 2, 3), **common)


def test_high_objects_have_all_but_their_outline(mask, sure, tmp_path, monkeypatch):
    found, _ = both(mask, sure, tmp_path, separate=False)
    opened = image()
    expected = measure_slide(found, opened, names=NAMES, file="a.tif")
    monkeypatch.setattr("saccade.slides.measuring._HIGHEST", 20)
    high = [row["box_bottom"] - row["box_top"] > 20 for row in expected]
    assert 2 < sum(high) < len(high) - 2
    for row, tall in zip(expected, high, strict=True):
        if tall:
            row |= dict.fromkeys(("perimeter", "eccentricity", "perimeter_um"))
    compare(measure_slide(found, opened, names=NAMES, file="a.tif"), expected)


def test_parts_that_are_too_large_are_one_object(mask, sure, tmp_path, monkeypatch):
    monkeypatch.setattr("saccade.slides.objects.MOST_PIXELS", 800)
    found, whole = both(mask, sure, tmp_path)
    assert 0 < found.whole < found.count < whole.count


def test_nothing_and_bad_options(tmp_path):
    empty = np.zeros((40, 50), np.uint8)
    found = find_slide_objects(empty, empty, tmp_path / "numbers")
    assert (found.count, int(np.max(found.labels))) == (0, 0)
    assert measure_slide(found, Image(empty, "YX"), names={}, file="a.tif") == []
    with pytest.raises(InputError, match="min_area is 0"):
        find_slide_objects(empty, empty, tmp_path / "numbers", min_area=0)
