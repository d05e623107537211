import numpy as np
import pytest
import torch

from saccade.interactive.scene import describe, shrink_strokes, working_size

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("size", "limit", "expected"),
    [
        ((100, 200), 640_000, (100, 200)),
        ((2000, 3000), 60_000, (200, 300)),
        ((20, 30), 640_000, (40, 60)),  # tiny: doubled
        ((1, 2), 640_000, (2, 4)),
        ((20, 30), 600, (20, 30)),  # tiny, but there is no room to double it
        ((1, 100_000), 1_000, (1, 10_000)),
    ],
)
def test_the_working_size_is_bounded_and_tiny_images_are_doubled(size, limit, expected):
    assert working_size(size, limit) == expected


@pytest.mark.parametrize("size", [(1, 2), (5, 3), (33, 70), (65, 67), (64, 64)])
def test_maps_have_half_the_working_size_and_all_features(size):
    rgb = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    scene = describe(rgb, features="bundled", max_pixels=640_000, seed=0, device=CPU)
    assert scene.size == size
    assert scene.maps.shape == (1, 43, *scene.half)
    assert scene.half == tuple(-(-side // 2) for side in scene.work)
    assert scene.maps.isfinite().all()
    if min(size) < 64:
        assert scene.half == size


def test_a_large_image_is_worked_on_at_the_bound():
    rgb = np.zeros((400, 300, 3), np.uint8)
    rgb[:200] = 255
    scene = describe(rgb, features="bundled", max_pixels=1200, seed=0, device=CPU)
    assert scene.work == (40, 30)
    assert scene.rgb.shape == (400, 300, 3)
    assert np.array_equal(scene.small[..., 0], np.repeat([255, 0], 20)[:, None].repeat(30, 1))


def test_random_features_depend_on_the_seed_alone():
    rgb = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)

    def maps(seed):
        return describe(rgb, features="random", max_pixels=10_000, seed=seed, device=CPU).maps

    assert torch.equal(maps(1), maps(1))
    assert not torch.equal(maps(1), maps(2))


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


def test_enlarged_strokes_are_blocks():
    assert shrink_strokes(np.array([[0, 5, 1]]), 2, (2, 6)).tolist() == [[0, 0, 2, 2, 1, 1]] * 2


def test_the_same_size_changes_nothing_but_the_mark_of_no_stroke():
    strokes = np.array([[0, -1, 1], [255, 1, 0]])
    assert shrink_strokes(strokes, 2, (2, 3)).tolist() == [[0, 2, 1], [2, 1, 0]]
