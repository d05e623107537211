"""What is wrong with a configuration is found before all images are decoded."""

import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from saccade.data.specs import LabelSpec
from saccade.errors import InputError
from saccade.models.checkpoint import save_checkpoint
from saccade.models.segmentation import SegmentationConfig, SegmentationNet
from saccade.training import loop
from saccade.training.config import config_of
from saccade.training.loop import train
from tests.training.helpers import changed

pytestmark = pytest.mark.filterwarnings("ignore")


def _checkpoint(folder, names=("ground", "red", "green"), width=8):
    network = SegmentationConfig(len(names), width=width)
    weights = SegmentationNet(network).state_dict()
    save_checkpoint(folder / "a.safetensors", network, weights, LabelSpec(names), {})


def _garbage(folder):
    (folder / "w.pth").write_bytes(b"no weights" * 50)


def _foreign(folder):
    torch.save({"conv.weight": torch.zeros(3)}, folder / "w.pth")


def _labels(text):
    return lambda folder: (folder / "labels.csv").write_text(text)


ALL = "".join(f"{n},red\n" for n in range(8))
WEAK = {"supervision": {"masks": "pseudo", "online": 1.0, "labels": "labels.csv"}}
NETWORK = {"network": {"weights": "w.pth"}}
START = {"network": {"start": "a.safetensors"}}
MISTAKES = {
    "no weights": (lambda f: None, NETWORK, "w.pth: no such file"),
    "no file of weights": (_garbage, NETWORK, "w.pth"),
    "weights of another network": (_foreign, NETWORK, "w.pth"),
    "no start": (lambda f: None, START, "a.safetensors: no such file"),
    "a start of another width": (lambda f: _checkpoint(f, width=16), START, "another"),
    "no image labels": (lambda f: None, WEAK, "labels.csv: no such file"),
    "labels of no class": (_labels("0,cow\n"), WEAK, "label 'cow', which no class has"),
    "a label of no class for another image": (_labels(ALL + "x,cow\n"), WEAK, "'cow'"),
    "an image without labels": (_labels("0,red\n"), WEAK, "image '1' has no label (and 6 more"),
    "labels that are no text": (
        lambda f: (f / "labels.csv").write_bytes(b"\xff\xfe0\0"),
        WEAK,
        "no UTF-8",
    ),
    "no weak masks": (lambda f: None, {"supervision": {"masks": "gone"}}, "no such folder"),
    "a weak mask less": (
        lambda f: (f / "pseudo/3.png").unlink(),
        {"supervision": {"masks": "pseudo"}},
        "3.png: no such file",
    ),
    "a weak mask twice": (
        lambda f: shutil.copy(f / "pseudo/3.png", f / "pseudo/3.tif"),
        {"supervision": {"masks": "pseudo"}},
        "3.png and 3.tif: two files",
    ),
    "a strong image that is none": (
        lambda f: (f / "list.txt").write_text("0\nnine lives\n"),
        {"supervision": {"masks": "pseudo", "strong_list": "list.txt"}},
        "'lives' is no image",
    ),
    "no split": (lambda f: None, {"data": {"val": "gone"}}, "no such folder"),
    "no data": (lambda f: None, {"data": {"root": "gone"}}, "no such folder"),
    "a batch too large": (lambda f: None, {"optim": {"batch": 9}}, "there are 8 training images"),
}


@pytest.fixture
def weak(data, tmp_path):
    """A folder with pseudo masks beside the data."""
    shutil.copytree(data / "masks/train", tmp_path / "pseudo")
    return tmp_path


@pytest.fixture
def prepared(weak, monkeypatch):
    """The same; whoever decodes the images fails."""
    monkeypatch.setattr(loop, "check_sets", _too_late)
    return weak


def _too_late(*_):
    raise AssertionError("all images are decoded")


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_found_before_images_are_decoded(settings, prepared, mistake):
    make, tables, words = MISTAKES[mistake]
    make(prepared)
    with pytest.raises(InputError) as caught:
        train(config_of(changed(settings, **tables), prepared), prepared / "run")
    assert words in str(caught.value)
    assert not (prepared / "run").exists()


def test_other_settings_are_found_before_images_are_decoded(settings, weak, monkeypatch):
    train(config_of(settings, weak), weak / "run")
    monkeypatch.setattr(loop, "check_sets", _too_late)
    other = config_of(changed(settings, optim={"lr": 0.02}), weak)
    with pytest.raises(InputError, match="another optim"):
        train(other, weak / "run")


def _values(folder, change):
    for path in sorted((folder / "pseudo").iterdir()):
        with Image.open(path) as mask:
            Image.fromarray(change(np.array(mask))).save(path)


WEAK_MASKS = {
    "a value": (lambda v: np.where(v == 2, 7, v), "value 7 at"),
    "another size": (lambda v: v[:-1], "its image has"),
    "no label": (lambda v: np.full_like(v, 255), "no pixel of the 8 masks has a class"),
    "one class": (lambda v: np.where(v == 0, 0, 255).astype(np.uint8), "are 'ground'"),
}


@pytest.mark.parametrize("fault", WEAK_MASKS)
def test_weak_masks_are_checked_like_others(settings, weak, fault):
    change, words = WEAK_MASKS[fault]
    _values(weak, change)
    tables = changed(settings, supervision={"masks": "pseudo"})
    with pytest.raises(InputError, match=words):
        train(config_of(tables, weak), weak / "run")
    assert not (weak / "run").exists()


def test_lines_on_other_images_are_spoken_of(settings, weak):
    (weak / "labels.csv").write_text(ALL + "x,red\ny.v2.jpg,green\n3.png,green\n")
    said = []
    train(config_of(changed(settings, **WEAK), weak), weak / "run", note=said.append)
    assert [line.split("labels.csv: ")[1] for line in said] == [
        "2 lines are of no image here, 'x' for one",
        "1 images have several lines, whose labels were joined; '3' for one",
    ]
