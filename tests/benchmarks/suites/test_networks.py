import json

import pytest

from benchmarks.suites import networks


def test_every_network_is_measured_beside_torchvisions(tmp_path, capsys, monkeypatch):
    pytest.importorskip("segmentation_models_pytorch")
    real = networks.build_networks()
    monkeypatch.setattr(networks, "build_networks", lambda: {"mobilenet_v2": real["mobilenet_v2"]})
    size = ["--size", "64", "--batch", "2", "--rounds", "1"]
    assert networks.main([*size, "--out", str(tmp_path)]) == 0
    (path,) = tmp_path.glob("*/networks.json")
    found = json.loads(path.read_text())["networks"]["mobilenet_v2"]
    assert found["torchvision DeepLabv3"]["speed_to_torchvision"] == 1
    assert found["saccade GDPP"]["parameters"] < found["torchvision DeepLabv3"]["parameters"]
    # The same layers as torchvision's, so the same count but for the biases of normalised layers.
    ours, theirs = found["saccade ASPP 12, 24, 36"], found["torchvision DeepLabv3"]
    assert ours["parameters"] == theirs["parameters"]
    assert "saccade GDPP" in capsys.readouterr().out
