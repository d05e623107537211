"""Objects against a slow, obvious search, and what must hold for every mask."""

from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from saccade.errors import InputError
from saccade.objects import find_objects, separate_touching

MASKS = arrays.arrays(np.int64, st.tuples(*[st.integers(1, 12)] * 2), elements=st.integers(0, 2))


def connected_parts(mask):
    """Parts of one class by a search from pixel to pixel, in the order of their first pixels."""
    parts = np.zeros(mask.shape, int)
    for place in np.ndindex(mask.shape):
        if mask[place] == 0 or parts[place]:
            continue
        number, waiting = parts.max() + 1, deque([place])
        parts[place] = number
        while waiting:
            y, x = waiting.popleft()
            for near in ((y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)):
                inside = 0 <= near[0] < mask.shape[0] and 0 <= near[1] < mask.shape[1]
                if inside and not parts[near] and mask[near] == mask[place]:
                    parts[near] = number
                    waiting.append(near)
    return parts


def discs(*centres, radius=9, size=(40, 70)):
    y, x = np.mgrid[: size[0], : size[1]]
    return np.any([(y - cy) ** 2 + (x - cx) ** 2 < radius**2 for cy, cx in centres], 0)


@given(MASKS)
def test_connected_objects_are_those_of_a_search(mask):
    found = find_objects(mask, separate=False)
    wanted = connected_parts(mask)
    assert np.array_equal(found.labels, wanted)
    assert found.classes.tolist() == [
        mask[wanted == number][0] for number in range(1, wanted.max() + 1)
    ]


@given(MASKS, st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_separated_objects_cover_the_mask_and_keep_to_their_part(mask, random):
    chances = np.random.default_rng(random.randint(0, 99)).random((3, *mask.shape))
    found = find_objects(mask, chances.astype(np.float32))
    assert np.array_equal(found.labels > 0, mask > 0)
    parts = connected_parts(mask)
    for number, value in enumerate(found.classes, start=1):
        own = found.labels == number
        assert set(mask[own]) == {value}
        assert len(set(parts[own])) == 1
        assert connected_parts(own.astype(int)).max() == 1
        assert found.confidences[number - 1] == pytest.approx(chances[value][own].mean(), 1e-4)


def test_touching_discs_are_parted_and_single_ones_are_not():
    assert separate_touching(discs((15, 15), (15, 31))).max() == 2
    assert separate_touching(discs((15, 15), (15, 45))).max() == 2
    assert separate_touching(discs((15, 15))).max() == 1
    assert find_objects(discs((15, 15), (15, 31)), separate=False).count == 1


def test_borders_run_where_the_class_is_unlikely():
    bar = np.zeros((20, 60), bool)
    bar[5:15, 5:55] = True  # its shape has no waist
    chance = np.full(bar.shape, 0.95, np.float32)
    chance[:, 29:31] = 0.5
    found = separate_touching(bar, chance)
    assert found.max() == 2
    edge = np.flatnonzero(np.diff(found[10, 5:55])) + 5
    assert abs(edge[0] - 29) <= 1


def test_what_is_elsewhere_in_the_image_changes_nothing():
    alone = discs((12, 12), (12, 27))
    both = alone | discs((30, 50), (30, 60))
    found = separate_touching(both)[:, :38]
    assert np.array_equal(found, separate_touching(alone)[:, :38])


def test_small_objects_are_left_out_and_the_rest_is_numbered_without_gaps():
    mask = np.zeros((300, 40), int)
    mask[2, 2] = 1
    mask[5:9, 5:9] = 2
    mask[280:290, 5:9] = 1
    found = find_objects(mask, min_area=2)
    assert found.labels.max() == found.count == 2
    assert found.classes.tolist() == [2, 1]
    assert found.labels[2, 2] == 0


def test_other_classes_may_be_background():
    mask = np.array([[0, 1, 2]])
    assert find_objects(mask, background=(1,)).classes.tolist() == [0, 2]


def test_many_objects_have_32_bits():
    mask = np.zeros((600, 600), np.uint8)
    mask[::2, ::2] = 1
    found = find_objects(mask, separate=False)
    assert found.count == 90000
    assert found.labels.dtype == np.uint32
    assert find_objects(mask[:100], separate=False).labels.dtype == np.uint16


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: find_objects(np.zeros(3, int)), r"labels: shape \(3,\), expected \(H, W\)"),
        (lambda: find_objects(np.zeros((2, 2))), "labels: data type float64, expected integers"),
        (
            lambda: find_objects(np.zeros((2, 2), int), np.zeros((2, 3, 2), np.float32)),
            r"probabilities: shape \(2, 3, 2\), expected \(K, 2, 2\)",
        ),
        (
            lambda: find_objects(np.zeros((2, 2), int), np.zeros((2, 2, 2), np.float32), (1,)),
            "1 classes for 2 probabilities",
        ),
        (
            lambda: find_objects(np.zeros((2, 2), int), np.zeros((2, 2, 2), int)),
            "probabilities: data type int64, expected floating point",
        ),
        (lambda: find_objects(np.zeros((2, 2), int), min_area=0), "min_area is 0, expected"),
        (lambda: separate_touching(np.zeros((2, 2)), np.zeros((2, 3))), "of one size"),
        (lambda: separate_touching(np.zeros((2, 2)), rise=-1), "expected numbers of at least 0"),
    ],
)
def test_what_is_wrong_is_one_line(call, message):
    with pytest.raises(InputError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def ball(shape, center, radius, spacing):
    places = np.indices(shape).transpose(1, 2, 3, 0) - center
    return ((places * spacing) ** 2).sum(3) < radius**2


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (4.0, 1.0, 1.0), (2.0, 0.5, 0.5)])
def test_balls_that_touch_are_parted_in_their_own_units(spacing):
    steps = np.array(spacing) / spacing[2]
    shape = (int(32 / steps[0]), 32, 56)
    center = np.array([15.5, 15.5, 17.0]) / steps
    other = center + np.array([0, 0, 20])
    mask = ball(shape, center, 11, steps) | ball(shape, other, 11, steps)
    found = find_objects(mask.astype(int), spacing=spacing)
    assert found.count == 2
    assert find_objects(mask.astype(int), separate=False).count == 1
    sizes = np.bincount(found.labels.ravel())[1:]
    assert sizes.max() < 1.1 * sizes.min()
    assert found.labels.shape == shape


def test_objects_in_a_stack_are_connected_by_faces_and_in_order():
    mask = np.zeros((3, 4, 5), int)
    mask[0, 0, 0] = mask[1, 0, 0] = 1
    mask[1, 1, 1] = 1  # an edge away
    mask[2, 3, 4] = 2
    sure = np.where(mask == 2, 0.25, 0.75).astype(np.float32)
    found = find_objects(mask, separate=False, confidence=sure)
    assert found.classes.tolist() == [1, 1, 2]
    assert found.confidences.tolist() == [0.75, 0.75, 0.25]
    assert found.labels[1, 0, 0] == found.labels[0, 0, 0] == 1
    with pytest.raises(InputError, match="confidence: float64 of shape"):
        find_objects(mask, confidence=np.zeros((2, 2)))
    with pytest.raises(InputError, match="spacing"):
        find_objects(mask, spacing=(1, 2))
