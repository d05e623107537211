"""A trained network as a model: the masks of `predict`, and strokes that correct them."""

import json

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image
from scipy import ndimage
from typer.testing import CliRunner

import saccade
from saccade.cli.app import app
from saccade.data.specs import LabelSpec
from saccade.errors import InputError
from saccade.fitted import TrainedModel
from saccade.fitted.file import load_fitted
from saccade.models.checkpoint import save_checkpoint
from saccade.models.segmentation import SegmentationConfig, SegmentationNet
from tests.networks import halves, small_network

SIZE = (120, 160)


@pytest.fixture
def network(tmp_path):
    path = tmp_path / "net.safetensors"
    path.write_bytes(small_network())
    return path


@pytest.fixture
def picture():
    return halves(3, SIZE)


def saccade_cli(*words):
    result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output + result.stderr


def wrong_stroke(labels, value, *, width=24):
    """A stroke of a class in the middle of what is another, and where it is."""
    inside = ndimage.distance_transform_edt(np.pad(labels != value, 1))[1:-1, 1:-1]
    row, column = np.unravel_index(inside.argmax(), inside.shape)
    strokes = np.full(labels.shape, 255, np.uint8)
    strokes[row - 1 : row + 2, max(0, column - width // 2) : column + width // 2] = value
    return strokes


def test_it_gives_the_mask_of_predict(network, picture, tmp_path):
    model = saccade.load(network)
    assert isinstance(model, TrainedModel)
    assert model.names == {0: "background", 1: "object"}
    assert model.classes == (0, 1)
    found = model.predict(picture)
    assert set(np.unique(found.labels)) == {0, 1}
    np.testing.assert_allclose(found.probabilities.sum(0), 1, atol=1e-5)
    np.testing.assert_array_equal(found.probabilities.argmax(0), found.labels)
    assert found.uncertainty.shape == SIZE
    Image.fromarray(picture).save(tmp_path / "a.png")
    saccade_cli("predict", network, tmp_path / "a.png", "-o", tmp_path / "masks")
    np.testing.assert_array_equal(Image.open(tmp_path / "masks" / "a.png"), found.labels)


def test_strokes_change_what_they_contradict_and_nothing_far_away(network, picture):
    model = saccade.load(network)
    before = model.predict(picture)
    for value in (0, 1):
        strokes = wrong_stroke(before.labels, value)
        after = model.predict(picture, strokes)
        changed = after.labels != before.labels
        assert (after.labels[strokes == value] == value).all()
        assert set(np.unique(after.labels[changed])) == {value}
        parts, count = ndimage.label(changed, np.ones((3, 3)))
        assert set(np.unique(parts[strokes == value])) - {0} == set(range(1, count + 1))
        far = ndimage.distance_transform_edt(strokes == 255) > 0.3 * np.hypot(*SIZE)
        assert not changed[far].any()
        assert (after.uncertainty[strokes == value] == 0).all()
        np.testing.assert_array_equal(after.labels, model.predict(picture, strokes).labels)


def test_strokes_that_agree_change_nothing(network, picture):
    model = saccade.load(network)
    before = model.predict(picture)
    strokes = np.where(before.labels == 1, 1, 255)
    np.testing.assert_array_equal(model.predict(picture, strokes).labels, before.labels)


def test_a_class_that_it_has_not_is_refused(network, picture):
    strokes = np.full(SIZE, 255)
    strokes[4, 4:20] = 7
    with pytest.raises(InputError, match="label 7, the model's classes are 0, 1"):
        saccade.load(network).predict(picture, strokes)


def test_a_large_image_is_seen_in_windows_and_says_so(network, monkeypatch):
    from saccade.fitted import trained

    monkeypatch.setattr(trained, "_WHOLE_PIXELS", 10_000)
    found = saccade.load(network).predict(halves(1, SIZE))
    assert any("windows of 1024 x 1024" in line for line in found.remarks)
    assert found.labels.shape == SIZE


def test_segment_takes_it_with_objects_and_a_table(network, picture, tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("a", "b"):
        Image.fromarray(picture).save(folder / f"{name}.png")
    out, table = tmp_path / "out", tmp_path / "t.csv"
    saccade_cli("segment", folder, "--model", network, "-o", out, "--instances", "--table", table)
    labels = saccade.load(network).predict(picture).labels
    np.testing.assert_array_equal(Image.open(out / "a.png"), labels)
    assert "object" in table.read_text("utf-8")
    record = json.loads((out / "records" / "a.json").read_text("utf-8"))
    assert "model" in json.dumps(record)


def test_fit_cannot_go_on_from_it(network):
    with pytest.raises(InputError, match="is a trained network, must be a model of strokes"):
        load_fitted(network)


def test_a_network_of_five_channels_is_corrected_too(tmp_path):
    torch.manual_seed(1)
    config = SegmentationConfig(2, pyramid="none", width=8, in_channels=5)
    net = SegmentationNet(config)
    path = tmp_path / "five.safetensors"
    save_checkpoint(path, net.config, net.state_dict(), LabelSpec(("ground", "cell")), {})
    model = saccade.load(path)
    stains = np.random.default_rng(0).integers(0, 4096, (*SIZE, 5), dtype=np.uint16)
    before = model.predict(stains).labels
    value = 1 - int(np.bincount(before.ravel()).argmax())
    strokes = wrong_stroke(before, value)
    assert (model.predict(stains, strokes).labels[strokes == value] == value).all()
    tifffile.imwrite(tmp_path / "a.tif", np.moveaxis(stains, 2, 0), imagej=True,
                     metadata={"axes": "CYX"})  # fmt: skip
    saccade_cli("segment", tmp_path / "a.tif", "--model", path, "-o", tmp_path / "out")
    np.testing.assert_array_equal(Image.open(tmp_path / "out/a.png"), before)
    with pytest.raises(InputError, match="3 channels, expected 5"):
        model.predict(halves(1, SIZE))
