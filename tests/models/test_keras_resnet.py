"""ResNet-50 of Keras: the same function, layer by layer, with the strides where it has them."""

import json

import numpy as np
import pytest
import torch
from torch.nn import functional
from torchvision.models import resnet50

from saccade.data.specs import LabelSpec
from saccade.errors import InputError
from saccade.models.checkpoint import load_checkpoint, save_checkpoint
from saccade.models.keras_resnet import _names, _norm_of, read_keras_resnet
from saccade.models.pretrained import expects, load_backbone
from saccade.models.segmentation import SegmentationConfig, SegmentationNet

EPSILON = 0.001


def arrays_of_keras():
    """Random arrays by Keras' names, in an order of their own; small, so that nothing explodes."""
    rng = np.random.default_rng(0)
    shapes = {name: tuple(value.shape) for name, value in resnet50().state_dict().items()}
    found = {"fc1000/kernel": rng.normal(size=(2048, 10))}
    for keras, (conv, norm) in _names().items():
        out, inputs, height, width = shapes[f"{conv}.weight"]
        scale = (2 / (inputs * height * width)) ** 0.5
        found[f"{keras}/kernel"] = scale * rng.normal(size=(height, width, inputs, out))
        found[f"{keras}/bias"] = rng.normal(size=out)
        for part in ("gamma", "beta", "moving_mean"):
            found[f"{_norm_of(keras)}/{part}"] = rng.normal(size=out)
        found[f"{_norm_of(keras)}/moving_variance"] = rng.uniform(0.5, 1.5, size=out)
        assert shapes[f"{norm}.weight"] == (out,)
    return {name: value.astype("<f4") for name, value in found.items()}


def write_model(folder, arrays, shards=3):
    content = b"".join(value.tobytes() for value in arrays.values())
    edges = [len(content) * i // shards for i in range(shards + 1)]  # in the middle of an array
    names = [f"shard{i}.bin" for i in range(shards)]
    for name, start, end in zip(names, edges[:-1], edges[1:], strict=True):
        (folder / name).write_bytes(content[start:end])
    entries = [{"name": n, "shape": list(v.shape), "dtype": "float32"} for n, v in arrays.items()]
    norm = {"class_name": "BatchNormalization", "config": {"epsilon": EPSILON}}
    topology = {"model_config": {"config": {"layers": [norm]}}}
    manifest = [{"paths": names, "weights": entries}]
    path = folder / "model.json"
    path.write_text(json.dumps({"modelTopology": topology, "weightsManifest": manifest}))
    return path


@pytest.fixture(scope="module")
def keras(tmp_path_factory):
    arrays = arrays_of_keras()
    return write_model(tmp_path_factory.mktemp("keras"), arrays), arrays


def layer(arrays, name, x, *, stride=1, padding=0):
    """Convolution with bias and normalization with Keras' epsilon, written out."""
    tensors = {key: torch.from_numpy(value).double() for key, value in arrays.items()}
    kernel = tensors[f"{name}/kernel"].permute(3, 2, 0, 1)
    x = functional.conv2d(x, kernel, tensors[f"{name}/bias"], stride, padding)
    norm = _norm_of(name)
    mean, variance, gamma, beta = (
        tensors[f"{norm}/{part}"].view(1, -1, 1, 1)
        for part in ("moving_mean", "moving_variance", "gamma", "beta")
    )
    return gamma * (x - mean) / torch.sqrt(variance + EPSILON) + beta


def assert_near(found, expected):
    """Of the largest value, as random layers make values of any size."""
    assert float((found - expected).abs().max()) < 1e-4 * float(expected.abs().max())


def test_names_and_shapes_are_those_of_torchvision(keras):
    weights, own = read_keras_resnet(keras[0]), resnet50().state_dict()
    expected = {n for n in own if not n.startswith("fc.") and not n.endswith("batches_tracked")}
    assert weights.keys() == expected
    assert all(weights[name].shape == own[name].shape for name in expected)


def test_the_network_computes_what_keras_computes(keras):
    path, arrays = keras
    net = SegmentationNet(SegmentationConfig(3, backbone="resnet50", width=8, **expects(str(path))))
    load_backbone(net, "resnet50", str(path))
    assert net.backbone.layer2[0].conv1.stride == (2, 2)
    backbone = net.double().backbone.eval()
    images = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(0)).double()
    with torch.no_grad():
        found = backbone((images - net.mean) / net.std)
        # BGR in 0..255 minus the mean of its colors; the first block of stage 3 has a stride.
        bgr = 255 * images.flip(1) - torch.tensor([[[103.939]], [[116.779]], [[123.68]]])
        x = layer(arrays, "conv1", bgr, stride=2, padding=3).relu()
        x = functional.max_pool2d(functional.pad(x, (1, 1, 1, 1)), 3, 2)
        for block, stride in (("2a", 1), ("2b", 1), ("2c", 1), ("3a", 2)):
            y = layer(arrays, f"res{block}_branch2a", x, stride=stride).relu()
            y = layer(arrays, f"res{block}_branch2b", y, padding=1).relu()
            y = layer(arrays, f"res{block}_branch2c", y)
            if block.endswith("a"):
                x = layer(arrays, f"res{block}_branch1", x, stride=stride)
            x = (x + y).relu()
            if block == "2c":
                assert_near(found[2], x)
        assert_near(backbone.layer2[0](found[2]), x)
    assert tuple(found[5].shape) == (1, 2048, 4, 6)


def test_a_checkpoint_keeps_the_strides(keras, tmp_path):
    config = SegmentationConfig(3, backbone="resnet50", width=8, **expects(str(keras[0])))
    net = SegmentationNet(config).eval()
    load_backbone(net, "resnet50", str(keras[0]))
    spec = LabelSpec(("sky", "road", "car"), ((1, 2, 3), (4, 5, 6), (7, 8, 9)), ignored=(255,))
    save_checkpoint(tmp_path / "net.safetensors", config, net.state_dict(), spec, {})
    again = load_checkpoint(tmp_path / "net.safetensors").net
    images = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(again(images), net(images))
    assert again.backbone.layer2[0].conv1.stride == (2, 2)
    assert again.backbone.layer2[0].conv2.stride == (1, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder, arrays: (folder / "shard2.bin").unlink(), "shard2.bin is not beside it"),
        (lambda folder, arrays: (folder / "shard2.bin").write_bytes(b""), "beyond the end"),
        (
            lambda folder, arrays: write_model(
                folder, {k: v for k, v in arrays.items() if k != "res5c_branch2c/kernel"}
            ),
            "res5c_branch2c/kernel is missing",
        ),
        (lambda folder, arrays: (folder / "model.json").write_text("{}"), "expected model.json"),
    ],
)
def test_a_damaged_file_is_one_line(keras, tmp_path, change, message):
    path = write_model(tmp_path, keras[1])
    change(tmp_path, keras[1])
    with pytest.raises(InputError, match=message):
        read_keras_resnet(path)


def test_another_backbone_is_refused(keras):
    with pytest.raises(InputError, match="not of mobilenet_v2"):
        load_backbone(
            SegmentationNet(SegmentationConfig(3, width=8)), "mobilenet_v2", str(keras[0])
        )
