from dataclasses import replace

import pytest
import torch

from saccade.data.specs import LabelSpec
from saccade.errors import InputError
from saccade.models.checkpoint import load_checkpoint, save_checkpoint
from saccade.models.segmentation import SegmentationConfig, SegmentationNet

SPEC = LabelSpec(("sky", "road", "car"), ((1, 2, 3), (4, 5, 6), (7, 8, 9)), ignored=(9, 255))
SMALL = SegmentationConfig(classes=3, width=8)


@pytest.fixture
def checkpoint(tmp_path):
    torch.manual_seed(0)
    net = SegmentationNet(SMALL).eval()
    path = tmp_path / "net.safetensors"
    save_checkpoint(path, SMALL, net.state_dict(), SPEC, {"step": 3})
    return path, net


def test_a_checkpoint_alone_gives_the_same_network(checkpoint):
    path, net = checkpoint
    state = torch.get_rng_state()
    found = load_checkpoint(path)
    assert torch.equal(torch.get_rng_state(), state)  # global state is left alone
    assert (found.spec, found.info, found.net.config) == (SPEC, {"step": 3}, SMALL)
    x = torch.rand(1, 3, 40, 40)
    with torch.no_grad():
        torch.testing.assert_close(found.net(x), net(x), rtol=0, atol=0)
    assert not found.net.training


def test_damaged_checkpoints_are_named(checkpoint, tmp_path):
    path, net = checkpoint
    data = path.read_bytes()
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match="damaged"):
        load_checkpoint(cut)
    cut.write_bytes(b"no tensors at all")
    with pytest.raises(InputError, match="damaged"):
        load_checkpoint(cut)
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(2)}, cut)
    with pytest.raises(InputError, match="no checkpoint of Saccade"):
        load_checkpoint(cut)
    save_checkpoint(cut, replace(SMALL, width=9), net.state_dict(), SPEC, {})
    with pytest.raises(InputError, match="do not fit"):
        load_checkpoint(cut)
    with pytest.raises(InputError, match="no such file"):
        load_checkpoint(tmp_path / "nothing.safetensors")


def test_a_failed_write_leaves_the_old_checkpoint(checkpoint, monkeypatch):
    path, net = checkpoint
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("saccade.models.headers.save_file", full)
    with pytest.raises(OSError, match="No space"):
        save_checkpoint(path, SMALL, net.state_dict(), SPEC, {})
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]
