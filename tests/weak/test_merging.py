import numpy as np
import pytest

from saccade.errors import InputError
from saccade.weak.merging import merge_regions, strongest


def test_merge_rules_pixel_by_pixel():
    #            both   one  other  none   one    none   both
    one = np.array([[True, True, False, False, True, False, True]])
    two = np.array([[True, False, True, False, False, False, True]])
    low = np.array([[False, False, False, False, True, True, True]])
    mask = merge_regions(np.stack([one, two]), (4, 7), low)
    assert mask.tolist() == [[255, 4, 7, 255, 255, 0, 255]]
    assert merge_regions(np.stack([one, two]), (4, 7)).tolist() == [[255, 4, 7, 255, 4, 255, 255]]


def test_strongest_gives_conflicts_to_the_larger_map():
    fused = np.array([[[0.9, 0.4, 0.2]], [[0.5, 0.6, 0.1]]])
    regions = fused > 0.3
    assert strongest(fused, regions, (2, 5)).tolist() == [[2, 5, 255]]
    # A larger map does not win where its class is not claimed.
    regions[1, 0, 1] = False
    assert strongest(fused, regions, (2, 5)).tolist() == [[2, 2, 255]]


def test_merging_refuses_what_does_not_fit():
    regions = np.zeros((2, 3, 4), bool)
    with pytest.raises(InputError, match="for 1 classes"):
        merge_regions(regions, (1,))
    with pytest.raises(InputError, match="background is"):
        merge_regions(regions, (1, 2), np.zeros((4, 3), bool))
    with pytest.raises(InputError, match="has a region too"):
        merge_regions(regions, (0, 2), np.zeros((3, 4), bool))
