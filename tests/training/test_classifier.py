"""Training a classifier from labels of images, and going on with it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from saccade.data.sets import pair_up
from saccade.data.transforms import Augmentation
from saccade.errors import InputError
from saccade.evaluation.inference import as_batch
from saccade.images import load_image
from saccade.models import mdc
from saccade.models.mdc import load_localizer
from saccade.training import classifier
from saccade.training.classifier import train_classifier
from tests.weak.helpers import CONFIG, PRESENT, SPEC, write_set

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("one_thread")]


@pytest.fixture
def found(tmp_path):
    folders = write_set(tmp_path)
    return pair_up("made up", folders.images, folders.masks, SPEC)


def test_a_classifier_learns_which_colors_are_there(found, tmp_path, monkeypatch):
    # One layer in place of a backbone: colours need no more, and normalising over two images is
    # noise.
    def one_layer(*_):
        return torch.nn.Sequential(torch.nn.Conv2d(3, 16, 8, stride=8), torch.nn.ReLU()), 16

    monkeypatch.setattr(mdc, "_features", one_layer)
    # The ground is in every image, and the others only where PRESENT says so.
    present = PRESENT.copy()
    present[:, 0] = True
    for row, example in zip(PRESENT, found.examples, strict=True):
        image, labels = load_image(example.image).copy(), found.labels(int(example.name))
        for value in (1, 2):
            if not row[value]:
                image[labels == value] = 60
        Image.fromarray(image).save(example.image)
    config = replace(
        CONFIG,
        optim=replace(CONFIG.optim, epochs=60, lr=0.1),
        augmentation=Augmentation(crop=(60, 80), scale=(1.0, 1.0)),
    )
    done = train_classifier(config, found, present, tmp_path / "run")
    assert done.losses[-1] < 0.1 * done.losses[0]
    batch = torch.cat([as_batch(load_image(e.image), torch.device("cpu")) for e in found.examples])
    with torch.no_grad():
        seen = done.net(batch) > 0
    assert all(np.array_equal(block, present) for block in seen.unbind(1))
    kept = load_localizer(tmp_path / "run/classifier.safetensors")
    assert (kept.net.config.dilations, kept.spec.names) == ((1, 2), SPEC.names)
    batch = torch.rand(1, 3, 40, 56)
    torch.testing.assert_close(kept.net(batch), done.net(batch))


@pytest.mark.slow
def test_an_interrupted_classifier_goes_on_exactly(found, tmp_path, monkeypatch):
    whole = train_classifier(CONFIG, found, PRESENT, tmp_path / "whole")
    steps = []
    true_step = classifier._step

    def step(run, batch):
        if len(steps) == 3:
            raise KeyboardInterrupt
        steps.append(true_step(run, batch))
        return steps[-1]

    monkeypatch.setattr(classifier, "_step", step)
    config = replace(CONFIG, save_every=1)
    with pytest.raises(KeyboardInterrupt):
        train_classifier(config, found, PRESENT, tmp_path / "part")
    monkeypatch.setattr(classifier, "_step", true_step)
    done = train_classifier(config, found, PRESENT, tmp_path / "part")
    assert (done.step, done.steps) == (6, 6)
    for name, value in whole.net.state_dict().items():
        assert torch.equal(value, done.net.state_dict()[name]), name
    swapped = PRESENT[::-1].copy()
    with pytest.raises(InputError, match=r"another labelled set\.labels"):
        train_classifier(CONFIG, found, swapped, tmp_path / "part")
    renamed = replace(found, spec=replace(SPEC, names=("ground", "green", "red")))
    with pytest.raises(InputError, match=r"another labelled set\.classes"):
        train_classifier(CONFIG, renamed, PRESENT, tmp_path / "part")
    other = replace(CONFIG, seed=5)
    with pytest.raises(InputError, match="another seed"):
        train_classifier(other, found, PRESENT, tmp_path / "part")


def test_a_class_that_never_occurs_is_named_first(found, tmp_path):
    present = PRESENT.copy()
    present[:, 2] = False
    with pytest.raises(InputError, match="class 'green' is in no image"):
        train_classifier(CONFIG, found, present, tmp_path / "run")
    assert not (tmp_path / "run").exists()
