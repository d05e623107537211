import numpy as np
import pytest
import torch

from saccade.interactive.prepared import prepare_image, working_size

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
    prepared = prepare_image(rgb, features="bundled", max_pixels=640_000, seed=0, device=CPU)
    assert prepared.size == size
    assert prepared.inputs.shape == (1, 43, *prepared.half_size)
    assert prepared.half_size == tuple(-(-side // 2) for side in prepared.working_size)
    assert prepared.inputs.isfinite().all()
    if min(size) < 64:
        assert prepared.half_size == size


def test_a_large_image_is_worked_on_at_the_bound():
    rgb = np.zeros((400, 300, 3), np.uint8)
    rgb[:200] = 255
    prepared = prepare_image(rgb, features="bundled", max_pixels=1200, seed=0, device=CPU)
    assert prepared.working_size == (40, 30)
    assert prepared.rgb.shape == (400, 300, 3)
    assert np.array_equal(
        prepared.working_rgb[..., 0], np.repeat([255, 0], 20)[:, None].repeat(30, 1)
    )


def test_random_features_depend_on_the_seed_alone():
    rgb = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)

    def maps(seed):
        return prepare_image(
            rgb, features="random", max_pixels=10_000, seed=seed, device=CPU
        ).inputs

    assert torch.equal(maps(1), maps(1))
    assert not torch.equal(maps(1), maps(2))
