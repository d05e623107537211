"""Training on images of any number of channels, from the configuration to masks of new images."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from saccade.errors import InputError
from saccade.models.checkpoint import load_checkpoint, save_checkpoint
from saccade.models.pretrained import load_backbone
from saccade.models.segmentation import SegmentationConfig, SegmentationNet
from saccade.training.config import config_of
from saccade.training.loop import train
from tests.cli.networks import check, run
from tests.training.conftest import write_set
from tests.training.helpers import changed, toml

pytestmark = pytest.mark.filterwarnings("ignore")

GAINS = np.array([300, 60, 9000, 20, 4])


@pytest.fixture(scope="module")
def five(tmp_path_factory):
    """The tiny set as five channels of 16 bits, of which two are new, each of another range."""
    root = write_set(tmp_path_factory.mktemp("five") / "data")
    for path in (root / "images").glob("*/*.png"):
        colors = np.asarray(Image.open(path)).astype(float) / 255
        noise = np.random.default_rng(int(path.stem)).random((*colors.shape[:2], 2))
        values = np.concatenate([colors, noise], 2) * GAINS + 100
        planes = values.astype(np.uint16).transpose(2, 0, 1)
        tifffile.imwrite(path.with_suffix(".tif"), planes, metadata={"axes": "CYX"}, imagej=True)
        path.unlink()
    return root


@pytest.fixture
def wanted(five):
    return {
        "data": {"layout": "folder", "root": str(five), "intensities": "measured"},
        "network": {"width": 8, "pyramid": "none"},
        "optim": {"epochs": 2, "batch": 4, "lr": 0.05},
        "augmentation": {"crop": [32, 40]},
        "run": {"device": "cpu", "pictures": 1},
    }


def test_what_was_trained_on_five_channels_predicts_without_options(wanted, five, tmp_path):
    (tmp_path / "train.toml").write_text(toml(wanted))
    check(run("train", tmp_path / "train.toml", "-o", tmp_path / "run"), "mIoU")
    assert (tmp_path / "run/report.html").is_file()
    network = tmp_path / "run/best.safetensors"
    found = load_checkpoint(network)
    assert found.net.config.in_channels == len(found.net.config.mean) == 5
    assert found.net.config.mean != SegmentationConfig(3, in_channels=5).mean
    lows, highs = np.array(found.reading.windows).T
    assert (lows >= 100).all()
    assert (highs <= GAINS + 100).all()
    scored = run("evaluate", network, five, "-o", tmp_path / "scores")
    check(scored, "mIoU")
    history = json.loads((tmp_path / "run/history.json").read_text())
    best = max(entry["miou"] for entry in history)
    scores = json.loads((tmp_path / "scores/scores.json").read_text())
    assert scores["miou"] == pytest.approx(best, abs=1e-6)
    check(run("predict", network, five / "images/val", "-o", tmp_path / "masks"), "3 masks")
    assert (tmp_path / "masks/overlay/0.png").is_file()
    Image.new("RGB", (64, 48)).save(tmp_path / "colors.png")
    refused = run("predict", network, tmp_path / "colors.png", "-o", tmp_path / "other")
    check(refused, "colors.png: 3 channels, expected 5", code=1)
    assert not (tmp_path / "other").exists()
    write_set(tmp_path / "rgb")
    refused = run("evaluate", network, tmp_path / "rgb", "-o", tmp_path / "none")
    check(refused, "0.png: 3 channels, expected 5", code=1)


def test_a_run_of_five_channels_goes_on_exactly(wanted, tmp_path):
    config = config_of(changed(wanted, run={"save_every": 1}), Path("."))

    def stop(done, total, text):
        if done == 3 and text.startswith("epoch"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "parts", report=stop)
    for name in ("parts", "whole"):
        assert train(config, tmp_path / name).step == 4
    one, other = (
        load_checkpoint(tmp_path / name / "last.safetensors") for name in ("whole", "parts")
    )
    assert one.reading == other.reading
    theirs = other.net.state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in one.net.state_dict().items())
    fewer = config_of(changed(wanted, data={"channels": ["1", "2"]}), Path("."))
    with pytest.raises(InputError, match=r"another data\.channels"):
        train(fewer, tmp_path / "whole")


@pytest.mark.parametrize(
    ("data", "channels", "windows"),
    [
        ({"intensities": []}, 5, 0),
        ({"intensities": [0, 9000]}, 5, 0),
        ({"channels": ["1", "4"]}, 2, 2),
        ({"channels": ["3"], "intensities": []}, 1, 0),
        ({"channels": ["3", "1", "2"], "intensities": []}, 3, 0),
        ({"channels": ["3", "1", "2"]}, 3, 3),
    ],
)
def test_channels_and_intensities_go_with_the_network(wanted, tmp_path, data, channels, windows):
    settings = changed(wanted, data=data, optim={"epochs": 1})
    train(config_of(settings, Path(".")), tmp_path / "run")
    found = load_checkpoint(tmp_path / "run/last.safetensors")
    assert found.net.config.in_channels == channels
    assert len(found.reading.windows) == windows
    assert found.reading.channels == (tuple(data["channels"]) if "channels" in data else None)
    assert found.reading.window == (tuple(data.get("intensities") or ()) or None)


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"augmentation": {"jitter": 0.2}}, "jitter changes colors, but images have 5 channels"),
        ({"augmentation": {"more": ["RandomGrayscale(p=0.1)"]}}, "takes no images of 5 channels"),
        ({"network": {"mean": [0.5, 0.5, 0.5]}}, "mean has 3 numbers, must have 5"),
        ({"data": {"channels": ["1", "9"]}}, r"0\.tif: channel 9, expected 1 to 5"),
        (
            {"network": {"network": "largefov", "backbone": "vgg16"}},
            "'largefov' takes 3 channels, the images have 5",
        ),
    ],
)
def test_what_does_not_fit_the_channels_is_refused_before_the_first_step(
    wanted, tmp_path, tables, message
):
    with pytest.raises(InputError, match=message):
        train(config_of(changed(wanted, **tables), Path(".")), tmp_path / "run")
    assert not (tmp_path / "run/last.safetensors").exists()


def test_one_image_of_other_channels_is_named_before_the_first_step(wanted, tmp_path):
    root = write_set(tmp_path / "data")
    path = root / "images/train/3.png"
    tifffile.imwrite(path.with_suffix(".tif"), np.zeros((4, 48, 64), np.uint8),
                     metadata={"axes": "CYX"}, imagej=True)  # fmt: skip
    path.unlink()
    settings = changed(wanted, data={"root": str(root), "intensities": []})
    with pytest.raises(InputError, match=r"3\.tif: 4 channels, expected red, green and blue"):
        train(config_of(settings, Path(".")), tmp_path / "run")


def test_a_run_starts_from_a_network_of_as_many_channels_measured_anew(wanted, tmp_path):
    first = train(config_of(wanted, Path(".")), tmp_path / "first")
    assert first.step == 4
    start = {"start": str(tmp_path / "first/last.safetensors")}
    settings = changed(wanted, network=start, data={"every": 2}, optim={"epochs": 1})
    train(config_of(settings, Path(".")), tmp_path / "second")
    one, other = (load_checkpoint(tmp_path / n / "last.safetensors") for n in ("first", "second"))
    assert one.net.config.mean != other.net.config.mean
    fewer = changed(settings, data={"channels": ["1", "2"]})
    with pytest.raises(InputError, match="another in_channels"):
        train(config_of(fewer, Path(".")), tmp_path / "third")


def test_a_checkpoint_without_a_number_of_channels_has_three(data, settings, tmp_path):
    train(config_of(changed(settings, optim={"epochs": 1}), Path(".")), tmp_path / "run")
    found = load_checkpoint(tmp_path / "run/last.safetensors")
    assert found.net.config.in_channels == 3
    old = dict(found.net.config.to_dict())
    old.pop("in_channels")

    class Old(SegmentationConfig):
        def to_dict(self):
            return old

    info = {k: v for k, v in found.info.items() if k != "reading"}
    save_checkpoint(tmp_path / "old.safetensors", Old(3), found.net.state_dict(), found.spec, info)
    again = load_checkpoint(tmp_path / "old.safetensors")
    assert again.net.config == found.net.config
    image = data / "images/val/0.png"
    assert np.array_equal(again.reading.read(image).pixels, found.reading.read(image).pixels)


@pytest.mark.parametrize("channels", [1, 2, 4, 5])
def test_weights_of_three_channels_are_adapted_as_timm_does(channels, tmp_path):
    timm = pytest.importorskip("timm", reason="the extra timm is not installed")
    from timm.models import adapt_input_conv

    source = SegmentationNet(SegmentationConfig(3, width=8))
    torch.save(source.backbone.state_dict(), tmp_path / "a.pth")
    net = SegmentationNet(SegmentationConfig(3, width=8, in_channels=channels)).eval()
    load_backbone(net, "mobilenet_v2", str(tmp_path / "a.pth"))
    first = source.backbone.features[0][0].weight
    own = net.backbone.features[0][0].weight
    assert torch.allclose(own, adapt_input_conv(channels, first))
    if channels == 1:  # grey gives what three equal channels gave
        source.mean.fill_(float(net.mean))
        source.std.fill_(float(net.std))
        grey = torch.rand(1, 1, 32, 32)
        maps = source.eval().backbone((grey.repeat(1, 3, 1, 1) - source.mean) / source.std)
        other = net.backbone((grey - net.mean) / net.std)
        assert torch.allclose(maps[5], other[5], atol=1e-5)
    made = timm.create_model("resnet10t", pretrained=False)
    torch.save(made.state_dict(), tmp_path / "b.pth")
    config = SegmentationConfig(3, width=8, backbone="timm:resnet10t", in_channels=channels)
    net = SegmentationNet(config)
    load_backbone(net, "timm:resnet10t", str(tmp_path / "b.pth"))
    first = made.state_dict()["conv1.0.weight"]
    own = next(v for n, v in net.backbone.net.state_dict().items() if n.endswith("conv1.0.weight"))
    assert torch.allclose(own, adapt_input_conv(channels, first))
