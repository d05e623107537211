import numpy as np
import pytest
from scipy import ndimage

from benchmarks.harness.datasets import (
    evaluate,
    image_matrix,
    load_pairs,
    score_image,
    score_set,
)
from saccade.errors import InputError


def test_only_images_with_strokes_sorted_by_stem(root):
    pairs = load_pairs(root, "thin")
    assert [p.stem for p in pairs] == ["a", "b"]
    for pair in pairs:
        assert pair.image.shape == (40, 52, 3)
        assert pair.strokes.shape == pair.truth.shape == (40, 52)
        assert {a.dtype for a in (pair.image, pair.strokes, pair.truth)} == {np.dtype(np.uint8)}
        assert set(np.unique(pair.strokes)) == set(np.unique(pair.truth)) == {0, 1, 255}
    assert [p.stem for p in load_pairs(root, "full")] == ["a", "b", "c"]


def test_image_is_rgb(root):
    centre = load_pairs(root, "thin")[0].image[20, 26]
    assert centre[0] > 150
    assert centre[2] < 100


def test_limit_and_every(root):
    assert [p.stem for p in load_pairs(root, "full", every=2)] == ["a", "c"]
    assert [p.stem for p in load_pairs(root, "full", every=2, limit=1)] == ["a"]


def test_camvid_void_becomes_unknown(root):
    (pair,) = load_pairs(root, "camvid")
    assert pair.stem == "f2"
    assert set(np.unique(pair.truth)) == {0, 1, 7, 255}
    assert set(np.unique(pair.strokes)) == {0, 1, 7, 255}


def test_unknown_set(root):
    with pytest.raises(InputError, match="'thick' is unknown"):
        load_pairs(root, "thick")


def test_object_score_by_hand():
    truth = np.array([[0, 0, 0, 1, 1, 255]], np.uint8)
    guess = np.array([[0, 0, 1, 1, 0, 1]])
    # background 2 of 4, object 1 of 3; the unknown pixel does not count
    assert score_image("thin", truth, guess) == pytest.approx((2 / 4 + 1 / 3) / 2)


def test_object_set_is_the_mean_over_images():
    right = np.diag([10, 10])
    wrong = np.array([[1000, 0], [500, 500]])
    # 1 and (1000 / 1500 + 500 / 1000) / 2: the larger image does not weigh more
    expected = (1 + (2 / 3 + 1 / 2) / 2) / 2
    assert score_set("full", [right, wrong]) == pytest.approx(expected)


def test_camvid_is_one_matrix_over_the_set():
    first, second = np.zeros((2, 11, 11), np.int64)
    first[0, 0], first[3, 0] = 6, 2
    second[3, 3] = 4
    # class 0: 6 of 8, class 3: 4 of 6; the nine others never occur
    assert score_set("camvid", [first, second]) == pytest.approx((6 / 8 + 4 / 6) / 2)


def test_evaluate_runs_the_method_on_every_pair(root):
    pairs = load_pairs(root, "full")
    seen = []

    def perfect(pair):
        seen.append(pair.stem)
        return np.where(pair.truth == 1, 1, 0)

    assert evaluate("full", pairs, perfect) == 1.0
    assert seen == ["a", "b", "c"]
    nothing = evaluate("full", pairs, lambda pair: np.zeros_like(pair.truth))
    matrices = [image_matrix("full", p.truth, np.zeros_like(p.truth)) for p in pairs]
    expected = np.mean([m[0, 0] / m.sum() / 2 for m in matrices])
    assert nothing == pytest.approx(expected)


def test_repeated_objects_are_made_the_same_each_time():
    pairs = load_pairs("nowhere", "repeated_objects")
    assert [p.stem for p in pairs[:3]] == ["cells0-1", "cells0-3", "cells0-6"]
    assert {p.stem.split("-")[0] for p in pairs} == {*(f"cells{i}" for i in range(4)), "coins"}
    for pair, again in zip(pairs, load_pairs("nowhere", "repeated_objects"), strict=True):
        np.testing.assert_array_equal(pair.image, again.image)
        np.testing.assert_array_equal(pair.strokes, again.strokes)
        drawn = pair.strokes != 255
        np.testing.assert_array_equal(pair.strokes[drawn], pair.truth[drawn])
        parts, count = ndimage.label(pair.truth)
        assert count == 24 if pair.stem.startswith("coins") else count > 15
        stroked = len(np.unique(parts[pair.strokes == 1]))
        assert stroked <= int(pair.stem.split("-")[1])  # objects may touch
    assert len(load_pairs("nowhere", "repeated_objects", every=4, limit=2)) == 2
