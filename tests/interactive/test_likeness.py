"""Images that look like none of those that were fitted to."""

import numpy as np
import pytest
import torch

from saccade.interactive.likeness import UNLIKE, likeness_of, means_of_parts
from saccade.interactive.prepared import prepare_image
from tests.interactive.test_shared import picture


def parts_of(rgb):
    found = prepare_image(rgb).rich.parts
    assert found is not None
    return found


def stripes(seed):
    rng = np.random.default_rng(seed)
    rows = np.where(np.arange(72) // 3 % 2, 230, 120)[:, None, None]
    return (rows + rng.normal(0, 25, (72, 96, 3))).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_the_same_kind_is_not_flagged_and_another_is(count):
    likeness = likeness_of([parts_of(picture(seed)[0]) for seed in range(count)])
    own = [likeness.remark(parts_of(picture(seed)[0])) for seed in range(10, 16)]
    assert own == [None] * 6
    for seed in range(3):
        line = likeness.remark(parts_of(stripes(seed)))
        assert line is not None
        assert line.startswith(UNLIKE)


def test_images_that_were_fitted_to_are_at_no_distance():
    parts = [parts_of(picture(seed)[0]) for seed in range(3)]
    likeness = likeness_of(parts)
    assert [likeness.distance(one) for one in parts] == pytest.approx([0.0] * 3, abs=1e-5)


def test_slices_that_are_nearly_one_do_not_make_all_others_unlike():
    one = parts_of(picture(0)[0])
    likeness = likeness_of([one, one + 1e-4, one - 1e-4])
    assert likeness.remark(parts_of(picture(0)[0][:, ::-1].copy())) is None


def test_a_larger_limit_needs_images_that_differ():
    parts = [parts_of(picture(seed)[0]) for seed in range(3)]
    alike = likeness_of(parts)
    wide = likeness_of([*parts, parts_of(stripes(0))])
    assert wide.limit > alike.limit
    assert wide.remark(parts_of(stripes(1))) is None


def test_parts_are_the_means_of_maps_of_any_size():
    maps = [torch.arange(64.0).view(1, 1, 8, 8), torch.ones(1, 2, 3, 5)]
    parts = means_of_parts(maps)
    assert parts.shape == (3, 16)
    assert parts[0].mean() == 31.5
    assert torch.equal(parts[1:], torch.ones(2, 16))
