"""What a segmentation offers besides its maps."""

import numpy as np

from saccade.interactive import Segmentation


def found(provisional=()):
    labels = np.zeros((8, 12), np.int32)
    labels[1:4, 1:4] = 1
    labels[5:7, 6:11] = 1
    labels[0, 11] = 3
    maps = np.stack([labels == value for value in (0, 1, 3)]).astype(np.float32)
    uncertainty = np.zeros(labels.shape, np.float32)
    return Segmentation(labels, maps, uncertainty, (0, 1, 3), provisional=provisional)


def test_objects_know_their_class_and_how_sure_the_mask_is():
    objects = found().objects()
    assert objects.classes.tolist() == [3, 1, 1]
    assert objects.confidences.tolist() == [1, 1, 1]
    assert found().objects(min_area=2, background=(0,)).count == 2


def test_what_nobody_drew_is_no_object():
    assert found(provisional=(3,)).objects().classes.tolist() == [1, 1]
