import pytest
import torch

from saccade.errors import InputError
from saccade.weak.fusion import fuse_maps, object_regions

MAPS = torch.rand(2, 4, 3, 5, 6, generator=torch.Generator().manual_seed(0))


def test_anti_noise_fusion_is_the_papers_formula():
    expected = MAPS[:, 0] + (MAPS[:, 1] + MAPS[:, 2] + MAPS[:, 3]) / 3
    torch.testing.assert_close(fuse_maps(MAPS), expected)
    torch.testing.assert_close(fuse_maps(MAPS[0]), expected[0])


def test_the_papers_alternatives_are_the_mean_and_the_first_map():
    torch.testing.assert_close(fuse_maps(MAPS, "average"), MAPS.mean(1))
    assert torch.equal(fuse_maps(MAPS, "first"), MAPS[:, 0])
    assert torch.equal(fuse_maps(MAPS[:, :1]), MAPS[:, 0])


def test_noise_of_one_block_stays_below_what_all_share():
    maps = torch.zeros(4, 1, 1, 3)
    maps[:, 0, 0, 0] = 1.0  # in every block
    maps[3, 0, 0, 1] = 1.0  # of the largest dilation alone
    fused = fuse_maps(maps)[0, 0]
    assert fused.tolist() == pytest.approx([2, 1 / 3, 0])
    assert object_regions(fused[None])[0].tolist() == [True, False, False]


def test_three_readings_of_the_top_thirty_per_cent():
    values = torch.tensor([[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 10.0]])
    share = object_regions(values)
    assert values[share].min() == 3
    assert values[object_regions(values, kind="high-share")].min() == 7
    assert values[object_regions(values, kind="quantile")].min() == 7


def test_each_map_has_a_limit_of_its_own():
    maps = torch.stack([MAPS[0, 0, 0], 100 * MAPS[0, 0, 0], torch.zeros(5, 6)])
    for kind in ("share", "high-share", "quantile"):
        regions = object_regions(maps, kind=kind)
        assert torch.equal(regions[0], regions[1])
        assert regions[0].any()
        assert not regions[2].any()


def test_wrong_arguments_are_refused():
    with pytest.raises(InputError, match="fusion is 'sum'"):
        fuse_maps(MAPS, "sum")
    with pytest.raises(InputError, match="shape"):
        fuse_maps(MAPS[0, 0])
    with pytest.raises(InputError, match="kind"):
        object_regions(MAPS, kind="top")
    with pytest.raises(InputError, match="share"):
        object_regions(MAPS, 1.0)
