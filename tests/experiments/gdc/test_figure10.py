import json

import numpy as np
import pytest
import torch
from PIL import Image

from saccade.experiments.gdc.figure10 import (
    DILATION,
    DRAWS,
    draw_figure10,
    map_size,
    sample_positions,
)

pytest.importorskip("matplotlib")


def test_the_dilated_kernel_is_a_grid():
    places, stopped = sample_positions((20, 30), (50, 60), None, generator=torch.Generator())
    assert places.shape == (1, 8, 2)
    assert not stopped.any()
    assert {tuple(p) for p in places[0] - [20, 30]} == {
        (dy, dx)
        for dy in (-DILATION, 0, DILATION)
        for dx in (-DILATION, 0, DILATION)
        if (dy, dx) != (0, 0)
    }


def test_draws_have_the_half_gaussians_mean_and_stay_inside():
    size = (400, 500)
    places, stopped = sample_positions(
        (200, 250), size, 0.1, generator=torch.Generator().manual_seed(0)
    )
    assert places.shape == (DRAWS, 8, 2)
    steps = np.abs(places - [200, 250])
    assert steps[:, 0].mean() == pytest.approx(40 * np.sqrt(2 / np.pi), rel=0.15)
    assert (steps[:, 1, 1] == 0).all()  # the tap above stays above
    places, stopped = sample_positions(
        (0, 0), size, 0.1, generator=torch.Generator().manual_seed(0)
    )
    assert places.min() == 0
    assert stopped[:, 0].mean() > 0.9


def test_figure10_reaches_farther_with_a_larger_sigma(disc, tmp_path):
    picture, numbers = draw_figure10(disc.image, tmp_path, seed=1)
    with Image.open(picture) as file:
        assert file.width > 1000
    kernels = json.loads(numbers.read_text())["kernels"]
    reaches = [kernel["median"] for kernel in kernels]
    assert reaches[0] == pytest.approx(2 * DILATION * (1 + np.sqrt(2)) / 2)  # 4 edges, 4 corners
    assert reaches[1] < reaches[2] < reaches[3]


def test_maps_are_half_of_the_working_size():
    assert map_size((375, 501)) == (188, 251)
    assert map_size((48, 64)) == (48, 64)  # tiny images are doubled
    height, width = map_size((4000, 6000))
    assert 4 * height * width == pytest.approx(640_000, rel=0.01)
