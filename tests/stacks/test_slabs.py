import pytest

from saccade.stacks.slabs import slab_length, slabs


@pytest.mark.parametrize("count", [1, 2, 7, 30])
@pytest.mark.parametrize("length", [1, 4, 50])
@pytest.mark.parametrize("overlap", [0, 3])
def test_slabs_own_each_slice_once_and_need_their_neighbors(count, length, overlap):
    parts = list(slabs(count, length, overlap))
    assert [i for slab in parts for i in slab.owned] == list(range(count))
    for slab in parts:
        around = range(max(0, slab.start - overlap), min(count, slab.stop + overlap))
        assert slab.needed == around


def test_slabs_of_large_planes_and_many_classes_are_short():
    small = slab_length((256, 256), (128, 128), 2)
    assert small > 50
    assert slab_length((8000, 8000), (283, 283), 2) < small
    assert slab_length((256, 256), (128, 128), 40) < small
    assert slab_length((40_000, 40_000), (283, 283), 40) == 4
