"""A run that starts from a checkpoint of other classes, and one that goes on for longer."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from saccade.data.specs import LabelSpec
from saccade.errors import InputError
from saccade.models.checkpoint import load_checkpoint, save_checkpoint
from saccade.models.pretrained import expects, load_backbone
from saccade.models.segmentation import SegmentationConfig, SegmentationNet
from saccade.training.config import config_of
from saccade.training.loop import train
from saccade.training.start import start_from
from tests.training.helpers import changed

pytestmark = pytest.mark.filterwarnings("ignore")

HALF = (0.5, 0.5, 0.5)


def checkpoint(path, names, **network):
    config = SegmentationConfig(len(names), width=8, **network)
    torch.manual_seed(1)
    weights = SegmentationNet(config).state_dict()
    save_checkpoint(path, config, weights, LabelSpec(names), {})
    return str(path), weights


@pytest.mark.parametrize(
    ("network", "last"),
    [
        ({"auxiliary": True}, ("classifier.2", "auxiliary.2")),
        ({"network": "dsnet"}, ("classifier.2",)),
        ({"network": "largefov", "backbone": "vgg16", "output_stride": 8}, ("classifier",)),
    ],
)
def test_classes_keep_their_weights_by_name(tmp_path, network, last):
    path, theirs = checkpoint(tmp_path / "a.safetensors", ("sky", "road", "car"), **network)
    torch.manual_seed(2)
    net = SegmentationNet(SegmentationConfig(4, width=8, **network))
    fresh = {name: value.clone() for name, value in net.state_dict().items()}
    (line,) = start_from(net, path, ("tram", "car", "sky", "tree"))
    assert line == (f"{path}: weights are kept of car, sky; new is tram, tree; left out is road")
    found = net.state_dict()
    of_classes = {f"{layer}.{part}" for layer in last for part in ("weight", "bias")}
    assert set(net.of_classes) == of_classes
    for name, value in found.items():
        if name in of_classes:
            wanted = [fresh[name][0], theirs[name][2], theirs[name][0], fresh[name][3]]
            assert torch.equal(value, torch.stack(wanted))
        else:
            assert torch.equal(value, theirs[name])


def test_another_order_gives_the_same_scores(tmp_path):
    path, _ = checkpoint(tmp_path / "a.safetensors", ("sky", "road", "car"))
    net = SegmentationNet(SegmentationConfig(3, width=8)).eval()
    (line,) = start_from(net, path, ("car", "sky", "road"))
    assert line.endswith("the same classes in another order; all weights are kept")
    image = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(net(image)[:, [1, 2, 0]], load_checkpoint(path).net(image))
    assert start_from(net, path, ("sky", "road", "car")) == ()


def test_many_classes_are_counted_and_none_in_common_is_told(tmp_path):
    names = tuple(f"c{i}" for i in range(9))
    path, _ = checkpoint(tmp_path / "a.safetensors", names)
    net = SegmentationNet(SegmentationConfig(2, width=8))
    (line,) = start_from(net, path, ("sky", "road"))
    assert "none of its classes (c0, c1, c2, c3, c4, c5 and 3 more) has the name" in line


def test_a_run_on_other_classes_says_once_what_is_new(settings, data, tmp_path):
    train(config_of(settings, tmp_path), tmp_path / "old")
    (data / "classes.txt").write_text("ground\nblue\nred\n")
    start = {"start": str(tmp_path / "old/last.safetensors")}
    config = config_of(changed(settings, network=start, optim={"lr": 1e-9}), tmp_path)
    said = []
    train(config, tmp_path / "run", note=said.append)
    assert [line.split("safetensors: ")[1] for line in said] == [
        "weights are kept of ground, red; new is blue; left out is green"
    ]
    old, new = (load_file(tmp_path / f / "last.safetensors") for f in ("old", "run"))
    rows = [old["classifier.2.weight"][i] for i in (0, 1)]
    assert torch.allclose(new["classifier.2.weight"][[0, 2]], torch.stack(rows), atol=1e-5)
    said.clear()
    train(config, tmp_path / "run", note=said.append)
    assert not said  # it has its weights


def test_another_network_is_refused(tmp_path):
    path, _ = checkpoint(tmp_path / "a.safetensors", ("sky", "road"))
    net = SegmentationNet(SegmentationConfig(2, width=8, pyramid="aspp"))
    with pytest.raises(InputError, match="its network has another pyramid"):
        start_from(net, path, ("sky", "road"))


@pytest.mark.parametrize("key", ["start", "weights"])
def test_colors_are_expected_as_the_checkpoint_does(settings, tmp_path, key):
    names = ("ground", "red", "green")
    path, _ = checkpoint(tmp_path / "a.safetensors", names, mean=HALF, std=HALF)
    train(config_of(changed(settings, network={key: path}), tmp_path), tmp_path / "run")
    assert load_checkpoint(tmp_path / "run/last.safetensors").net.config.mean == HALF


def test_a_checkpoint_is_a_source_of_backbones(tmp_path):
    path, weights = checkpoint(tmp_path / "a.safetensors", ("sky", "road"))
    net = SegmentationNet(SegmentationConfig(5, "dsnet", width=4))
    load_backbone(net, "mobilenet_v2", path)
    for name, value in net.backbone.state_dict().items():
        assert torch.equal(value, weights[f"backbone.{name}"])
    (tmp_path / "b.safetensors").write_bytes(b"nothing")
    assert expects(str(tmp_path / "b.safetensors")) == {}


def test_a_run_becomes_longer(settings, tmp_path):
    folder = tmp_path / "run"
    train(config_of(settings, tmp_path), folder)
    longer = config_of(changed(settings, optim={"epochs": 5}), tmp_path)
    said = []
    trained = train(longer, folder, note=said.append)
    assert (trained.step, trained.steps) == (10, 10)
    assert [e["epoch"] for e in trained.history] == [1, 2, 3, 4, 5]
    # It had 0.01 * (1 - 3 / 4) ** 0.9 in its last step, and goes on at (1 - 4 / 10) ** 0.9.
    assert len(said) == 1
    assert "planned for 2 epochs, the run goes on to 5" in said[0]
    assert "was 0.0029 and is 0.0063" in said[0]
    info = load_checkpoint(folder / "last.safetensors").info
    assert info["longer"] == [[4, 2]]
    assert info["training"]["optim"]["epochs"] == 5
    with pytest.raises(InputError, match=r"another optim\.epochs"):
        train(config_of(settings, tmp_path), folder)


def test_each_change_of_length_is_kept(settings, tmp_path):
    longer = config_of(changed(settings, optim={"epochs": 3}), tmp_path)
    for name, more in (("a", (4,)), ("b", (3, 4))):
        train(config_of(settings, tmp_path), tmp_path / name)
        for epochs in more:
            optim = replace(longer.optim, epochs=epochs)
            train(replace(longer, optim=optim), tmp_path / name)
    states = [torch.load(tmp_path / n / "state.pt", weights_only=True) for n in "ab"]
    assert [s["longer"] for s in states] == [[[4, 2]], [[4, 2], [6, 3]]]
    assert [s["step"] for s in states] == [8, 8]


def test_evaluations_may_come_at_other_times(settings, tmp_path):
    content = changed(settings, optim={"epochs": 3}, run={"validate_every": 3})
    train(config_of(content, tmp_path), tmp_path / "run")
    again = changed(settings, optim={"epochs": 5}, run={"validate_every": 1})
    train(config_of(again, Path(".")), tmp_path / "run")
    history = json.loads((tmp_path / "run/history.json").read_text())
    assert [entry["epoch"] for entry in history] == [3, 4, 5]
