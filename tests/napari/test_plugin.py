"""The plugin on a viewer without a window."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from saccade.errors import InputError
from saccade.formats.masks import MASK_FORMATS, read_mask
from saccade.napari import model
from saccade.napari.files import read_strokes_layer, sample_cat, strokes_reader, write_labels

pytestmark = pytest.mark.filterwarnings("default")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    components = pytest.importorskip("napari.components", reason="saccade[napari] is missing")
    npe2 = pytest.importorskip("npe2", reason="saccade[napari] is missing")
MANIFEST = Path(model.__file__).parent / "napari.yaml"


@pytest.fixture
def viewer():
    return components.ViewerModel()


@pytest.fixture
def cat(viewer, examples):
    """The photograph and its strokes, 0 where unlabeled."""
    strokes = np.asarray(Image.open(examples / "cat_strokes.png")).astype(int)
    image = viewer.add_image(data.cat(), name="cat", scale=(2, 2))
    layer = viewer.add_labels(
        np.where(strokes == 255, 0, strokes + 1), name="strokes", scale=(2, 2)
    )
    return image, layer


def test_layers_make_a_mask_in_place(viewer, cat, examples):
    fitted = model.fit_layers(viewer, *cat)
    mask = viewer.layers[model.MASK_NAME]
    truth = np.asarray(Image.open(examples / "cat_truth.png")) == 1
    found = mask.data == 2
    assert (found & truth).sum() / (found | truth).sum() > 0.9
    np.testing.assert_array_equal(mask.scale, (2, 2))
    uncertainty = viewer.layers[model.UNCERTAINTY_NAME]
    assert uncertainty.data.shape == truth.shape
    assert 0 <= uncertainty.data.min() <= uncertainty.data.max() <= 1
    assert viewer.layers.selection.active is cat[1]
    names = [layer.name for layer in viewer.layers]
    assert names.index("strokes") > names.index(model.MASK_NAME)
    assert fitted.segmenter.result.classes == (1, 2)


def test_more_strokes_update_the_same_layers(viewer, cat):
    first = model.fit_layers(viewer, *cat)
    before = viewer.layers[model.MASK_NAME].data.copy()
    cat[1].data[100:200, 200:210] = 1
    second = model.fit_layers(viewer, *cat, earlier=first)
    assert second.segmenter is first.segmenter  # an update, not a new fit
    assert (viewer.layers[model.MASK_NAME].data != before).any()
    assert sum(layer.name.startswith(model.MASK_NAME) for layer in viewer.layers) == 1
    other = model.fit_layers(viewer, *cat, model.Options(seed=3), second)
    assert other.segmenter is not first.segmenter


def test_one_class_gives_a_first_mask(viewer, cat):
    both = cat[1].data.copy()
    cat[1].data = np.where(both == 2, 2, 0)
    first = model.fit_layers(viewer, *cat)
    assert first.segmenter.result.classes == (0, 2)
    assert first.segmenter.result.provisional == (0,)
    assert any("provisional" in line for line in first.segmenter.result.remarks)
    assert set(np.unique(viewer.layers[model.MASK_NAME].data)) == {0, 2}
    assert set(np.unique(cat[1].data)) == {0, 2}  # the strokes stay as they are
    cat[1].data = both
    second = model.fit_layers(viewer, *cat, earlier=first)
    alone = model.compute(*cat, (), model.Options())
    np.testing.assert_array_equal(
        second.segmenter.result.probabilities, alone.segmenter.result.probabilities
    )
    assert second.segmenter.result.provisional == ()


def test_places_are_numbered_boxes(viewer, cat):
    fitted = model.fit_layers(viewer, *cat)
    count = model.show_places(viewer, cat[0], fitted, 3)
    assert 1 <= count <= 3
    assert len(viewer.layers[model.PLACES_NAME].data) == count
    model.show_places(viewer, cat[0], fitted, 2)
    assert sum(layer.name.startswith(model.PLACES_NAME) for layer in viewer.layers) == 1


def test_a_slice_of_a_stack_is_segmented_as_it_is_shown(viewer):
    stack = np.zeros((3, 40, 50), np.float32)
    stack[1, :, 25:] = 1000.0
    image = viewer.add_image(stack, contrast_limits=(0, 1000))
    strokes = viewer.add_labels(np.zeros(stack.shape, int))
    strokes.data[1, 5:30, 5:8], strokes.data[1, 5:30, 40:43] = 1, 2
    viewer.dims.set_current_step(0, 1)
    model.fit_layers(viewer, image, strokes)
    mask = viewer.layers[model.MASK_NAME].data
    assert mask.shape == stack.shape
    assert (mask[1, :, :22] == 1).all()
    assert (mask[1, :, 28:] == 2).all()
    assert not mask[[0, 2]].any()
    strokes.data[2] = strokes.data[1]
    viewer.dims.set_current_step(0, 2)
    model.fit_layers(viewer, image, strokes)
    after = viewer.layers[model.MASK_NAME].data
    np.testing.assert_array_equal(after[1], mask[1])
    assert after[2].any()


@pytest.mark.parametrize(("kind", "top"), [(np.uint16, 65535), (np.float32, 1.0)])
def test_rgb_of_other_types(viewer, kind, top):
    picture = (np.linspace(0, 1, 40 * 50 * 3).reshape(40, 50, 3) * top).astype(kind)
    layer = viewer.add_image(picture, rgb=True)
    seen = model.picture_of(layer, ())
    assert seen.dtype == np.uint8
    assert seen.max() == 255


def test_what_does_not_go_together_is_named(viewer, cat):
    image, strokes = cat
    small = viewer.add_labels(np.ones((10, 10), int), name="small")
    with pytest.raises(InputError, match="'small': 10 x 10 pixels, the image has 451 x 300"):
        model.fit_layers(viewer, image, small)
    strokes.data[:] = 0
    with pytest.raises(InputError, match="strokes are empty"):
        model.fit_layers(viewer, image, strokes)
    assert model.MASK_NAME not in viewer.layers


@pytest.mark.parametrize("fmt", MASK_FORMATS)
def test_masks_are_written_in_every_format(tmp_path, fmt):
    labels = np.zeros((20, 30), int)
    labels[4:9, 5:20] = 2
    path = tmp_path / f"m{MASK_FORMATS[fmt].suffix}"
    assert write_labels(str(path), labels, {"metadata": {}}) == [str(path)]
    np.testing.assert_array_equal(read_mask(path), labels)


def test_unknown_endings_and_stacks_are_refused(tmp_path):
    with pytest.raises(InputError, match="ends in none of"):
        write_labels(str(tmp_path / "a.gif"), np.ones((3, 3), int), {})
    with pytest.raises(InputError, match="2-D"):
        write_labels(str(tmp_path / "a.png"), np.ones((3, 3, 3), int), {})


def test_strokes_are_read_with_0_where_unlabeled(examples):
    assert strokes_reader(["a", "b"]) is None
    path = str(examples / "cat_strokes.png")
    ((labels, options, kind),) = strokes_reader(path)(path)
    assert kind == "labels"
    assert set(np.unique(labels)) == {0, 1, 2}
    assert options["name"] == "cat_strokes strokes"


def test_the_sample_is_a_photograph_and_room_for_strokes():
    (picture, _, first), (strokes, _, second) = sample_cat()
    assert (first, second) == ("image", "labels")
    assert picture.shape[:2] == strokes.shape


def test_the_manifest_is_valid_and_every_command_is_there():
    manifest = npe2.PluginManifest.from_file(MANIFEST)
    manifest.validate_imports()
    commands = {c.id for c in manifest.contributions.commands}
    assert commands == {
        "saccade.make_widget",
        "saccade.read_strokes",
        "saccade.write_mask",
        "saccade.sample",
    }
    endings = set(manifest.contributions.writers[0].filename_extensions)
    assert endings <= {f.suffix for f in MASK_FORMATS.values()}


def test_a_document_of_the_page_is_read(tmp_path):
    shapes = [
        {"label": "sky", "points": [[1, 1], [8, 1]], "shape_type": "linestrip", "width": 2},
        {"label": "sea", "points": [[1, 8], [8, 8]], "shape_type": "linestrip", "width": 2},
    ]
    document = {
        "shapes": shapes,
        "imageHeight": 10,
        "imageWidth": 10,
        "saccade_classes": [[3, "sky"], [4, "sea"]],
    }
    (tmp_path / "a.strokes.json").write_text(json.dumps(document))
    ((labels, options, _),) = read_strokes_layer(str(tmp_path / "a.strokes.json"))
    assert set(np.unique(labels)) == {0, 4, 5}
    assert options["metadata"]["saccade"]["names"] == {4: "sky", 5: "sea"}
