import numpy as np

from saccade.scribbles.shrink import shrink_strokes


def test_no_stroke_is_lost_in_shrinking():
    strokes = np.full((90, 130), -1)
    strokes[7, 3:60] = 0
    strokes[50, 100] = 1
    strokes[89, 129] = 2
    small = shrink_strokes(strokes, 3, (9, 13))
    expected = np.full((9, 13), 3)
    expected[0, :6], expected[5, 10], expected[8, 12] = 0, 1, 2
    assert small.tolist() == expected.tolist()


def test_where_classes_meet_the_rarer_wins():
    strokes = np.full((4, 8), 9)
    strokes[0] = 0
    strokes[1, 2] = 1
    assert shrink_strokes(strokes, 2, (2, 4))[0].tolist() == [0, 1, 0, 0]
    assert shrink_strokes(1 - np.where(strokes < 9, strokes, -8), 2, (2, 4))[0].tolist() == [
        1, 0, 1, 1,
    ]  # fmt: skip


def test_a_class_hidden_by_another_gets_the_nearest_free_pixel():
    strokes = np.full((8, 8), -1)
    strokes[4, 4:6] = strokes[5, 5] = 0
    strokes[5, 4] = 1  # all in one pixel of the small map
    small = shrink_strokes(strokes, 2, (4, 4))
    assert small[2, 2] == 1
    assert np.argwhere(small == 0).tolist() == [[1, 2]]
    assert (small == 2).sum() == 14


def test_upsampled_strokes_are_blocks():
    assert shrink_strokes(np.array([[0, 5, 1]]), 2, (2, 6)).tolist() == [[0, 0, 2, 2, 1, 1]] * 2


def test_the_same_size_changes_only_the_unlabeled_value():
    strokes = np.array([[0, -1, 1], [255, 1, 0]])
    assert shrink_strokes(strokes, 2, (2, 3)).tolist() == [[0, 2, 1], [2, 1, 0]]
