"""A model on what is seen part by part: stacks plane by plane, large images strip by strip."""

from dataclasses import dataclass

import numpy as np
import pytest
import tifffile
import torch
from torch.nn import functional

import saccade
from saccade.data.specs import LabelSpec
from saccade.errors import InputError
from saccade.evaluation.inference import Protocol
from saccade.fitted.slide import _around, predict_slide
from saccade.fitted.stack import predict_stack
from saccade.fitted.trained import TrainedModel
from saccade.images import Image, open_image
from saccade.images.network_input import NetworkReading
from saccade.slides import Journal

SPEC = LabelSpec(("dark", "bright"))


class Threshold(torch.nn.Module):
    """Knows bright from dark, by the channels of the pixels to all sides, so far away."""

    def __init__(self, around=0):
        super().__init__()
        self.around, self.calls = around, 0

    def forward(self, images):
        self.calls += 1
        seen = images.mean(1, keepdim=True)
        height, width = seen.shape[2:]
        wide = functional.pad(seen, (self.around,) * 4, mode="replicate")
        places = [(0, 1), (1, 0), (1, 2), (2, 1)]
        shifted = [
            wide[..., y * self.around :, x * self.around :][..., :height, :width] for y, x in places
        ]
        seen = torch.stack(shifted).mean(0)
        return torch.cat([0.5 - seen, seen - 0.5], 1) * 20


@dataclass(frozen=True)
class Known:
    """What `TrainedModel` asks of a `Checkpoint`."""

    net: torch.nn.Module
    reading: NetworkReading
    spec: LabelSpec
    resize: int = 0


def model_of(net, *, reading=None, protocol=None):
    return TrainedModel(Known(net, reading or NetworkReading(), SPEC), protocol=protocol)


def noise(*shape, seed=0):
    coarse = torch.from_numpy(np.random.default_rng(seed).random((1, 1, 12, 20), np.float32))
    smooth = functional.interpolate(coarse, shape[:2], mode="bicubic")[0, 0].clamp(0, 1)
    return np.repeat((smooth.numpy() * 255).astype(np.uint8)[..., None], shape[2], 2)


@pytest.mark.parametrize("size", [(1150, 2300), (512, 1024), (300, 700), (520, 3)])
def test_parts_give_the_mask_of_the_whole(tmp_path, size):
    image = noise(*size, 3)
    model = model_of(Threshold(around=100 if min(size) > 50 else 1))
    whole = model.probabilities(image, Protocol())
    found = predict_slide(model, Image(image, "YXC", colors=True), Journal(tmp_path / "parts", {}))
    assert found.labels.shape == size
    np.testing.assert_array_equal(np.asarray(found.labels), whole.argmax(0))
    difference = np.asarray(found.confidence) / 255 - whole.amax(0).numpy()
    assert np.abs(difference).max() < 0.003
    assert found.overview.shape[0] * found.overview.shape[1] <= 4_000_000


def test_a_network_that_saw_small_images_sees_all_of_a_large_one_as_small(tmp_path):
    image = noise(900, 1500, 3)
    net = Threshold()
    model = model_of(net, protocol=Protocol(resize=90))
    found = predict_slide(model, Image(image, "YXC", colors=True), Journal(tmp_path / "parts", {}))
    expected = model.probabilities(image, Protocol(resize=90)).argmax(0).numpy()
    assert (np.asarray(found.labels) == expected).mean() > 0.99
    assert net.calls == 2  # once here, once for what is expected


def test_strips_that_are_finished_are_not_asked_again(tmp_path):
    image = Image(noise(1200, 600, 3), "YXC", colors=True)
    net = Threshold()
    predict_slide(model_of(net), image, Journal(tmp_path / "parts", {}))
    assert net.calls == 3
    (tmp_path / "parts" / "strip-0002.npz").unlink()
    again = predict_slide(model_of(net), image, Journal(tmp_path / "parts", {}))
    assert net.calls == 4
    assert np.asarray(again.labels).shape == (1200, 600)


def test_parts_of_16_bits_have_one_white(tmp_path):
    """Else a dark part would be as bright as a bright one."""
    values = noise(1100, 1100, 1)[..., 0].astype(np.uint16) * 3
    values[600:] //= 3
    model = model_of(Threshold())
    found = predict_slide(model, Image(values, "YX"), Journal(tmp_path / "parts", {}))
    assert np.asarray(found.labels)[600:].max() == 0
    assert np.asarray(found.labels)[:600].max() == 1
    assert any("were stretched to 0..255" in line for line in found.remarks)
    assert not any("as the file said" in line for line in found.remarks)


@pytest.mark.parametrize("axes", ["ZYX", "TZYX", "ZCYX", "CZYX"])
@pytest.mark.parametrize("measured", [False, True])
def test_planes_of_channels_are_read_alike(axes, measured):
    shape = {"T": 2, "Z": 3, "C": 5, "Y": 40, "X": 60}
    values = np.random.default_rng(0).integers(0, 900, [shape[a] for a in axes]).astype(np.uint16)
    image = Image(values, axes)
    bright = np.moveaxis(values, axes.index("Z"), 0)
    bright[1] //= 4  # a dark plane stays dark
    count = image.count("C")
    windows = ((0.0, 1000.0),) * count if measured else ()
    reading = NetworkReading(count=count, colors=False, windows=windows)
    found = predict_stack(model_of(Threshold(), reading=reading), image)
    assert found.axes == axes.replace("C", "")
    assert found.finished
    each = np.moveaxis(found.labels, found.axes.index("Z"), 0)
    assert each[0].mean() > 0.3
    assert each[1].max() == 0


def test_planes_that_are_known_are_not_asked_and_cancelling_keeps_the_rest():
    image = Image(np.stack([noise(40, 60, 3, seed=s) for s in range(4)]), "ZYXC", colors=True)
    net, kept = Threshold(), {}
    model = model_of(net)
    first = predict_stack(model, image, finished=lambda place, one: kept.update({place: one}))
    assert sorted(kept) == [(0, 0), (0, 1), (0, 2), (0, 3)]
    known = {(0, 2): (first.labels[2], first.uncertainty[2])}
    again = predict_stack(model, image, skip=known)
    assert net.calls == 7
    np.testing.assert_array_equal(again.labels, first.labels)
    asked = iter([False, False, True])
    half = predict_stack(model, image, cancel=lambda: next(asked))
    assert not half.finished
    assert half.done.tolist() == [[True, True, False, False]]
    assert "2 of 4 planes are finished" in " ".join(half.remarks)


def test_a_model_of_strokes_sees_all_planes_too(tmp_path):
    scene = np.full((64, 96), 400, np.uint16)
    scene[20:44, 30:66] = 2000
    strokes = np.full((64, 96), 255)
    strokes[5, 10:80], strokes[32, 40:56] = 0, 1
    model = saccade.fit([scene], [strokes])
    tifffile.imwrite(
        tmp_path / "a.tif", np.stack([scene] * 3), imagej=True, metadata={"axes": "ZYX"}
    )
    found = predict_stack(model, open_image(tmp_path / "a.tif"))
    assert found.labels.shape == (3, 64, 96)
    np.testing.assert_array_equal(found.labels[2], model.predict(scene).labels)


def test_one_plane_is_no_stack_and_a_stack_no_slide(tmp_path):
    model = model_of(Threshold())
    flat = Image(np.zeros((40, 60), np.uint8), "YX")
    with pytest.raises(InputError, match="axes YX have one plane, expected several"):
        predict_stack(model, flat)
    deep = Image(np.zeros((2, 40, 60), np.uint8), "ZYX")
    with pytest.raises(InputError, match="has several planes, expected one; see predict_stack"):
        predict_slide(model, deep, Journal(tmp_path / "parts", {}))


def test_windows_are_as_large_as_they_can_be():
    assert _around(0, 512, 700, 768) == slice(0, 700)
    assert _around(3072, 3100, 3100, 1280) == slice(1820, 3100)
