"""Several image layers of a kind: strokes on some, masks of all."""

import warnings

import numpy as np
import pytest

from saccade.errors import InputError
from saccade.napari import model
from saccade.napari.layers import compute_layers, drawn_layers, show_layers, told
from tests.fitted.test_model import strokes
from tests.interactive.test_likeness import stripes
from tests.interactive.test_shared import picture

pytestmark = pytest.mark.filterwarnings("default")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    components = pytest.importorskip("napari.components", reason="saccade[napari] is missing")

OPTIONS = model.Options()


def painted(truth):
    lines = strokes(truth)
    return np.where(lines == 255, 0, lines + 1).astype(np.int32)


@pytest.fixture
def viewer():
    found = components.ViewerModel()
    for seed in range(3):
        found.add_image(picture(seed)[0], name=f"cells {seed}", scale=(0.5, 0.5))
    for seed in range(2):
        found.add_labels(painted(picture(seed)[1]), name=f"cells {seed} strokes")
    return found


def test_all_image_layers_get_a_mask_in_their_place(viewer):
    layers = drawn_layers(viewer)
    assert [one.strokes and one.strokes.name for one in layers] == [
        "cells 0 strokes",
        "cells 1 strokes",
        None,
    ]
    said = []
    found = compute_layers(layers, OPTIONS, progress=lambda done, name: said.append((done, name)))
    assert said[2] == (2 / 3, "cells 2")
    show_layers(viewer, layers, found)
    for seed in range(3):
        mask = viewer.layers[f"{model.MASK_NAME}: cells {seed}"]
        assert (mask.data == picture(seed)[1] + 1).mean() > 0.95
        assert mask.scale.tolist() == [0.5, 0.5]
    assert told(layers, found) == "3 masks from strokes on 2"


def test_a_second_run_changes_the_masks_that_are_there(viewer):
    layers = drawn_layers(viewer)
    found = compute_layers(layers, OPTIONS)
    show_layers(viewer, layers, found)
    count = len(viewer.layers)
    assert [one.image.name for one in drawn_layers(viewer)] == ["cells 0", "cells 1", "cells 2"]
    show_layers(viewer, layers, found[::-1])
    assert len(viewer.layers) == count
    changed = viewer.layers[f"{model.MASK_NAME}: cells 0"].data
    assert np.array_equal(changed, found[2].labels)


def test_what_is_something_else_is_said(viewer):
    viewer.add_image(stripes(0), name="stripes")
    layers = drawn_layers(viewer)
    text = told(layers, compute_layers(layers, OPTIONS))
    assert text.endswith("look at stripes: unlike those with strokes")


def test_a_stopped_run_keeps_the_masks_that_are_done(viewer):
    layers = drawn_layers(viewer)
    assert compute_layers(layers, OPTIONS, cancel=lambda: True) == []
    show_layers(viewer, layers, [])
    assert len(viewer.layers) == 5


def test_strokes_that_may_be_of_several_images_are_refused(viewer):
    viewer.add_labels(painted(picture(2)[1]), name="lines")
    with pytest.raises(InputError, match="layer 'lines': may belong to 3 image layers"):
        drawn_layers(viewer)


def test_two_layers_of_strokes_on_one_image_are_refused(viewer):
    viewer.add_labels(painted(picture(0)[1]), name="cells 0 more")
    with pytest.raises(InputError, match="image 'cells 0' has strokes in 'cells 0 strokes' too"):
        drawn_layers(viewer)


def test_nothing_to_fit_to_is_said(viewer):
    for seed in range(2):
        viewer.layers[f"cells {seed} strokes"].data = np.zeros((72, 96), int)
    with pytest.raises(InputError, match="no labels layer has strokes"):
        drawn_layers(viewer)
    with pytest.raises(InputError, match="no image layers"):
        drawn_layers(components.ViewerModel())
