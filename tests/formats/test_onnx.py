import pytest
import torch
from torch import nn

from saccade.errors import InputError
from saccade.formats.onnx import _other_sizes, export_onnx
from saccade.models.segmentation import SegmentationConfig, SegmentationNet

pytest.importorskip("onnxruntime")
pytestmark = pytest.mark.filterwarnings("ignore")

# What only sampled convolutions need.
SAMPLING = {"Gather", "GatherND", "GatherElements", "GridSample", "DeformConv"}


def network(**changes):
    torch.manual_seed(0)
    net = SegmentationNet(SegmentationConfig(classes=3, width=8, **changes))
    for name, parameter in net.named_parameters():
        if ".predict" in name:  # offsets that are zero would prove nothing
            nn.init.normal_(parameter, std=0.1)
    return net


@pytest.mark.slow
def test_gdpp_is_ordinary_convolutions_of_any_size(tmp_path):
    done = export_onnx(network(pyramid="gdpp"), tmp_path / "net.onnx", (64, 96))
    assert done.difference < 1e-5
    assert "Conv" in done.operators
    assert not SAMPLING & set(done.operators)


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"network": "dsnet"},
        {"network": "dsnet", "sampler": "non-local"},
        {"pyramid": "none", "context": "deformable-v2"},
        {"pyramid": "aspp", "context": "dynamic-filter"},
    ],
)
def test_guided_sampling_and_the_baselines_agree_with_onnxruntime(tmp_path, changes):
    # Of any size and number, which takes longer; the same lines of code trace all of them.
    dynamic = changes.get("context") == "deformable-v2"
    done = export_onnx(network(**changes), tmp_path / "net.onnx", (64, 96), dynamic=dynamic)
    assert done.difference < 1e-4
    if changes.get("context") != "dynamic-filter":
        assert SAMPLING & set(done.operators)


@pytest.mark.slow
def test_the_dynamic_filter_is_right_at_sizes_that_it_was_not_traced_with(tmp_path):
    net = network(pyramid="none", context="dynamic-filter", output_stride=32)
    done = export_onnx(net, tmp_path / "net.onnx", (64, 96))
    assert done.difference < 1e-5
    seen = [(64, 96), *_other_sizes((64, 96))]
    assert any(h < 64 and w < 96 for h, w in seen)
    assert any(h % 2 and w % 2 for h, w in seen)


def test_metadata_has_the_class_names(tmp_path):
    import onnx

    path = tmp_path / "net.onnx"
    export_onnx(nn.Conv2d(3, 2, 1), path, (64, 64), metadata={"classes": '["a"]'})
    model = onnx.load(path)
    assert {p.key: p.value for p in model.metadata_props}["classes"] == '["a"]'
    assert [i.name for i in model.graph.input] == ["images"]
    assert [o.name for o in model.graph.output] == ["probabilities"]


def test_several_images_at_once_and_half_precision(tmp_path):
    import onnxruntime

    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 4, 1)).eval()
    whole, halved = tmp_path / "net.onnx", tmp_path / "half.onnx"
    assert export_onnx(net, whole, (64, 96)).changed == 0
    done = export_onnx(net, halved, (64, 96), half=True)
    assert 0 < done.difference < 0.01
    images = torch.rand(4, 3, 48, 80)
    for path in (whole, halved):
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        (found,) = session.run(None, {"images": images.numpy()})
        assert found.dtype.name == "float32"
        with torch.no_grad():
            expected = net(images).softmax(1)
        torch.testing.assert_close(torch.from_numpy(found), expected, atol=0.01, rtol=0)


def test_a_file_that_disagrees_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("saccade.formats.onnx._compared", lambda *_: (0.5, 0.0))
    with pytest.raises(InputError, match=r"not written, .* differ by 0\.5"):
        export_onnx(nn.Conv2d(3, 2, 1), tmp_path / "net.onnx", (64, 64))
    assert list(tmp_path.iterdir()) == []
