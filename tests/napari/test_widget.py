"""The panel itself, where Qt is installed; the canvas, which needs a graphics card, is not made."""

import os
import time
import warnings

import numpy as np
import pytest
from PIL import Image
from skimage import data

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
pytestmark = pytest.mark.filterwarnings("default")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    try:
        from qtpy.QtWidgets import QApplication
    except Exception:  # qtpy has errors of its own for "no Qt at all"
        pytest.skip("no Qt; pip install PySide6-Essentials", allow_module_level=True)
    components = pytest.importorskip("napari.components", reason="saccade[napari] is missing")

from saccade.napari import model  # noqa: E402
from saccade.napari.widget import Panel  # noqa: E402


def wait_for(condition):
    """Let Qt work until something is true."""
    while not condition():
        QApplication.processEvents()
        time.sleep(0.01)


def test_the_mask_follows_the_strokes(examples):
    application = QApplication.instance() or QApplication([])
    viewer = components.ViewerModel()
    drawn = np.asarray(Image.open(examples / "cat_strokes.png")).astype(int)
    image = viewer.add_image(data.cat(), name="cat")
    strokes = viewer.add_labels(np.where(drawn == 255, 0, drawn + 1), name="strokes")
    panel = Panel(viewer)
    assert (panel.image.value, panel.strokes.value) == (image, strokes)
    panel.start()
    wait_for(lambda: model.MASK_NAME in viewer.layers and not panel._running)
    assert panel.status.value.startswith("Done")
    before = viewer.layers[model.MASK_NAME].data.copy()
    strokes.selected_label = 1
    strokes.brush_size = 30
    with strokes.block_history():  # as a drag of the mouse does
        strokes.paint((150, 225), 1)
    wait_for(lambda: (viewer.layers[model.MASK_NAME].data != before).any())
    panel.where_next()
    assert model.PLACES_NAME in viewer.layers
    strokes.data = np.zeros_like(strokes.data)
    panel.start()
    wait_for(lambda: "empty" in panel.status.value)  # in words; the last good mask stays
    assert (viewer.layers[model.MASK_NAME].data != 0).any()
    wait_for(lambda: not panel._running)
    assert application is not None


def test_all_slices_are_segmented_and_stopped(viewer_and_stack):
    viewer, panel = viewer_and_stack
    panel.all_slices()
    assert panel.slices.text == "Stop"
    wait_for(lambda: not panel._running)
    assert panel.status.value.startswith("Done")
    assert viewer.layers[model.MASK_NAME].data.shape == (5, 40, 56)
    assert (panel.slices.text, panel.progress.value) == ("Segment all slices", 0)
    panel.all_slices()
    panel.all_slices()  # stops it
    wait_for(lambda: not panel._running)
    assert panel.status.value.startswith("Stopped")


@pytest.fixture
def viewer_and_stack():
    application = QApplication.instance() or QApplication([])
    viewer = components.ViewerModel()
    values = np.random.default_rng(0).normal(100, 8, (5, 40, 56))
    values[:, 10:30, 16:40] += 60
    drawn = np.zeros(values.shape, int)
    drawn[2, 3, 4:50], drawn[2, 19:21, 22:34] = 1, 2
    viewer.add_image(values.astype(np.float32), name="cells")
    viewer.add_labels(drawn, name="strokes")
    yield viewer, Panel(viewer)
    assert application is QApplication.instance()


def test_all_image_layers_are_segmented_and_what_is_missing_is_said(examples):
    application = QApplication.instance() or QApplication([])
    viewer = components.ViewerModel()
    picture = data.cat()
    viewer.add_image(picture, name="cat")
    viewer.add_image(np.ascontiguousarray(picture[:, ::-1]), name="cat turned")
    panel = Panel(viewer)
    panel.all_layers()
    assert "no labels layer has strokes" in panel.status.value
    drawn = np.asarray(Image.open(examples / "cat_strokes.png")).astype(int)
    viewer.add_labels(np.where(drawn == 255, 0, drawn + 1), name="cat strokes")
    panel.all_layers()
    assert panel.layers.text == "Stop"
    wait_for(lambda: not panel._running)
    assert panel.status.value == "2 masks from strokes on 1"
    masks = [viewer.layers[f"{model.MASK_NAME}: {name}"].data for name in ("cat", "cat turned")]
    assert (masks[0] == masks[1][:, ::-1]).mean() > 0.8
    assert panel.layers.text == "Segment all image layers"
    assert application is not None
