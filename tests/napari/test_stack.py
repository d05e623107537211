"""All slices of a layer at once."""

import threading
import warnings

import numpy as np
import pytest

from saccade.errors import InputError
from saccade.napari import model
from saccade.napari.stack import compute_stack, show_stack, stack_of, stack_steps
from saccade.stacks import StackSegmentation

pytestmark = pytest.mark.filterwarnings("default")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    components = pytest.importorskip("napari.components", reason="saccade[napari] is missing")

SHAPE = (5, 40, 56)
OPTIONS = model.Options()


@pytest.fixture
def viewer():
    return components.ViewerModel()


@pytest.fixture
def layers(viewer):
    values = np.random.default_rng(0).normal(100, 8, SHAPE)
    values[:, 10:30, 16:40] += 60
    drawn = np.zeros(SHAPE, int)
    drawn[2, 3, 4:50], drawn[2, 19:21, 22:34] = 1, 2
    scale = (4, 0.5, 0.5)
    image = viewer.add_image(values.astype(np.float32), name="cells", scale=scale)
    return image, viewer.add_labels(drawn, name="strokes", scale=scale)


def test_all_slices_get_a_mask_in_place(viewer, layers):
    told = []
    found = compute_stack(*layers, OPTIONS, progress=lambda done, _: told.append(done))
    show_stack(viewer, *layers, found, OPTIONS)
    mask = viewer.layers[model.MASK_NAME]
    assert mask.data.shape == viewer.layers[model.UNCERTAINTY_NAME].data.shape == SHAPE
    assert (mask.data[:, 15:25, 20:36] == 2).all()
    assert (mask.data[:, :5, :10] == 1).all()
    np.testing.assert_array_equal(mask.scale, layers[0].scale)
    assert viewer.layers.selection.active is layers[1]
    assert told[-1] == pytest.approx(1)


def test_slices_that_are_not_finished_keep_what_they_had(viewer, layers):
    before = np.full(SHAPE, 7, np.int32)
    viewer.add_labels(before, name=model.MASK_NAME)
    labels = np.full(SHAPE, -1, np.int32)
    labels[0] = 2
    done = np.array([[True] + [False] * 4])
    found = StackSegmentation(labels, np.zeros(SHAPE, np.float16), "ZYX", (1, 2), done)
    show_stack(viewer, *layers, found, OPTIONS)
    assert [set(np.unique(one)) for one in viewer.layers[model.MASK_NAME].data[:2]] == [{2}, {7}]


def test_steps_are_progress_and_last_the_result(layers):
    *steps, last = stack_steps(*layers, OPTIONS, threading.Event())
    assert all(0 <= done <= 1 and text for done, text in steps)
    assert isinstance(last, StackSegmentation)
    assert last.finished


def test_a_stop_gives_what_is_finished(layers):
    cancel = threading.Event()
    cancel.set()
    *_, last = stack_steps(*layers, OPTIONS, cancel)
    assert not last.finished
    assert "cancelled" in last.remarks[-1]


def test_axes_and_sizes_of_layers(viewer):
    times = viewer.add_image(np.zeros((2, 3, 8, 9), np.uint8), scale=(1, 4, 2, 2))
    found = stack_of(times)
    assert (found.axes, found.pixel_size) == ("TZYX", {"Z": 4.0, "Y": 2.0, "X": 2.0})
    colors = stack_of(viewer.add_image(np.zeros((3, 8, 9, 4), np.uint8), rgb=True))
    assert (colors.axes, colors.array.shape) == ("ZYXC", (3, 8, 9, 3))
    with pytest.raises(InputError, match="expected slices"):
        stack_of(viewer.add_image(np.zeros((8, 9))))


def test_contrast_that_somebody_set_is_kept_for_all_slices(layers):
    assert model.set_contrast(layers[0]) is None
    layers[0].contrast_limits = (90, 130)
    assert model.set_contrast(layers[0]) == (90.0, 130.0)


def test_strokes_of_another_size_or_none_are_refused(viewer, layers):
    other = viewer.add_labels(np.ones((4, 40, 56), int), name="other")
    empty = viewer.add_labels(np.zeros(SHAPE, int), name="empty")
    with pytest.raises(InputError, match="other"):
        compute_stack(layers[0], other, OPTIONS)
    with pytest.raises(InputError, match="empty"):
        next(stack_steps(layers[0], empty, OPTIONS, threading.Event()))
